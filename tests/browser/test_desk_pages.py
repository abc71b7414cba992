# SPDX-License-Identifier: Apache-2.0
"""The pages for people at a desk, in a real browser."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import Page, Route, expect

from edge.view import HoldView, LinkView
from edge.web.scanner_check import TEST_TEXT
from tests.browser.screen import GS, Keys, Screens
from tests.edge.web.fake_desk import FakeDesk
from tests.edge.web.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


async def test_the_supervisor_signs_in_and_decides_a_hold(screens: Screens, desk: FakeDesk) -> None:
    desk.hold("hold-1")
    desk.hold("hold-2", HOSTILE)
    page = await screens.supervisor()
    await expect(page.locator(".who")).to_have_text("supervisor Ann")
    card = page.locator("[data-hold=hold-1]")
    await card.locator("[name=note]").fill("belongs to the next truck")
    await card.locator("[name=note]").press("Enter")
    await card.get_by_role("button", name="Refuse: it goes back").click()
    await expect(card).to_have_count(0)
    await expect(page.locator("[data-live=holds-n]")).to_have_text("1")
    await expect(page.locator("[data-hold=hold-2] code")).to_have_text(HOSTILE)
    assert desk.acts == [("decide", "hold-1", "refused", "belongs to the next truck", "supervisor Ann", None)]


async def test_a_deposit_takes_the_quantity(screens: Screens, desk: FakeDesk) -> None:
    desk.hold("hold-1")
    page = await screens.supervisor()
    card = page.locator("[data-hold=hold-1]")
    await card.get_by_role("button", name="Deposit: into suspense").click()
    await expect(card.locator(".fault")).to_contain_text("how many are there?")
    await card.locator("[name=quantity]").fill("25")
    await card.get_by_role("button", name="Deposit: into suspense").click()
    await expect(card).to_have_count(0)
    assert desk.acts == [("decide", "hold-1", "deposit", "", "supervisor Ann", "25")]


async def test_what_was_refused_stays_told_though_the_dock_has_not_spoken_yet(
    screens: Screens, desk: FakeDesk
) -> None:
    """The page draws itself anew after the act, for the first time."""
    desk.hold("hold-1")
    page = await screens.supervisor()
    await page.route("**/events", lambda route: route.abort())
    await page.reload()
    desk.hold("hold-2")
    card = page.locator("[data-hold=hold-1]")
    await card.get_by_role("button", name="Deposit: into suspense").click()
    await expect(page.locator("[data-hold]")).to_have_count(2)
    assert "how many are there?" in await card.locator(".fault").inner_text()


async def test_what_is_being_typed_survives_what_happens_meanwhile(screens: Screens, desk: FakeDesk) -> None:
    desk.hold("hold-1")
    page = await screens.supervisor()
    note = page.locator("[data-hold=hold-1] [name=note]")
    await note.fill("half a sen")
    await page.locator("details summary").click()
    desk.hold("hold-2")
    desk.say("in1", "STOP")
    desk.jobs[0] = desk.jobs[1]
    await expect(page.locator("[data-hold]")).to_have_count(2)
    await expect(page.locator(".door.v-STOP")).to_contain_text("Take it back.")
    await expect(note).to_have_value("half a sen")
    assert await page.locator("[data-live=doors] .door").count() == 2


async def test_the_page_is_live_and_says_when_it_is_not(screens: Screens, site: Site, desk: FakeDesk) -> None:
    page = await screens.supervisor()
    await expect(page.locator("#lost")).to_be_hidden()
    desk.say("out1", "ACCEPTED", counted=12)
    await expect(page.locator(".door").first).to_contain_text("12 of 24")
    desk.links[0] = LinkView("center", "Down", 14, "Not reached.", None)
    desk.tell("")
    await expect(page.locator("[data-live=links]")).to_contain_text("Down")
    await expect(page.locator(".banner").last).to_contain_text("14 entries wait here")
    await site.stop()
    await expect(page.locator("#lost")).to_be_visible()


async def test_a_refused_decision_and_a_lost_one_are_told_in_place(
    screens: Screens, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hold("hold-1")
    decide = desk.decide

    async def too_late(*words: Any) -> HoldView:
        """Meanwhile something else can be decided."""
        desk.holds[0] = msgspec.structs.replace(desk.holds[0], choices=("wait",))
        return await decide(*words)

    monkeypatch.setattr(desk, "decide", too_late)
    page = await screens.supervisor()
    card = page.locator("[data-hold=hold-1]")
    await card.get_by_role("button", name="Refuse: it goes back").click()
    await expect(page.locator("[data-hold=hold-1]")).to_contain_text("Wait")
    assert desk.acts == []

    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/api/v1/holds/*", refuse)
    await page.get_by_role("button", name="Wait").click()
    await expect(page.locator("[data-hold] .fault")).to_contain_text("No answer from the dock.")


async def test_trucks_are_opened_and_closed_by_the_supervisor(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.supervisor()
    await page.get_by_role("button", name="Close").click()
    await expect(page.locator("[data-live=jobs] tr").first).to_contain_text("Closed")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await page.get_by_role("button", name="Open").click()
    await expect(page.locator("[data-live=jobs] tr").last).to_contain_text("Open")
    assert [act[0] for act in desk.acts] == ["close", "open"]


async def test_a_scan_on_the_status_page_looks_the_load_up(screens: Screens, desk: FakeDesk) -> None:
    desk.hold("hold-1")
    page = await screens.supervisor()
    note = page.locator("[data-hold=hold-1] [name=note]")
    await note.fill("seen by ")
    await note.focus()
    await Keys(page).scan("095219990000000013")
    await page.wait_for_url("**/search?q=095219990000000013")
    await expect(page.locator("[data-live=story]")).to_contain_text("125 EA TOOL-12 left")
    assert desk.scans == []
    assert desk.acts == []


async def test_a_token_can_be_scanned(screens: Screens, site: Site) -> None:
    page = await screens.page()
    await page.goto(f"{site.url}/login")
    await Keys(page).scan(site.tokens["door.in1"])
    await page.wait_for_url("**/door/in1")


async def test_the_token_of_a_link_leaves_no_trace(screens: Screens, site: Site) -> None:
    page = await screens.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site.url}/login#{site.tokens['door.in1']}")
    await page.wait_for_url("**/door/in1")
    secret = site.tokens["door.in1"].rpartition(".")[2]
    assert not any(secret in url for url in asked)
    assert secret not in await page.evaluate(
        "JSON.stringify([location.href, document.cookie, {...localStorage}])"
    )


async def findings(page: Page) -> str:
    await expect(page.locator("#findings li")).to_have_count(3)
    return " ".join(await page.locator("#findings li.wrong").all_text_contents())


@pytest.mark.parametrize("gs", ["ctrl", "alt"])
async def test_the_scanner_page_finds_a_good_scanner_good(screens: Screens, gs: str) -> None:
    page = await screens.page()
    await page.goto(f"{screens.site.url}/setup/scanner")
    await Keys(page, gs=gs).scan("]C1" + TEST_TEXT)
    assert await findings(page) == ""
    await expect(page.locator("#came")).to_contain_text("<GS>")


@pytest.mark.parametrize(
    ("code", "suffix", "told"),
    [
        (TEST_TEXT.replace(GS, ""), "Enter", "The group separator (GS) is lost"),
        (TEST_TEXT, "", "The suffix is missing"),
        (TEST_TEXT.swapcase(), "Enter", "Caps Lock"),
        (TEST_TEXT.translate(str.maketrans("zyZY-/:_?;", "yzYZß-Ö?_ö")), "Enter", "German"),
    ],
)
async def test_the_scanner_page_tells_what_to_set(
    screens: Screens, code: str, suffix: str, told: str
) -> None:
    page = await screens.page()
    await page.goto(f"{screens.site.url}/setup/scanner")
    await Keys(page).scan(code, suffix)
    assert told in await findings(page)


@pytest.mark.parametrize("path", ["/", "/inventory", "/search?q=0952", "/setup/scanner", "/login"])
async def test_no_page_scrolls_sideways(screens: Screens, desk: FakeDesk, path: str) -> None:
    desk.hold("hold-1", "x" * 500)
    page = await screens.supervisor(path)
    for width in (1440, 800, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


async def test_the_supervisor_reads_the_record_and_changes_the_key(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.supervisor()
    leases = page.locator("[data-live=leases] tr")
    await expect(leases.first).to_contain_text("125 at dock-b")
    await expect(leases.last).to_contain_text("used up")
    epochs = page.locator("[data-live=epochs] tr")
    await expect(epochs.first).to_contain_text("current")
    await expect(epochs.first).to_contain_text("key changed")
    await expect(page.locator("[data-live=record]")).to_contain_text("Lies ready")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await epochs.first.get_by_role("button", name="Change key").click()
    await expect(epochs.first.locator(".fault")).to_have_text("")
    assert desk.acts == [("rotate", "supervisor Ann")]
