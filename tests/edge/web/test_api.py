# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from aiohttp import ClientSession

from edge.errors import Backlogged
from gs1 import answer_code
from tests.edge.web.fake_desk import EPOCH, FakeDesk
from tests.edge.web.site import Site

DOOR = "/api/v1/doors/out1"
SCAN = {"code": "STOP1", "client_id": "0123456789abcdef"}


async def post(
    client: ClientSession, path: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    async with client.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def get(client: ClientSession, path: str) -> tuple[int, Any]:
    async with client.get(path) as answer:
        return answer.status, await answer.json()


async def test_what_the_pages_show_comes_as_json(client: ClientSession) -> None:
    status, body = await get(client, "/api/v1/status")
    assert status == 200
    assert body["zone"] == "zone-999"
    assert body["jobs"][0]["lines"][0]["left"] == "1000"
    assert (await get(client, DOOR))[1]["state"] == "READY"
    assert (await get(client, f"/api/v1/entries?after={EPOCH}:5&limit=1"))[1][0]["entry_id"] == "e-100"
    assert (await get(client, "/api/v1/inventory?q=B17"))[1][0]["quantity"] == "250.5"
    assert (await get(client, "/api/v1/search?q=nothing"))[1] == []
    assert len((await get(client, "/api/v1/search?q=095219990000000013"))[1]) == 2
    findings = (await get(client, "/api/v1/scanner-check?received=91x&suffix=Enter&gap_ms=3"))[1]
    assert [finding["right"] for finding in findings] == [True, True, False]


async def test_what_a_reader_sent_that_was_not_understood_comes_as_json(client: ClientSession) -> None:
    status, body = await get(client, "/api/v1/devices/gate-1/skipped")
    assert (status, body["count"], body["frames"][0]["reason"]) == (200, 3, "cut off")
    status, body = await get(client, "/api/v1/devices/gate-9/skipped")
    assert status == 409
    assert "no reader 'gate-9'" in body["error"]


async def test_a_code_is_answered_as_the_command_line_answers_it(client: ClientSession) -> None:
    status, answer = await get(client, "/api/v1/decode?code=%5DC10109521999001058%1D10L7")
    assert (status, answer["ok"], answer["symbology"]) == (200, True, "]C1")
    assert answer == json.loads(json.dumps(answer_code(b"]C10109521999001058\x1d10L7", date(2026, 6, 3))))
    for code in ("", "%3Cscript%3E", "%FF", "7" * 6000):
        status, answer = await get(client, f"/api/v1/decode?code={code}")
        assert (status, answer["ok"]) == (200, False)
        assert answer["errors"][0]["message"]


async def test_a_scan_reaches_the_desk_byte_for_byte(site: Site, client: ClientSession) -> None:
    body = {"code": "0109521999001058\x1d10é", "client_id": "scan-0001"}
    status, view = await post(client, f"{DOOR}/scan", body, site.bearer("door.out1"))
    assert (status, view["state"]) == (200, "ACCEPTED")
    code = "0109521999001058\x1d10é".encode()
    assert site.desk.scans == [("out1", code, "scan-0001", "screen out1")]


async def test_quantity_undo_and_jobs_reach_the_desk(site: Site, client: ClientSession) -> None:
    screen, chief = site.bearer("door.out1"), site.bearer("supervisor")
    asked = {"hold": "hold-1", "quantity": "12.5", "client_id": "quantity-1"}
    assert (await post(client, f"{DOOR}/quantity", asked, screen))[0] == 200
    assert (await post(client, f"{DOOR}/undo", {"client_id": "undo-0001"}, screen))[0] == 200
    assert (await post(client, f"{DOOR}/job/close", {}, chief))[1]["state"] == "closed"
    opened = {"job": "IN-0609", "seals": ["S-1", "S-2"]}
    assert (await post(client, "/api/v1/doors/in1/job/open", opened, chief))[1]["state"] == "open"
    assert site.desk.acts == [
        ("quantity", "out1", "hold-1", "12.5", "quantity-1", "screen out1"),
        ("undo", "out1", "undo-0001", "screen out1"),
        ("close", "out1", "supervisor"),
        ("open", "in1", "IN-0609", ("S-1", "S-2"), "supervisor"),
    ]


async def test_the_supervisor_decides_within_the_choices(site: Site, client: ClientSession) -> None:
    site.desk.hold()
    chief = site.bearer("supervisor")
    status, said = await post(client, "/api/v1/holds/hold-1", {"decision": "admit"}, chief)
    assert status == 409
    assert "deposit, refused, cleared" in said["error"]
    decided = {"decision": "refused", "note": "label of another load"}
    assert (await post(client, "/api/v1/holds/hold-1", decided, chief))[0] == 200
    assert site.desk.acts == [("decide", "hold-1", "refused", "label of another load", "supervisor", None)]
    status, said = await post(client, "/api/v1/holds/hold-1", decided, chief)
    assert status == 409
    assert set(said) == {"error", "next"}


@pytest.mark.parametrize("act", ["scan", "quantity", "undo"])
async def test_a_door_s_token_acts_at_its_door_only(site: Site, client: ClientSession, act: str) -> None:
    status, said = await post(client, f"{DOOR}/{act}", {}, site.bearer("door.in1"))
    assert status == 403
    assert said["error"] == "This screen is signed in for door in1, not for out1."
    status, said = await post(client, f"{DOOR}/{act}", {})
    assert status == 401
    assert said["next"] == "Sign in with a token."
    assert site.desk.scans == []
    assert site.desk.acts == []


@pytest.mark.parametrize("path", [f"{DOOR}/job/open", f"{DOOR}/job/close", "/api/v1/holds/hold-1"])
async def test_a_door_s_token_neither_opens_nor_closes_nor_decides(
    site: Site, client: ClientSession, path: str
) -> None:
    assert (await post(client, path, {}, site.bearer("door.out1")))[0] == 403
    assert (await post(client, path, {}))[0] == 401
    assert site.desk.acts == []


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("scan", {"code": "x"}, 400, "client_id"),
        ("scan", {"code": 5, "client_id": "12345678"}, 400, "code"),
        ("scan", {"code": "", "client_id": "12345678"}, 400, "empty"),
        ("scan", {"code": "x", "client_id": "<script>"}, 400, "client_id"),
        ("scan", {"code": "x", "client_id": "1" * 65}, 400, "client_id"),
        ("scan", {"code": "x", "client_id": "12345678", "door": "in1"}, 400, "door"),
        ("scan", {"code": "x" * 16385, "client_id": "12345678"}, 413, "16385 bytes"),
        ("scan", {"code": "x" * 200_000, "client_id": "12345678"}, 413, "longer than"),
        ("scan", [], 400, "object"),
        ("quantity", {"hold": "h", "quantity": "-1", "client_id": "12345678"}, 400, "quantity"),
        ("quantity", {"hold": "h", "quantity": "1e9", "client_id": "12345678"}, 400, "quantity"),
        ("quantity", {"hold": "h", "quantity": "NaN", "client_id": "12345678"}, 400, "quantity"),
        ("quantity", {"hold": "h", "quantity": "1" * 25, "client_id": "12345678"}, 400, "quantity"),
        ("quantity", {"hold": "hold-1", "quantity": "2000", "client_id": "12345678"}, 409, "at most 1000"),
    ],
)
async def test_a_wrong_act_is_refused_with_what_is_wrong(
    site: Site, client: ClientSession, path: str, body: Any, status: int, told: str
) -> None:
    came, said = await post(client, f"{DOOR}/{path}", body, site.bearer("door.out1"))
    assert came == status
    assert told in said["error"]
    assert said["next"]
    assert site.desk.scans == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"code": "\\ud800", "client_id": "12345678"'],
    ids=range(5),
)
async def test_bytes_that_are_no_json_are_refused(site: Site, client: ClientSession, raw: bytes) -> None:
    headers = {**site.bearer("door.out1"), "Content-Type": "application/json"}
    async with client.post(f"{DOOR}/scan", data=raw, headers=headers) as answer:
        assert answer.status == 400
        assert "not right" in (await answer.json())["error"]


async def test_a_form_is_not_taken_for_an_act(site: Site, client: ClientSession) -> None:
    async with client.post(f"{DOOR}/scan", data=SCAN, headers=site.bearer("door.out1")) as answer:
        assert answer.status == 415


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/v1/doors/nine", 404, "Its doors are: in1, out1."),
        ("/api/v1/entries?limit=0", 400, "Give 1 to 1000."),
        ("/api/v1/entries?limit=x", 400, "Give 1 to 1000."),
        ("/api/v1/entries?after=x", 400, "epoch:seq"),
        ("/api/v1/scanner-check?gap_ms=x", 400, "Send milliseconds."),
        ("/api/v1/nothing", 404, "Start at the status page: /"),
        ("/api/v1/holds/h", 405, "Use POST."),
        ("/events?door=nine", 404, "Ask for one of its doors"),
    ],
)
async def test_a_wrong_question_is_told_the_next_step(
    client: ClientSession, path: str, status: int, told: str
) -> None:
    came, said = await get(client, path)
    assert came == status
    assert told in said["next"]


async def test_a_fault_of_ours_is_told_without_its_inside(
    site: Site, client: ClientSession, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FakeDesk) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(FakeDesk, "status", broken)
    status, said = await get(client, "/api/v1/status")
    assert status == 500
    assert "secret" not in str(said)
    assert "secret inside" in caplog.text


async def test_figures_come_in_prometheus_form(client: ClientSession) -> None:
    async with client.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert (await answer.text()).splitlines() == [
            "# TYPE zonegate_journal_entries gauge",
            "zonegate_journal_entries 42",
            "# TYPE zonegate_reads_total counter",
            r'zonegate_reads_total{device="a\"b"} 7',
            'zonegate_reads_total{device="c"} 2',
        ]
    async with client.get("/healthz") as answer:
        assert await answer.text() == "ok\n"


async def test_a_dock_that_cannot_record_says_so(
    site: Site, client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def backlogged(*_: object) -> None:
        raise Backlogged("too much waits")

    monkeypatch.setattr(site.desk, "scan", backlogged)
    scan = {"code": "X", "client_id": "12345678"}
    status, said = await post(client, f"{DOOR}/scan", scan, site.bearer("supervisor"))
    assert status == 503
    assert said == {"error": "This dock cannot record now.", "next": "Nothing may pass. Call the supervisor."}


async def test_the_key_is_changed_by_the_supervisor_only(
    site: Site, client: ClientSession, desk: FakeDesk
) -> None:
    path = "/api/v1/rotate-key"
    assert (await post(client, path, {}, site.bearer("door.out1")))[0] == 403
    assert (await post(client, path, {"more": 1}, site.bearer("supervisor")))[0] == 400
    assert desk.acts == []
    status, body = await post(client, path, {}, site.bearer("supervisor"))
    assert (status, body) == (200, {"key": "ab" * 32})
    assert desk.acts == [("rotate", "supervisor")]


async def test_the_record_comes_as_json(client: ClientSession) -> None:
    record = (await get(client, "/api/v1/status"))[1]["record"]
    assert record["epochs"][0]["confirmed"] == 100
    assert record["leases"][0]["holders"] == {"dock-b": "125"}
