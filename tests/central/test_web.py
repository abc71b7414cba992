# SPDX-License-Identifier: Apache-2.0
"""The center over HTTP: the API as its description says, the guard, the pages, the feed."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import fastjsonschema
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from central.admitting import FetchGoods, PickedUp
from central.cuts import Pin
from central.intake import UPLOAD_BYTES_MAX
from central.people import File, Object
from central.service import Central
from central.storing import Declare, Store
from central.web.access import Access
from central.web.app import make_app, serving
from central.web.metrics import METRICS
from customs.documents import Status
from customs.imports import Refused, Upload
from customs.works.events import OrderEvent
from sync import wire
from sync.bodies import LoadFacts
from tests.central.dock import GTIN, SSCC, Dock
from tests.central.ledger_zone import permit
from tests.central.tables import customs_data
from tests.central.test_books import a_day
from tests.customs.tables.examples import ROWS, as_csv

DESCRIPTION = json.loads((files("central.web") / "openapi.json").read_text("utf-8"))
LOAD = f"/00/{SSCC}"
Client = TestClient[web.Request, web.Application]
PAGES = (
    *(
        "/",
        "/lots",
        "/locations",
        "/waiting",
        "/products",
        "/cost",
        "/search",
        "/permits",
        "/jobs",
        "/movements",
        "/nodes",
        "/cases",
        "/holds",
        "/backups",
    ),
    *(
        "/enrol",
        "/roll",
        "/suspend",
        "/resume",
        "/hold",
        "/lift-hold",
        "/admit",
        "/pick-up",
        "/put-away",
        "/declare-location",
        "/import",
        "/login",
    ),
)


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path)


@pytest_asyncio.fixture
async def client(center: Central, access: Access) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(center, access, ["center.example"]))) as made:
        yield made


@pytest.fixture
def token(access: Access) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.made}"}


def validator(schema: dict[str, Any]) -> Callable[[Any], Any]:
    """Validates by the description's own components; fastjsonschema knows draft 7, which these keep to."""
    made: Callable[[Any], Any] = fastjsonschema.compile({**schema, "components": DESCRIPTION["components"]})
    return made


def test_the_description_names_every_route_and_no_other(center: Central, access: Access) -> None:
    app = make_app(center, access)
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith("/api/")
        and route.method != "HEAD"
    }
    described = {(method, path) for path, item in DESCRIPTION["paths"].items() for method in item}
    assert served == described


async def test_real_answers_are_as_described(
    client: Client, center: Central, dock: Dock, papers: bytes
) -> None:
    ids = await a_day(center, dock, papers)
    await center.people.file(File("2026-07", "compliance"))
    await center.people.dispute(Object(ids["admitted"], "wrong seal", "compliance"))
    now = datetime.now(UTC)
    order = OrderEvent("W-1", "planned", "Example User", now.date(), now, "planner", quantity=Decimal(5))
    await center.people.act(lambda _: [("order", order)])
    await center.cuts.pin(Pin("2026-07", now - timedelta(days=1), "compliance"))
    named = {"entry_id": ids["hold"], "node": dock.node, "epoch": dock.epoch, "seq": 1, "number": "2026-07"}
    named["order"] = "W-1"
    await tables(center)
    await not_wholly_in(center, dock)
    named |= {"lot": "A214/1", "location": "A-1", "load": LOAD}
    await center.storing.declare(Declare("A-1", "compliance"))
    for happened in (None, now - timedelta(days=9)):
        await center.storing.put_away(Store((LOAD,), "compliance", "A-1", happened=happened))
    await center.projector.catch_up()
    asked = {
        "/api/v1/holds": "?state=all",
        "/api/v1/search": "?q=A214",
        "/api/v1/customs-products": "?on=2026-06-08",
        "/api/v1/cost": "?owner=Example%20User&product=09521999001058&quantity=5&on=2026-06-08",
    }
    checked = 0
    for path, item in DESCRIPTION["paths"].items():
        if "get" not in item:
            continue
        url = path.format(**named) + asked.get(path, "")
        answer = await client.get(url)
        assert answer.status == 200, url
        body = await answer.json()
        validator(item["get"]["responses"]["200"]["content"]["application/json"]["schema"])(body)
        checked += 1
        assert body.get("items") != [], url
    assert checked == 35


async def not_wholly_in(center: Central, dock: Dock) -> None:
    """A load in suspense, and goods that the operator fetched."""
    suspense = Status.SUSPENSE
    facts = LoadFacts("/00/1", "1", GTIN, unit="EA", owner="Example User", status=suspense)
    dock.move(load=facts, status=suspense, reason="temporary-deposit")
    await center.people.act(lambda _: [("permit", permit("DD-1", "direct-delivery", GTIN))])
    await dock.talk(center)
    fetched = FetchGoods("DD-1", (PickedUp("1", Decimal(5)),), "PD 7", True, True, "fetched", "anna")
    await center.admitting.pick_up(fetched)


async def tables(center: Central) -> None:
    """Customs data of the goods that `a_day` moves."""
    uploads = [
        Upload(f"{name}.json", json.dumps({"table": name, "rows": [row]}).encode())
        for name, row in customs_data().items()
    ]
    answer = await center.import_files(uploads, "compliance")
    assert not isinstance(answer, Refused), answer
    await center.projector.catch_up()


async def test_a_round_quantity_is_written_in_digits(client: Client, center: Central) -> None:
    await center.people.act(lambda _: [("permit", permit("A-1", "admission", GTIN))])
    await center.projector.catch_up()
    (found,) = (await (await client.get("/api/v1/permits")).json())["items"]
    assert found["lines"][0]["authorized"] == "1000000"


async def test_a_changed_answer_would_be_noticed(
    client: Client, center: Central, dock: Dock, papers: bytes
) -> None:
    await a_day(center, dock, papers)
    page = await (await client.get("/api/v1/inventory")).json()
    check = validator({"$ref": "#/components/schemas/InventoryPage"})
    check(page)
    page["items"][0]["quantity"] = 125.0
    with pytest.raises(fastjsonschema.JsonSchemaException):
        check(page)


async def test_an_exchange_over_http(client: Client, center: Central) -> None:
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    body, signature = dock.signed()
    answer = await client.post("/api/v1/exchange", data=body, headers={"Zonegate-Signature": signature})
    assert answer.status == 200
    text = await answer.read()
    validator({"$ref": "#/components/schemas/Answer"})(json.loads(text))
    assert wire.read_answer(text).have == (dock.place(),)


async def test_what_is_no_ask_is_refused_in_words(client: Client) -> None:
    too_long = b"x" * (wire.ASK_BYTES_MAX + 1)
    cases = [(b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b'{"ask_id": 5}', 400), (too_long, 413)]
    for body, status in cases:
        answer = await client.post(
            "/api/v1/exchange", data=io.BytesIO(body), headers={"Zonegate-Signature": "00"}
        )
        assert answer.status == status
        validator({"$ref": "#/components/schemas/Error"})(await answer.json())


async def test_an_import_takes_the_token_and_tells_every_fault(
    client: Client, dock: Dock, papers: bytes, token: dict[str, str]
) -> None:
    refused = await client.post("/api/v1/import?name=week.json", data=papers)
    assert refused.status == 401
    wrong = await client.post(
        "/api/v1/import?name=week.json", data=papers, headers={"Authorization": "Bearer zgc_" + "x" * 32}
    )
    assert wrong.status == 401
    broken = papers.replace(b'"800"', b'"-800"').replace(b"dock-1-out", b"dock-7-out")
    faulty = await client.post("/api/v1/import?name=week.json", data=broken, headers=token)
    assert faulty.status == 422
    answer = await faulty.json()
    assert [fault["where"] for fault in answer["faults"]] == [
        "permits[1].lines[0].quantity",
        "trucks[1].door",
    ]
    assert "dock-1-in, dock-1-out" in answer["faults"][1]["expected"]
    form = aiohttp.FormData()
    form.add_field("files", papers, filename="week.json")
    form.add_field("files", b"gtin,name\n09521999001065,BRKT-9\n", filename="more.csv")
    taken = await client.post("/api/v1/import", data=form, headers=token)
    assert taken.status == 200
    counts = await taken.json()
    validator({"$ref": "#/components/schemas/Imported"})(counts)
    assert (counts["products"], counts["permits"], counts["trucks"], counts["unchanged"]) == (2, 2, 2, 0)
    again = await client.post("/api/v1/import?name=week.json", data=papers, headers=token)
    assert (await again.json())["unchanged"] == 5


async def test_an_import_over_its_bound_is_refused_and_recorded(
    client: Client, center: Central, token: dict[str, str]
) -> None:
    answer = await client.post(
        "/api/v1/import?name=a.json", data=io.BytesIO(b" " * (UPLOAD_BYTES_MAX + 1)), headers=token
    )
    assert answer.status == 413
    form = aiohttp.FormData()
    form.add_field("files", io.BytesIO(b" " * (UPLOAD_BYTES_MAX + 1)), filename="a.csv")
    assert (await client.post("/api/v1/import", data=form, headers=token)).status == 413
    unnamed = await client.post("/api/v1/import", data=b"x", headers=token)
    assert unnamed.status == 400
    async with center.database.session() as connection:
        refused = await center._own.record.own_of_type(connection, "import-refused")
    assert [(stored.body.file, stored.body.sha256) for stored in refused] == [("a.json", ""), ("a.csv", "")]


async def test_tables_come_by_the_interface_and_by_the_page(
    client: Client, center: Central, token: dict[str, str]
) -> None:
    table = as_csv(ROWS["program"])
    taken = await client.post("/api/v1/import?name=p.csv", data=table, headers=token)
    assert (await taken.json())["tables"] == [{"kind": "program", "name": "p", "rows": 1}]
    await center.projector.catch_up()
    assert await (await client.get("/api/v1/import")).json() == {"doing": "", "rows": 0}
    changed = as_csv([{**ROWS["program"][0], "advalorem": "0.1", "valid_from": "2026-06-08"}])
    refused = await client.post("/api/v1/import?name=q.csv", data=changed, headers=token)
    assert refused.status == 422
    for day, status in (("2026-02-30", 400), ("2026-06-09", 422), ("2026-06-08", 200)):
        form = aiohttp.FormData()
        form.add_field("files", changed, filename="q.csv")
        form.add_field("supersedes_from", day)
        page = {**token, "Accept": "text/html"}
        answer = await client.post("/import", data=form, headers=page)
        assert answer.status == status, day
        assert ("table program q: 1 rows" in await answer.text()) == (status == 200)
    listed = await (await client.get("/api/v1/imports?limit=4")).json()
    types = [one["type"] for one in listed["items"]]
    assert (sorted(types[:2]), types[2:]) == (["dataset", "import"], ["import-refused", "import-refused"])
    assert [one["faults"] for one in listed["items"]] == [None, None, 1, 1]
    rest = await (await client.get(f"/api/v1/imports?limit=4&after={listed['next']}")).json()
    assert sorted(one["type"] for one in rest["items"]) == ["dataset", "import"]
    for sheet in (listed, rest):
        validator({"$ref": "#/components/schemas/ImportPage"})(sheet)


async def test_lists_come_in_pages_without_gap_or_repeat(client: Client, center: Central, dock: Dock) -> None:
    for _ in range(25):
        dock.move()
    await dock.talk(center)
    await center.projector.catch_up()
    seen: list[str] = []
    after = ""
    while True:
        page = await (await client.get(f"/api/v1/movements?limit=10{after}")).json()
        seen += [move["entry_id"] for move in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen, reverse=True) == seen
    assert len(set(seen)) == 25
    first = await (await client.get("/api/v1/entries?limit=20&node=dock-1")).json()
    rest = await (await client.get(f"/api/v1/entries?limit=20&node=dock-1&after={first['next']}")).json()
    assert len(first["items"]) + len(rest["items"]) == 26


SENSELESS = (
    "inventory?limit=0",
    "inventory?limit=501",
    "inventory?limit=x",
    "inventory?after=-1",
    "movements?after=zz",
    "holds?state=any",
    "inventory?search=%00",
    "lots?as_of=9999-12-31",
    "lots?known_on=0001-01-01",
    "lots/%00",
    "trace/%00",
    "inventory?search=" + "x" * 81,
    "entries?node=%00",
    "entries/no-id",
)


async def test_senseless_questions_are_refused_in_words(client: Client) -> None:
    for question in SENSELESS:
        answer = await client.get(f"/api/v1/{question}")
        assert answer.status == 400, question
        validator({"$ref": "#/components/schemas/Error"})(await answer.json())


async def test_a_search_is_taken_literally(client: Client, center: Central, dock: Dock) -> None:
    dock.move()
    await dock.talk(center)
    await center.projector.catch_up()
    for search in ("%", "_", "\\", "'; DROP TABLE entry; --", "L1' OR '1'='1"):
        page = await (await client.get("/api/v1/inventory", params={"search": search})).json()
        assert page["items"] == [], search
    assert (await (await client.get("/api/v1/inventory", params={"search": "l1"})).json())["items"] != []


async def test_every_page_answers_shows_no_foreign_address_and_no_inline_script(
    client: Client, center: Central, dock: Dock, papers: bytes
) -> None:
    for empty in (True, False):
        if not empty:
            await a_day(center, dock, papers)
        for path in PAGES:
            answer = await client.get(path, headers={"Accept": "text/html"})
            text = await answer.text()
            assert answer.status == 200, path
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert re.findall(r"https?://", text) == []
            assert re.findall(r"<script(?![^>]*src=)|\son\w+=|style=|javascript:", text) == []


async def test_hostile_text_is_shown_as_text(client: Client, center: Central, dock: Dock) -> None:
    dock.refuse()
    dock.move(owner="<script>alert(1)</script>")
    await dock.talk(center)
    await center.projector.catch_up()
    jobs = await (await client.get("/jobs", headers={"Accept": "text/html"})).text()
    assert "&lt;b&gt;x&lt;/b&gt;" in jobs
    inventory = await (await client.get("/?search=%3Cscript", headers={"Accept": "text/html"})).text()
    assert "<script>alert" not in inventory
    assert "&lt;script&gt;alert(1)" in inventory


async def test_a_person_signs_in_imports_by_the_page_and_signs_out(
    client: Client, access: Access, dock: Dock, papers: bytes
) -> None:
    html = {"Accept": "text/html"}
    wrong = await client.post("/login", data={"token": "zgc_" + "x" * 32}, headers=html)
    assert wrong.status == 403
    signed = await client.post(
        "/login", data={"token": access.made, "back": "/import"}, headers=html, allow_redirects=False
    )
    assert (signed.status, signed.headers["Location"]) == (303, "/import")
    assert "HttpOnly" in signed.headers["Set-Cookie"]
    assert "SameSite=Strict" in signed.headers["Set-Cookie"]
    form = aiohttp.FormData()
    form.add_field("files", papers, filename="week.json")
    taken = await client.post("/import", data=form, headers=html)
    assert "1 products, 2 permits, 2 trucks" in await taken.text()
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("files", b"{", filename="<i>.json")
    broken = await client.post("/import", data=form, headers=html)
    assert broken.status == 422
    assert "&lt;i&gt;.json" in await broken.text()
    await client.post("/logout", headers=html)
    assert (await client.post("/import", data={}, headers=html)).status == 401


async def test_signing_in_leads_to_no_foreign_page(client: Client, access: Access) -> None:
    answer = await client.post(
        "/login", data={"token": access.made, "back": "//evil.example/"}, allow_redirects=False
    )
    assert answer.headers["Location"] == "/"


async def test_another_sites_page_cannot_act(client: Client, token: dict[str, str], papers: bytes) -> None:
    for header in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await client.post("/api/v1/import?name=a.json", data=papers, headers={**token, **header})
        assert answer.status == 403


async def test_a_name_that_is_not_ours_is_refused(client: Client) -> None:
    assert (await client.get("/api/v1/nodes", headers={"Host": "evil.example"})).status == 421
    assert (await client.get("/api/v1/nodes", headers={"Host": "center.example:8430"})).status == 200


async def test_reading_from_elsewhere_takes_the_token(client: Client, token: dict[str, str]) -> None:
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    assert (await client.get("/api/v1/nodes", headers=elsewhere)).status == 401
    assert (await client.get("/api/v1/nodes", headers={**elsewhere, **token})).status == 200
    page = await client.get("/", headers={**elsewhere, "Accept": "text/html"}, allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (303, "/login")
    assert (await client.get("/healthz", headers=elsewhere)).status == 200


async def test_the_token_is_stored_hashed_and_made_once(tmp_path: Path) -> None:
    first = Access(tmp_path)
    assert first.made is not None
    kept = (tmp_path / "token.argon2").read_text()
    assert first.made not in kept
    assert kept.startswith("$argon2id$")
    assert (tmp_path / "token.argon2").stat().st_mode & 0o077 == 0
    second = Access(tmp_path)
    assert second.made is None
    assert await second.check(first.made)
    assert not await second.check("zgc_" + "a" * 32)
    assert not await second.check("no token")


async def test_the_feed_tells_that_the_books_moved(client: Client, center: Central, dock: Dock) -> None:
    async with asyncio.timeout(20):
        answer = await client.get("/events")
        first = await answer.content.readuntil(b"\n\n")
        assert b"event: changed" in first
        dock.move()
        await dock.talk(center)
        assert center.head is not None
        while f"id: {center.head.epoch}:{center.head.seq}".encode() not in first:
            first = await answer.content.readuntil(b"\n\n")
        answer.close()


async def test_an_open_feed_does_not_hold_up_the_end(center: Central, access: Access) -> None:
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        async with serving(make_app(center, access), "127.0.0.1:0") as url:
            answer = await session.get(f"{url}/events")
            await answer.content.readuntil(b"\n\n")
        assert await answer.content.read() == b""


async def test_metrics_tell_the_counts(client: Client, center: Central, dock: Dock) -> None:
    dock.refuse()
    await dock.talk(center)
    await center.projector.catch_up()
    text = await (await client.get("/metrics")).text()
    values = dict(line.split(" ") for line in text.splitlines() if not line.startswith("#"))
    assert values.keys() == METRICS.keys()
    assert values["zonegate_center_open_holds"] == "1"
    assert values["zonegate_center_entries_taken_total"] == "2"
    assert values["zonegate_center_books_behind"] == "0"
    assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize("meanwhile", [True, False])
async def test_a_log_that_came_after_the_preview_is_not_closed_unseen(
    client: Client,
    center: Central,
    dock: Dock,
    token: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: bool,
) -> None:
    said = {"node": dock.node, "retires": "yes", "note": "sold", "by": "Dana"}
    async with client.post("/retire", data=said, headers=token) as shown:
        [seen] = re.findall(r'name="?seen"? value="?([0-9a-f]+)', await shown.text())
    retire, later = center.people.retire, Dock(signer=dock.signer)

    async def last_moment(*args: Any) -> Any:
        if meanwhile:
            await later.talk(center)
        return await retire(*args)

    monkeypatch.setattr(center.people, "retire", last_moment)
    said |= {"step": "write", "seen": seen, "attest": dock.node, "out_of_service": "yes"}
    async with client.post("/retire", data=said, headers=token, allow_redirects=False) as answer:
        assert answer.status == (409 if meanwhile else 303)
        assert ("figures that have moved on" in await answer.text()) == meanwhile
    closed = await center.people.look(lambda book: {dock.epoch, later.epoch} & book.accounts.closed)
    assert closed == (set() if meanwhile else {dock.epoch})
