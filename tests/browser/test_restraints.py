# SPDX-License-Identifier: Apache-2.0
"""A real center suspends the zone and holds goods by its pages; the screens of a real node's doors say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import expect

from central.service import Central
from customs.imports import Upload
from tests.integration.real_zone import Node, open_center, open_node

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAPERS = Path(__file__).parents[1] / "central" / "papers.json"
WAIT_MS_MAX = 20_000


@dataclass
class Zone:
    """A center and its dock, and pages of both."""

    center: Central
    url: str
    token: str
    node: Node
    browser: Browser

    async def page(self) -> Page:
        page = await (await self.browser.new_context()).new_page()
        page.set_default_timeout(WAIT_MS_MAX)
        return page

    async def office(self) -> Page:
        """The center's pages, signed in."""
        page = await self.page()
        await page.goto(f"{self.url}/login")
        await page.fill("[name=token]", self.token)
        await page.click("main button")
        await page.wait_for_url(f"{self.url}/")
        return page

    async def door(self, door: str) -> Page:
        page = await self.page()
        await page.goto(f"{self.node.url}/login#{self.node.tokens[f'door.{door}']}")
        await page.wait_for_url(f"**/door/{door}")
        await expect(page.locator("body")).to_have_attribute("data-state", "READY", timeout=WAIT_MS_MAX)
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def zone(postgres: str, tmp_path: Path, browser: Browser) -> AsyncIterator[Zone]:
    async with open_center(postgres, tmp_path / "center") as (center, url, token):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await center.import_files([Upload("week.json", PAPERS.read_bytes())], "compliance")
            await node.until(lambda: "T-1" in node.service.dock.books.state.conveyances)
            made = Zone(center, url, token, node, browser)
            yield made
            for context in browser.contexts:
                await context.close()


async def says(page: Page, state: str, sentence: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", state, timeout=WAIT_MS_MAX)
    await expect(page.locator("#sentence")).to_have_text(sentence, timeout=WAIT_MS_MAX)


async def test_both_doors_turn_to_stop_without_a_scan_and_back_to_ready(zone: Zone) -> None:
    screens = [await zone.door("dock-1-in"), await zone.door("dock-1-out")]
    office = await zone.office()
    await office.goto(f"{zone.url}/holds")
    await office.get_by_role("link", name="Suspend the zone").click()
    await office.fill("[name=reason]", "fire inspection")
    await office.fill("[name=by]", "Dana")
    await office.get_by_role("button", name="Suspend the zone").click()
    await office.wait_for_url("**/entry/**")
    await expect(office.locator(".strip")).to_contain_text("The zone is suspended.")

    for screen in screens:
        await says(screen, "STOP", "The zone is suspended.")
        await expect(screen.locator("#step")).to_have_text("Nothing may pass. Call the supervisor.")
        await expect(screen.locator("#what")).to_contain_text("fire inspection")

    status = await zone.page()
    await status.goto(f"{zone.node.url}/login")
    await status.fill("[name=token]", zone.node.tokens["supervisor"])
    await status.fill("[name=person]", "Ann")
    await status.click("#sign button")
    await expect(status.locator("[data-key=suspended]")).to_contain_text("fire inspection")

    await office.goto(f"{zone.url}/cases")
    await office.get_by_role("link", name="Resume the zone").click()
    await office.fill("[name=note]", "nothing was found")
    await office.fill("[name=by]", "Dana")
    await office.get_by_role("button", name="Resume the zone").click()
    await office.wait_for_url("**/entry/**")
    await expect(office.locator(".strip")).to_have_count(0)
    for screen in screens:
        await says(screen, "READY", "No truck is open.")
    await expect(status.locator("[data-key=suspended]")).to_have_count(0)


async def test_goods_are_held_and_let_go_by_the_page(zone: Zone) -> None:
    office = await zone.office()
    await office.goto(f"{zone.url}/hold")
    await office.select_option("[name=kind]", "agency")
    await office.fill("[name=gtin]", "123")
    await office.fill("[name=reason]", "exam <notice>")
    await office.fill("[name=by]", "Dana")
    await office.get_by_role("button", name="Hold them").click()
    await expect(office.locator("main")).to_contain_text("'123' is no GTIN")
    assert await office.input_value("[name=reason]") == "exam <notice>", "what was entered stays"
    await office.fill("[name=gtin]", "09521999001058")
    await office.get_by_role("button", name="Hold them").click()
    await office.wait_for_url("**/entry/**")
    restraints = zone.node.service.dock.books.state
    await zone.node.until(lambda: bool(restraints.restraints.holds))

    await office.goto(f"{zone.url}/holds")
    await expect(office.locator("main table")).to_contain_text("exam <notice>")
    await office.get_by_role("link", name="Lift").click()
    await office.fill("[name=note]", "released")
    await office.fill("[name=by]", "Dana")
    await office.get_by_role("button", name="Lift the hold").click()
    await office.wait_for_url("**/entry/**")
    await zone.node.until(lambda: not restraints.restraints.holds)
    await office.goto(f"{zone.url}/holds")
    await expect(office.locator("main")).to_contain_text("No goods are held.")
    await expect(office.locator("main table")).to_contain_text("Customs held product 09521999001058")
