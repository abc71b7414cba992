# SPDX-License-Identifier: Apache-2.0
"""The ledger's pages in a real browser: goods by status, lots at any time, a lot's story, search."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import expect

from central.bookkeeping import Adjust
from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from customs.documents import Status
from customs.imports import Upload
from edge.anchor import Anchor
from edge.clock import system_clocks
from sync.bodies import Use
from tests.central.dock import GTIN, SSCC, Dock
from tests.central.tables import customs_data
from tests.central.test_correcting import made as reported
from tests.central.test_tracing import made_skids
from tests.central.test_works import MADE, supplied

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_MS_MAX = 15_000
PAPERS = Path(__file__).parents[1] / "central" / "papers.json"
NOW = datetime.now(UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def center(postgres: str, tmp_path: Path) -> AsyncIterator[Central]:
    opened = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), system_clocks())
    yield opened
    await opened.close()


async def open_page(browser: Browser, url: str) -> Page:
    context = await browser.new_context(viewport={"width": 1400, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS_MAX)
    await page.goto(url)
    return page


async def moved(center: Central) -> str:
    """Goods that came, went and were counted short; their papers. The id of their admission."""
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    await center.import_files([Upload("week.json", PAPERS.read_bytes())], "compliance")
    came = dock.move(use=Use("A214", "1", Decimal(125)), occurred_at=NOW - timedelta(days=3))
    dock.move("withdrawal", "50", Use("W24", "1", Decimal(50)), occurred_at=NOW - timedelta(days=1))
    await dock.talk(center)
    await center.projector.catch_up()
    count = Adjust(
        "C-1", "Example User", GTIN, Status.NPF, Decimal(-5), "counted", "compliance", lot="A214/1"
    )
    await center.bookkeeping.adjust(count)
    await center.projector.catch_up()
    await center.import_files(
        [
            Upload(f"{name}.json", json.dumps({"table": name, "rows": [row]}).encode())
            for name, row in customs_data().items()
        ],
        "compliance",
    )
    return came


async def test_goods_lots_story_entry_and_search_lead_to_each_other_at_any_time(
    browser: Browser, center: Central, tmp_path: Path
) -> None:
    came = await moved(center)
    async with serving(make_app(center, Access(tmp_path)), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/lots")
        goods, lots = page.locator("table").nth(0), page.locator("table").nth(1)
        await expect(goods.locator("tbody tr")).to_contain_text(GTIN)
        await expect(goods.locator("tbody tr b")).to_have_text("70")
        await _picture(page, "lots")
        await expect(lots.locator("tbody tr b")).to_have_text("70")

        before = (NOW - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        await page.locator("[name=as_of]").fill(before)
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator("table").nth(1).locator("tbody tr b")).to_have_text("125")
        await page.locator("[name=known_on]").fill(before)
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator(".empty")).to_contain_text("No lot was in the zone's hands then")

        await page.goto(f"{url}/lots")
        await page.get_by_role("link", name="A214/1").click()
        await expect(page.locator("h1")).to_contain_text("A214/1")
        await expect(page.locator("svg.stair")).to_be_visible()
        rows = page.locator("table").last.locator("tbody tr")
        await expect(rows).to_have_count(3)
        await expect(rows.nth(2)).to_contain_text("adjusted by count")
        await expect(page.locator("table.facts")).to_contain_text("HTSUS 8205")
        await expect(rows.nth(1)).to_contain_text("entered commerce")
        await _picture(page, "lot")
        await rows.nth(0).get_by_role("link", name="admission").click()
        await expect(page).to_have_url(f"{url}/entry/{came}")

        await page.locator("header [name=q]").fill("A214")
        await page.locator("header [name=q]").press("Enter")
        await expect(page.get_by_role("link", name="A214/1")).to_be_visible()
        await _picture(page, "search")
        await page.locator("header [name=q]").fill(SSCC)
        await page.locator("header [name=q]").press("Enter")
        await expect(page.locator("main li")).to_have_count(2)
        await page.goto(f"{url}/lots/no-such/1")
        await expect(page.locator("main")).to_contain_text("no lot")
        await page.goto(f"{url}/lots?as_of=yesterday")
        await expect(page.locator("main")).to_contain_text("which is no time")
        await page.context.close()


@pytest.mark.parametrize(("width", "lines"), [(1400, 1), (800, 2)])
async def test_the_sections_stand_in_few_lines_and_groups_stay_together(
    browser: Browser, center: Central, tmp_path: Path, width: int, lines: int
) -> None:
    async with serving(make_app(center, Access(tmp_path)), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/orders")
        await page.set_viewport_size({"width": width, "height": 900})
        groups = await page.locator("nav span").all()
        tops = [
            {await link.evaluate("one => one.offsetTop") for link in await group.locator("a").all()}
            for group in groups
        ]
        assert len(tops) == 3 and all(len(one) == 1 for one in tops)
        assert len(set.union(*tops)) == lines
        await expect(page.locator("nav [aria-current]")).to_have_text("Orders")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.context.close()


async def test_products_show_their_law_and_costs_their_every_figure(
    browser: Browser, center: Central, tmp_path: Path
) -> None:
    await moved(center)
    async with serving(make_app(center, Access(tmp_path)), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/products?on=2026-06-08")
        await expect(page.locator("main")).to_contain_text("0.03 USD/NO + 5 %")
        await expect(page.locator(".marked").first).to_have_text("example")
        await page.get_by_role("link", name="What would it cost").click()
        await page.locator("[name=quantity]").fill("50")
        await page.locator("[name=on]").fill("2026-06-08")
        await page.get_by_role("button", name="Ask").click()
        await expect(page.locator("#total")).to_have_text("65.08")  # 1.50 + 30.00, and the least fee, 33.58
        await _picture(page, "cost")
        await page.locator("[name=on]").fill("2027-06-08")
        await page.get_by_role("button", name="Ask").click()
        await expect(page.locator(".refused")).to_contain_text("FY2027")
        await page.locator("[name=on]").fill("2026-06-08")
        await page.locator("[name=to]").select_option("shortage")
        await page.get_by_role("button", name="Ask").click()
        await expect(page.locator("[role=status].taken")).to_contain_text("no report is due")
        await page.context.close()


async def test_a_lot_is_followed_both_ways_from_its_story(
    browser: Browser, center: Central, tmp_path: Path
) -> None:
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    await made_skids(center, await supplied(center, dock), dock)
    async with serving(make_app(center, Access(tmp_path)), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/lots/A214/1")
        await page.get_by_role("link", name="all that it went into").click()
        into = page.locator("table").first.locator("tbody tr")
        await expect(into).to_have_count(4)
        await expect(into.nth(2)).to_contain_text("WO-SKID-1")
        await expect(into.nth(2)).to_contain_text("14 EA entered commerce on W30/1, with 14 EA of A214/1")
        await expect(page.locator("main")).to_contain_text("It is made of no other lot")
        await _picture(page, "trace")
        await page.get_by_role("link", name="WO-SKID-2").first.click()
        await page.get_by_role("link", name="all that it went into").click()
        of = page.locator("table").last.locator("tbody tr")
        await expect(of).to_have_count(2)
        await expect(of.nth(0)).to_contain_text("work order W1")
        await expect(of.nth(1)).to_contain_text("A214/1")
        await _picture(page, "trace-back")
        await page.context.close()


async def test_a_wrong_report_is_put_right_on_its_orders_page(
    browser: Browser, center: Central, tmp_path: Path
) -> None:
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    await reported(await supplied(center, dock))
    access = Access(tmp_path)
    async with serving(make_app(center, access), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/login?back=/orders")
        await page.locator("[name=token]").fill(access.made or "")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="W1", exact=True).click()
        await page.locator("[name=made]").fill(f"{MADE}")
        await page.locator("[name=by]").fill("Dana")
        await page.locator("[name=note]").fill("counted again")
        await page.get_by_role("button", name="Correct the report").click()
        await expect(page.locator(".faults")).to_contain_text("LOAD=QUANTITY")
        await page.locator("[name=made]").fill(f"{MADE}=45")
        await _picture(page, "order")
        await page.get_by_role("button", name="Correct the report").click()
        await expect(page.locator("main")).to_contain_text("corrected")
        await page.goto(f"{url}/orders/W1")
        await expect(page.locator("table").first).to_contain_text("45 EA as lot WO-W1")
        await expect(page.locator("[name=made]")).to_have_value(f"{MADE}=45")
        await _picture(page, "order-corrected")
        await page.context.close()


async def _picture(page: Page, name: str) -> None:
    """Keep what is shown, where a person asked for pictures."""
    folder = os.environ.get("ZONEGATE_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")
