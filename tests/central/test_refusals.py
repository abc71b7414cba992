# SPDX-License-Identifier: Apache-2.0
"""What people are refused at the center is recorded: who, what came, why; the books stay as they were."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
import pytest_asyncio

from central.acts import _import_lines
from central.refusals import SAID_CHARACTERS_MAX, Refusals
from central.service import Central
from central.web.acts import Acts
from sync.customs_bodies import ActRefused
from tests.central.conftest import Client
from tests.central.ledger_zone import GTINS, OWNER, Zone, rows
from tests.central.running import Running
from tests.central.test_admitting import deposit
from tests.central.test_floor import key

HTML = {"Accept": "text/html"}
BY = {"note": "looked", "by": "anna"}
NOWHERE = "https://id.gs1.org/00/none"
GOODS = {"number": "N-1", "owner": OWNER, "product": GTINS[0], "status": "NPF", "quantity": "9", **BY}
REFUSED: dict[str, dict[str, Any]] = {
    "suspend": {"reason": "flood"},
    "resume": BY,
    "hold": {"kind": "moon", "reason": "wet", "by": "anna"},
    "lift-hold": {"hold": "none", **BY},
    "orders/plan": {
        "order": "W1", "owner": OWNER, "product": GTINS[0], "quantity": "5", "on": "2026-06-01", "by": "anna",
    },
    "orders/start": {
        "order": "W1", "on": "2026-06-01", "by": "anna", "permit": "x", "authority": "y", "takes": [],
    },
    "orders/report": {"order": "W1", "on": "2026-06-01", "by": "anna"},
    "orders/correct": {"order": "W1", "on": "2026-06-01", **BY},
    "orders/close": {"order": "W1", "on": "2026-06-01", "by": "anna"},
    "admit": {"document": "none", "line": "1", "loads": [{"load": key(1)}], **BY},
    "undo-admission": {"admitted": "none", **BY},
    "pick-up": {"document": "DD-1", "goods": [{"line": "1", "quantity": "-5"}], "approval": "", **BY},
    "undo-pick-up": {"pick_up": "none", **BY},
    "status-change": {**GOODS, "becomes": "PF"},
    "adjust": {**GOODS, "quantity": "-9"},
    "accept-entry": {"document": "none", **BY},
    "reject-entry": {"document": "none", **BY},
    "elect": {
        "owner": OWNER, "method": "fifo", "since": "2020-01-01T00:00:00Z", "authority": "p. 1", "by": "anna",
    },
    "declare-location": {"name": "../etc", "by": "anna"},
    "put-away": {"scanned": ["nothing like it"], "by": "anna", "to": "moon"},
    "correct-put-away": {"put_away": "none", **BY},
    "close-location": {"name": "none", **BY},
    "open-location": {"name": "none", **BY},
    "cuts": {"number": "C-1", "until": "2999-01-01T00:00:00Z", "by": "anna"},
    "settle": {"case": "none", **BY},
    "dispute": {"movement": "none", "reason": "x", "by": "anna"},
    "decide": {"dispute": "none", "decision": "stands", **BY},
    "write-off": {"node": "dock-1", "counted": [], "attest": "no", **BY},
    "retire": {"node": "dock-1", "counted": [], "attest": "no", **BY},
    "revoke": {"node": "dock-9", "reason": "x", "by": "anna"},
    "attest-roll": {"nodes": ["a b"], "by": "anna"},
    "enrol": {"node": "UPPER", "by": "anna"},
    "backups": {"name": "b", "heads": [{"epoch": "0" * 32, "seq": 1, "hash": "0" * 64}], "by": "anna"},
    "backup-gone": {"name": "none", "by": "anna"},
    "filings": {"number": "", "by": "anna"},
}  # fmt: skip
"""Of every act something that is refused, at a zone with 60 goods in suspense."""


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    made = await Zone.open(center, docks=1)
    deposit(made, 10, "60", "1")
    await made.tell()
    await center.projector.catch_up()
    return made


async def recorded(center: Central) -> list[ActRefused]:
    async with center.database.session() as connection:
        return [one.body for one in await center._own.record.own_of_type(connection, "act-refused")]


def test_every_act_of_the_interface_is_tried(zone: Zone) -> None:
    posts = {route.path for route in Acts(zone.center).routes() if route.method == "POST"}
    assert {path.removeprefix("/api/v1/") for path in posts} == set(REFUSED)


async def test_every_act_that_is_refused_is_an_entry_and_nothing_else(client: Client, zone: Zone) -> None:
    center = zone.center
    tables = ("posting", "ledger_lot", "ledger_fact", "location_posting", "put_away", "location")
    books = await rows(center, tables)
    for number, (act, said) in enumerate(REFUSED.items(), 1):
        before = center.head
        answer = await client.post(f"/api/v1/{act}", json=said)
        told = await answer.json()
        assert 400 <= answer.status < 500 and told["error"], (act, told)
        assert before and center.head and center.head.seq == before.seq + 1, f"{act}: one entry"
        body = (await recorded(center))[-1]
        assert len(await recorded(center)) == number
        assert (body.act, body.status, body.next) == (act, answer.status, told["next"])
        assert body.why == told["error"] and body.by == said.get("by", "token")
        raw = json.dumps(said).encode()
        assert (json.loads(body.said), body.bytes) == (said, len(raw))
        assert body.sha256 == hashlib.sha256(raw).hexdigest()
    await center.projector.catch_up()
    assert await rows(center, tables) == books
    await center.projector.rebuild()
    assert await rows(center, tables) == books


async def test_an_act_that_is_taken_leaves_no_refusal_which_is_the_control(
    client: Client, zone: Zone
) -> None:
    answer = await client.post("/api/v1/suspend", json={"reason": "flood", "by": "anna"})
    assert answer.status == 200 and await recorded(zone.center) == []


async def test_without_the_record_of_it_a_refusal_would_leave_no_trace(
    client: Client, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None: ...

    monkeypatch.setattr(Refusals, "note", nothing)
    before = zone.center.head
    assert (await client.post("/api/v1/resume", json=BY)).status == 409
    assert zone.center.head == before and await recorded(zone.center) == [], "the control"


async def test_forms_that_are_refused_are_recorded_with_all_that_was_entered(
    client: Client, zone: Zone
) -> None:
    center = zone.center
    tries: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("/admit", "admit", {"document": "214-1", "line": "7", "loads": key(1), **BY}),
        ("/hold", "hold", {"kind": "agency", "reason": "x", "by": ""}),  # a field is empty
        ("/put-away", "put-away", {"to": "moon", "scanned": "a\r\nb", "by": "anna"}),
        ("/roll", "attest-roll", {"nodes": "A!", "by": "anna"}),
        ("/retire", "retire", {"node": "dock-1", "step": "write", "note": "broken", "by": "anna"}),
        ("/write-off", "write-off", {"node": "dock-1", "step": "write", "note": "broken", "by": "anna"}),
    )
    previewed = await client.post("/write-off", data={"node": "dock-1", "by": "anna"}, headers=HTML)
    assert previewed.status == 422 and await recorded(center) == [], "to look at a count is no act"
    for number, (path, act, said) in enumerate(tries, 1):
        answer = await client.post(path, data=said, headers=HTML)
        assert answer.status in (400, 404, 409, 422), path
        found = await recorded(center)
        assert len(found) == number, path
        assert found[-1].act == act and found[-1].status == answer.status
        came = json.loads(found[-1].said)
        assert came == {name: text for name, text in said.items() if name != "step"}
        assert (
            found[-1].why in " ".join((await answer.text()).replace("&#39;", "'").split())
            or "expected" in found[-1].why
        )


async def test_what_is_hostile_is_bounded_and_fit_to_be_shown(client: Client, zone: Zone) -> None:
    center = zone.center
    nasty = "<script>alert(1)</script>\u202e\u0000\x1b[31m" + "\u20ac" * 5000
    raw = json.dumps({"hold": "h", "note": nasty, "by": "<b>\u202e" + "x" * 500}).encode()
    assert (await client.post("/api/v1/lift-hold", data=raw)).status == 400
    for body in (b"", b"\xff\xfe{", b"[" * 5000, b'"' + b"a" * 5000, b"x" * (1024 * 1024 + 1)):
        assert (await client.post("/api/v1/lift-hold", data=io.BytesIO(body))).status in (400, 413)
    found = await recorded(center)
    assert len(found) == 6
    for one in found:
        assert len(one.said) <= 6 * SAID_CHARACTERS_MAX + 3 and len(one.by) <= 500
        assert all(sign.isprintable() for sign in one.said + one.why + one.by + one.next)
        assert len(one.why) < 7000
    assert (found[0].bytes, found[0].sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert found[0].by.startswith("<b>\\u202exx") and found[1].by == "token"
    shown = await (await client.get("/import", headers=HTML)).text()
    assert "<b>\\u202e" not in shown and "&lt;b&gt;" in shown and "lift-hold" in shown
    (first, *_) = (await (await client.get("/api/v1/imports?limit=10")).json())["items"][::-1]
    entry = await (await client.get(f"/entry/{first['entry_id']}", headers=HTML)).text()
    assert "<script>alert" not in entry and "&lt;script&gt;" in entry


async def test_who_shows_no_token_is_not_recorded(client: Client, zone: Zone) -> None:
    await client.post("/logout", headers=HTML)
    before = zone.center.head
    for path in ("/api/v1/resume", "/resume", "/orders/W1"):
        assert (await client.post(path, data=b"{}")).status == 401
    assert zone.center.head == before


async def test_refused_acts_are_listed_where_refused_imports_are(client: Client, zone: Zone) -> None:
    await client.post("/api/v1/import?name=a.json", data=b"{")
    await client.post("/api/v1/adjust", json=REFUSED["adjust"])
    answer = await (await client.get("/api/v1/imports")).json()
    act, refused = answer["items"]
    assert (act["type"], act["act"], act["by"], act["file"]) == ("act-refused", "adjust", "anna", None)
    assert "are in stock" in act["why"] and refused["type"] == "import-refused"
    first, second = _import_lines(answer).splitlines()
    assert "anna: adjust refused: 0 are in stock" in first and "a.json: refused" in second
    page = await (await client.get("/import", headers=HTML)).text()
    assert "<b>refused</b>: 0 are in stock" in page


async def test_a_command_that_is_refused_is_recorded(running: Running) -> None:
    at = ("central", "--config", str(running.config))
    code, _, wrong = await running.command(*at, "resume", "--note", "it is over", "--by", "anna")
    assert code == 1 and "not suspended" in wrong
    code, said, _ = await running.command(*at, "imports")
    assert code == 0 and "anna: resume refused: the zone is not suspended" in said
