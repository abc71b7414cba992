# SPDX-License-Identifier: Apache-2.0
"""The record's pages in a real browser: docks and their logs, cases, the count, and each other act of people.

Docks are logs written with the room's own functions and sent through the real exchange.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import expect

from central.errors import Denied
from central.people import NoteBackup
from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from customs.imports import Upload
from edge.anchor import Anchor
from edge.clock import system_clocks
from sync.bodies import Saw, Use
from sync.keys import Signer
from tests.central.dock import Dock

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_MS_MAX = 20_000
PAPERS = Path(__file__).parents[1] / "central" / "papers.json"
FHD = {"width": 1920, "height": 1080}
TABLET = {"width": 1280, "height": 800}

expect.set_options(timeout=WAIT_MS_MAX)


@dataclass
class Place:
    """A center that serves, and the docks that have written to it."""

    center: Central
    url: str
    token: str
    docks: dict[str, Dock]


async def open_center(dsn: str, folder: Path) -> Central:
    folder.mkdir(exist_ok=True)
    return await Central.open(dsn, "example", "zone-999", Anchor(folder), system_clocks())


async def enter(center: Central, node: str, **begin: Any) -> Dock:
    dock = Dock(node, **begin)
    dock.code = await center.enrol(node)
    await dock.talk(center)
    return dock


async def restored(center: Central, before: Dock, held: int) -> Dock:
    """The dock goes on from an older copy of its disk; its anchor proves how far it had told."""
    after = Dock(before.node, signer=before.signer, parent=before.place(held), end=before.place())
    await after.talk(center, after.ask(after.part()))
    return after


async def replaced(center: Central, node: str) -> Dock:
    """Another machine under the same name: nothing proves what the one before had written."""
    return await enter(center, node, reason="no anchor for this store")


async def forked(center: Central, dock: Dock) -> None:
    """A second machine wrote on from a copy; its last entry stands where another one is stored."""
    copy = Dock(dock.node, signer=Signer(b"\x07" * 32))
    copy.signer, copy.epoch, copy.cursor = dock.signer, dock.epoch, dock.cursor
    copy.records, copy.hashes = dock.records[:-1], dock.hashes[:-1]
    copy.move(sscc="095219990000000099")
    await copy.talk(center, copy.ask(copy.part(after=len(copy.records) - 1)))


async def hear(center: Central, dock: Dock) -> None:
    """The dock reports, takes in what the center says, and reports that."""
    answer = await dock.talk(center)
    assert answer.upto is not None
    dock.add("saw", Saw(answer.center_epoch, answer.upto, answer.entries, answer.head))
    await dock.talk(center)


async def trouble(center: Central) -> dict[str, Dock]:
    """A zone after a bad week.

    dock-1 was restored from an older copy, dock-2 was re-imaged, dock-3 was copied, dock-4 is well, dock-5
    was enrolled and never called.
    """
    first = await enter(center, "dock-1")
    await center.import_files([Upload("week.json", PAPERS.read_bytes())], "compliance")
    await first.talk(center)
    for _ in range(6):
        first.move(use=Use("A214", "1", Decimal(125)))
    await first.talk(center)
    for _ in range(12):
        first.move(use=Use("A214", "1", Decimal(125)))
    docks = {"dock-1 before": first, "dock-1": await restored(center, first, 5)}
    docks["dock-2 before"] = second = await enter(center, "dock-2")
    second.move()
    await second.talk(center)
    docks["dock-2"] = await replaced(center, "dock-2")
    docks["dock-3"] = third = await enter(center, "dock-3")
    third.move()
    await third.talk(center)
    await forked(center, third)
    docks["dock-4"] = fourth = await enter(center, "dock-4")
    fourth.move("admission", "125", sscc="095219990000000020")
    await fourth.talk(center)
    await center.enrol("dock-5")
    await center.projector.catch_up()
    return docks


@pytest_asyncio.fixture(loop_scope="session")
async def zone(postgres: str, tmp_path: Path) -> AsyncIterator[Place]:
    center = await open_center(postgres, tmp_path / "center")
    access = Access(tmp_path / "center")
    assert access.made is not None
    docks = await trouble(center)
    async with serving(make_app(center, access), "127.0.0.1:0") as url:
        yield Place(center, url, access.made, docks)
    await center.close()


class People:
    """Pages of one browser, signed in or not; none may have a script error or a refused resource."""

    def __init__(self, browser: Browser, place: Place) -> None:
        self._browser = browser
        self._place = place
        self._pages: list[Page] = []
        self.faults: list[str] = []

    async def page(self, path: str = "/", *, token: bool = True, **options: Any) -> Page:
        context = await self._browser.new_context(**({"viewport": FHD} | options))
        page = await context.new_page()
        page.set_default_timeout(WAIT_MS_MAX)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog {dialog.message}"))
        page.on("console", lambda message: self._console(message.text))
        self._pages.append(page)
        if token:
            await page.goto(f"{self._place.url}/login")
            await page.fill("#token", self._place.token)
            await page.click("main button")
            await page.wait_for_url(f"{self._place.url}/")
        await page.goto(self._place.url + path)
        return page

    async def close(self) -> None:
        for page in self._pages:
            await page.context.close()
        assert self.faults == []

    def _console(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.faults.append(text)


@pytest_asyncio.fixture(loop_scope="session")
async def people(browser: Browser, zone: Place) -> AsyncIterator[People]:
    opened = People(browser, zone)
    yield opened
    await opened.close()


async def fill(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        await page.fill(f"main [name={name}]", text)


async def count(page: Page, *quantities: str) -> None:
    """Enter a count for each listed line, and what stands in the record."""
    rows = page.locator("input[name^='count.']")
    await expect(rows).to_have_count(len(quantities))
    for at, quantity in enumerate(quantities):
        await rows.nth(at).fill(quantity)
    await fill(page, note="counted on the floor by two people", by="A. Counter")
    await page.click("button[value=preview]")


async def refused(page: Page, *words: str) -> None:
    """What came, what was expected, what to do: as an alert, on a page that keeps what was entered."""
    alert = page.locator("main [role=alert]")
    await expect(alert).to_contain_text("This was not done.")
    for word in words:
        await expect(alert).to_contain_text(word)


def own_seq(place: Place) -> int:
    assert place.center.head is not None
    return place.center.head.seq


async def test_each_dock_is_told_in_words_and_in_a_picture(people: People, zone: Place) -> None:
    page = await people.page("/nodes")
    first = page.locator("section.dock", has_text="dock-1")
    await expect(first.locator(".remarks")).to_contain_text("dock-1 was restored from an older copy")
    await expect(first.locator(".remarks")).to_contain_text(
        "12 entries, number 8 to 19, are still missing here"
    )
    picture = first.locator("svg.logs")
    await expect(picture.locator("title")).to_contain_text("not closed")
    await expect(picture).to_contain_text("7 of 19 stored, 12 missing")
    await expect(picture.locator("path.proven")).to_have_count(1)
    await expect(picture.locator("rect.gone")).to_have_count(1)
    await expect(first.locator(".holds")).to_contain_text("1,750 EA of A214/1")
    second = page.locator("section.dock", has_text="dock-2")
    await expect(second.locator(".remarks")).to_contain_text("nobody can tell how many")
    await expect(second.locator("path.unproven")).to_have_count(1)
    await expect(second.locator("svg.logs")).to_contain_text("2 stored, more may exist")
    await expect(page.locator("section.dock", has_text="dock-3").locator(".remarks")).to_contain_text(
        "two machines wrote as dock-3"
    )
    well = page.locator("section.dock", has_text="dock-4")
    await expect(well.locator(".remarks")).to_have_count(0)
    await expect(well.locator("svg.logs")).to_contain_text("2 stored, none missing")
    await expect(page.locator("section.dock", has_text="dock-5")).to_contain_text("never called")
    await expect(page.locator("#roll")).to_contain_text("never put back to an older state")
    states = await page.locator(".key svg.shape").evaluate_all("all => all.map(one => one.innerHTML)")
    assert len(set(states)) == 4, "each state has a shape of its own"


async def test_a_docks_page_tells_what_each_log_was_lent_used_and_holds(people: People, zone: Place) -> None:
    page = await people.page("/nodes/dock-1", viewport=TABLET)
    row = page.locator("tr", has=page.locator("td.code", has_text="A214/1")).first
    await expect(row.locator("td.n")).to_have_text(["2,500", "750", "0", "1,750", "2,500"])
    figures = page.locator("table", has_text="Signed up to").locator("tbody tr").first
    await expect(figures.locator("td.n").first).to_have_text("7")
    await expect(figures.locator("td.late")).to_have_text("12")


async def test_open_cases_are_counted_in_every_head_and_listed_first(people: People, zone: Place) -> None:
    page = await people.page("/")
    rows = page.locator(".first-cases tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.first.locator(".badge")).to_have_text(re.compile("ALARM"))
    await expect(rows.nth(2)).to_contain_text("1,750 EA")
    for path in ("/", "/permits", "/jobs", "/movements", "/nodes", "/cases", "/backups", "/enrol", "/import"):
        await page.goto(zone.url + path)
        await expect(page.locator("#cases-count")).to_have_text("3 open")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_a_new_case_shows_on_an_open_page_and_in_its_head(people: People, zone: Place) -> None:
    page = await people.page("/cases")
    await expect(page.locator("#cases-count")).to_have_text("3 open")
    await replaced(zone.center, "dock-4")
    await expect(page.locator("#cases-count")).to_have_text("4 open")
    await expect(page.locator("main")).to_contain_text("dock-4 began log")


async def test_a_count_from_case_to_entry_by_keyboard_alone(people: People, zone: Place) -> None:
    page = await people.page("/cases", viewport=TABLET)
    before = own_seq(zone)
    link = page.locator("tr", has_text="of dock-1 were told").locator("a.act").first
    await reach(page, link)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/write-off?*")
    lost, going_on = (zone.docks[name].epoch for name in ("dock-1 before", "dock-1"))
    assert await page.is_checked(f"[name=log][value='{lost}']"), "the case's log is marked"
    assert not await page.is_checked(f"[name=log][value='{going_on}']")
    for quantity, name in (("2250", "c1"), ("0", "c2")):
        await reach(page, page.locator(f"#{name}"))
        await page.keyboard.type(quantity)
    await reach(page, page.locator("#note"))
    await page.keyboard.type("counted on the floor by two people")
    await reach(page, page.locator("#by"))
    await page.keyboard.type("A. Counter")
    await page.keyboard.press("Enter")
    follows = page.locator("#follows tbody tr")
    await expect(follows.nth(0).locator("td")).to_have_text(
        [
            "A214/1",
            "2,500",
            "2,500",
            "2,250",
            "250",
            "EA",
        ]
    )
    await expect(follows.nth(1).locator("td")).to_have_text(["W24/1", "800", "800", "0", "800", "EA"])
    await expect(page.locator(".warnings")).to_contain_text("A count that is too low lets goods out twice")
    assert own_seq(zone) == before, "a preview writes nothing"
    await reach(page, page.locator("#attest"))
    await page.keyboard.type("dock-1")
    await reach(page, page.locator("[name=out_of_service]"))
    await page.keyboard.press("Space")
    await reach(page, page.locator("button[value=write]"))
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/entry/*")
    await expect(page.locator("main")).to_contain_text("This is the entry that stands in the record now")
    await expect(page.locator("main")).to_contain_text("A. Counter")
    charged = await zone.center.people.look(
        lambda book: [book.charged(ref) for ref in sorted(book.accounts.lines)]
    )
    assert charged[:2] == [Decimal(2250), Decimal(0)]
    await page.goto(f"{zone.url}/cases")
    await expect(page.locator("#cases-count")).to_have_text("2 open")
    await expect(page.locator("main")).to_contain_text("counted dock-1, 1 log")
    await page.goto(f"{zone.url}/nodes/dock-1")
    await expect(page.locator("svg.logs")).to_contain_text("counted")


async def reach(page: Page, target: Any) -> None:
    """Go to an element by Tab alone."""
    await target.wait_for()
    for _ in range(120):
        if await target.evaluate("one => one === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError("Tab does not come to it")


async def test_a_wrong_count_is_refused_in_words_and_kept(people: People, zone: Place) -> None:
    lost = zone.docks["dock-1 before"].epoch
    page = await people.page(f"/write-off?node=dock-1&log={lost}")
    before = own_seq(zone)
    await page.click("button[value=preview]")
    await refused(page, "nothing", "a count for A214/1 such as 125", "Fill it in.")
    for wrong in ("abc", "-5", "1,000", "1e3", "NaN", "9" * 30, "١٢٥", "<b>1</b>"):
        await count(page, wrong, "0")
        await refused(page, wrong, "Write digits, with a point before decimals")
        assert await page.input_value("#c1") == wrong
    await page.uncheck(f"[name=log][value='{lost}']")
    await count(page, "2250", "0")
    await refused(page, "no log and no gap", "Mark the logs and gaps")
    await page.check(f"[name=log][value='{lost}']")
    await count(page, "2250", "0")
    await fill(page, attest="dock-2")
    await page.click("button[value=write]")
    await refused(page, "dock-2", "the dock's name, dock-1", "the box is not marked")
    assert own_seq(zone) == before + 1, "a preview writes nothing; of the act its refusal is recorded"


async def test_a_gap_is_counted_together_with_the_logs_before_it_and_can_be_counted_again(
    people: People, zone: Place
) -> None:
    before, after = (zone.docks[name].epoch for name in ("dock-2 before", "dock-2"))
    page = await people.page("/cases")
    await page.locator("tr", has_text="dock-2 began log").locator("a.act").click()
    for again in (False, True):
        await expect(page.locator(f"[name=log][value='{before}']")).to_be_checked()
        await expect(page.locator(f"[name=log][value='{after}']")).not_to_be_checked()
        await expect(page.locator(f"[name=gap][value='{after}']")).to_be_checked()
        if again:  # what was counted before is asked for
            await count(page, "250")
        else:
            await page.click("summary")
            await page.select_option("[name='other.0']", label="A214/1 (EA)")
            await page.fill("[name='taken.0']", "125")
            await count(page)
        charged = ["2,625", "2,750 overdrawn"] if again else ["2,500", "2,625 overdrawn"]
        await expect(page.locator("#follows td.n")).to_contain_text(["2,500", *charged, ""])
        await fill(page, attest="dock-2")
        await page.check("[name=out_of_service]")
        await page.click("button[value=write]")
        await page.wait_for_url("**/entry/*")
        await page.goto(f"{zone.url}/write-off?node=dock-2&log={before}&gap={after}")
    await page.goto(f"{zone.url}/write-off?node=dock-2&log={before}")
    await count(page, "0")
    await refused(page, "an earlier count speaks for", "Mark other logs")


async def test_figures_that_have_moved_since_the_preview_are_shown_again(people: People, zone: Place) -> None:
    first = zone.docks["dock-1 before"]
    page = await people.page(f"/write-off?node=dock-1&log={first.epoch}")
    await count(page, "2250", "0")
    await expect(page.locator("#follows")).to_be_visible()
    before = own_seq(zone)
    await page.locator("#c1").fill("100")
    await fill(page, attest="dock-1")
    await page.check("[name=out_of_service]")
    await page.click("button[value=write]")
    await refused(page, "figures that have moved on", "Read the figures again")
    await expect(page.locator("main")).to_contain_text("On A214/1 the record shows more than your count")
    assert own_seq(zone) == before + 1, "of the act its refusal is recorded"
    await page.click("button[value=write]")
    await page.wait_for_url("**/entry/*")


async def test_a_retired_dock_is_believed_no_more(people: People, zone: Place) -> None:
    page = await people.page("/nodes/dock-2")
    await page.click("text=Retire this dock for good")
    await expect(page.locator("[name=gap]")).to_be_checked()
    await count(page)
    await expect(page.locator(".warnings")).to_contain_text("2 keys of this dock are revoked")
    await fill(page, attest="dock-2")
    await page.check("[name=out_of_service]")
    await page.click("button[value=write]")
    await page.wait_for_url("**/entry/*")
    await page.goto(f"{zone.url}/nodes")
    await expect(page.locator("section.dock", has_text="dock-2").locator("h2")).to_contain_text("retired")
    gone = zone.docks["dock-2"]
    gone.move()
    gone.code = None
    with pytest.raises(Denied):
        await gone.talk(zone.center)


async def test_a_dock_is_let_in_by_a_code_that_is_shown_once(people: People, zone: Place) -> None:
    page = await people.page("/enrol")
    await fill(page, node="Dock 6!", by="S. Visor")
    await page.click("main button")
    await refused(page, "a-z, 0-9")
    assert await page.input_value("[name=node]") == "Dock 6!"
    await fill(page, node="dock-6")
    await page.click("main button")
    code = await page.locator(".one-time").inner_text()
    assert re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){4}", code)
    await page.goto(f"{zone.url}/enrol")
    waiting = page.locator("table", has_text="Ends").locator("tbody tr")
    await expect(waiting).to_have_count(2)  # dock-5 and dock-6
    await expect(page.locator("main")).to_contain_text("dock-6")
    assert code not in await page.content()
    dock = Dock("dock-6")
    dock.code = code
    await dock.talk(zone.center)
    await page.reload()
    await expect(waiting).to_have_count(1)


async def test_a_movement_is_disputed_and_decided(people: People, zone: Place) -> None:
    page = await people.page("/movements")
    row = page.locator("tbody tr", has_text="dock-4-in")
    await row.locator("text=object").click()
    await expect(page.locator("main")).to_contain_text("admission at dock-4")
    await page.click("main button")
    await refused(page, "What is wrong: 1 to 500 characters", "Your name: 1 to 80 characters")
    await fill(page, reason="the pallet still stands outside", by="S. Visor")
    await page.click("main button")
    await page.wait_for_url("**/entry/*")
    await page.goto(f"{zone.url}/cases")
    case = page.locator("tbody tr", has_text="the pallet still stands outside")
    await case.locator("a.act", has_text="Decide").click()
    await expect(page.locator("main")).to_contain_text("the pallet still stands outside")
    await fill(page, note="it was moved in at noon", by="S. Visor")
    await page.click("main button")
    await refused(page, "nothing", "The movement")
    await page.select_option("[name=decision]", "stands")
    await page.click("main button")
    await page.wait_for_url("**/entry/*")
    await page.goto(f"{zone.url}/cases")
    await expect(page.locator("#cases-count")).to_have_text("3 open")
    await expect(page.locator("main")).to_contain_text("it was moved in at noon")


async def test_a_settled_case_stays_with_who_and_when_and_hostile_words_stay_text(
    people: People, zone: Place
) -> None:
    page = await people.page("/cases")
    await page.locator("tbody tr", has_text="ALARM").locator("a.act", has_text="Settle").click()
    await expect(page.locator("main")).to_contain_text("Two different entries were shown")
    words = "<img src=x onerror=alert(1)> " + "w" * 400
    await fill(page, note=words + "w" * 200, by="<b>S</b>")
    await page.click("main button")
    await refused(page, "characters", "Shorten it.")
    await fill(page, note=words, by="<b>S</b>")
    await page.click("main button")
    await page.wait_for_url("**/entry/*")
    await page.goto(f"{zone.url}/cases")
    ended = page.locator("table", has_text="Who").locator("tbody tr").first
    await expect(ended).to_contain_text("<b>S</b>")
    await expect(ended).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(page.locator("#cases-count")).to_have_text("2 open")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_a_dock_says_of_itself_stays_text(people: People, zone: Place) -> None:
    line = '<script>alert(1)</script>"/' + "9" * 60
    dock = await enter(zone.center, "dock-7", reason="<script>alert(2)</script>" + "x" * 500)
    dock.move(use=Use(line, "<b>1</b>", Decimal(5)))
    deep = dock.add_bytes("alarm", "zonegate.alarm.v1", b"[" * 900 + b"]" * 900)
    wide = dock.add_bytes("alarm", "zonegate.alarm.v1", b'{"<i>":"' + b"y" * 5000 + b'"}')
    await dock.talk(zone.center)
    await replaced(zone.center, "dock-7")
    page = await people.page("/nodes/dock-7")
    await expect(page.locator("main")).to_contain_text(line)
    await expect(page.locator("main")).to_contain_text("<script>alert(2)</script>")
    paths = ["/nodes", "/cases", "/write-off?node=dock-7", "/nodes/%3Cb%3Ex", "/settle?case=%3Cb%3E"]
    for path in (*paths, f"/entry/{deep}", f"/entry/{wide}"):
        await page.goto(zone.url + path)
        assert await page.locator("main script, main i").count() == 0, path
        assert "the center could not do this" not in await page.inner_text("main"), path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_a_key_is_revoked_and_a_backup_forgotten(people: People, zone: Place) -> None:
    fourth = zone.docks["dock-4"]
    await zone.center.people.note_backup(NoteBackup("sunday", (fourth.place(2),), "backup"))
    page = await people.page("/backups")
    await expect(page.locator("main")).to_contain_text(f"log {fourth.epoch[:8]} up to number 2")
    await page.click("text=It was destroyed")
    await fill(page, by="S. Visor")
    await page.click("main button")
    await page.wait_for_url("**/entry/*")
    await page.goto(f"{zone.url}/backups")
    await expect(page.locator("tbody tr", has_text="sunday").first).to_contain_text("destroyed")
    await page.goto(f"{zone.url}/nodes/dock-4")
    await page.click("text=Believe its keys no more")
    await fill(page, reason="the disk was stolen", by="S. Visor")
    await page.click("main button")
    await page.wait_for_url("**/entry/*")
    fourth.move()
    fourth.code = None
    with pytest.raises(Denied):
        await fourth.talk(zone.center)
    await page.goto(f"{zone.url}/nodes/dock-4")
    await expect(page.locator("main")).to_contain_text("revoked")


async def test_without_the_token_every_form_is_read_only(people: People, zone: Place) -> None:
    page = await people.page("/write-off?node=dock-1", token=False)
    before = own_seq(zone)
    for path in (
        "/write-off?node=dock-1",
        "/retire?node=dock-1",
        "/enrol",
        "/revoke?node=dock-1",
        "/dispute",
    ):
        await page.goto(zone.url + path)
        await expect(page.locator("main form")).to_have_count(0)
        await expect(page.locator("main")).to_contain_text("This takes the center's token.")
    answer = await page.request.post(f"{zone.url}/enrol", form={"node": "dock-8", "by": "x"})
    assert answer.status == 401
    assert own_seq(zone) == before
    await page.goto(f"{zone.url}/retire?node=dock-1")
    await page.click("main p.empty a")
    await page.fill("#token", zone.token)
    await page.click("main button")
    await page.wait_for_url("**/retire?node=dock-1")
    await expect(page.locator("main form")).to_have_count(1)
    answer = await page.request.post(
        f"{zone.url}/enrol", form={"node": "dock-8", "by": "x"}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status == 403, "another site's page cannot act by this browser's cookie"
    assert own_seq(zone) == before


async def test_after_a_center_restore_the_page_says_who_is_missing_until_nobody_is(
    browser: Browser, postgres: str, tmp_path: Path
) -> None:
    center = await open_center(postgres, tmp_path / "center")
    docks = [await enter(center, node) for node in ("dock-1", "dock-2")]
    await center.close()
    center = await open_center(postgres, tmp_path / "another folder")
    access = Access(tmp_path / "another folder")
    async with serving(make_app(center, access), "127.0.0.1:0") as url:
        people = People(browser, Place(center, url, access.made or "", {}))
        page = await people.page("/")
        await expect(page.locator(".strip")).to_contain_text("Nothing is lent to docks now.")
        await page.click(".strip a")
        roll = page.locator("#roll")
        await expect(roll).to_contain_text("The roll call does not hold")
        await expect(roll.locator("tbody tr")).to_have_count(3)
        await expect(page.locator("svg.logs").first).to_contain_text("more may exist")
        await roll.locator("text=Say which docks there are").last.click()
        assert await page.input_value("[name=nodes]") == "dock-1\ndock-2"
        await fill(page, by="S. Visor")
        await page.click("main button")
        await page.wait_for_url("**/entry/*")
        await page.goto(f"{url}/nodes")
        await expect(roll.locator("tbody tr")).to_have_count(2)
        for dock in docks:
            await hear(center, dock)
        await expect(roll).to_contain_text("every dock has been accounted for since")
        await expect(page.locator("svg.logs").first).to_contain_text("none missing")
        await expect(page.locator(".strip")).to_have_count(0)
        await people.close()
    await center.close()
