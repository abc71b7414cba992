# SPDX-License-Identifier: Apache-2.0
"""Where goods stand, in a real browser: a location is declared, loads are put away by a scanned list, and
locations, loads, lots and the search lead to each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import expect

from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from tests.browser.test_ledger_pages import _picture, center, moved, open_page
from tests.central.dock import SSCC

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

__all__ = ["center"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNKNOWN = "095219990000000020"


async def fill(page: Page, button: str, **values: str) -> None:
    for name, text in values.items():
        await page.locator(f"main [name={name}]").fill(text)
    await page.get_by_role("button", name=button).click()


async def test_loads_are_put_away_by_a_scanned_list_and_found_where_they_stand(
    browser: Browser,
    center: Central,
    tmp_path: Path,
) -> None:
    await moved(center)
    access = Access(tmp_path)
    async with serving(make_app(center, access), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/login?back=/locations")
        await page.locator("[name=token]").fill(access.made or "")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody tr")).to_contain_text("was not put away")
        await page.get_by_role("link", name="Declare a location").click()
        await fill(page, "Declare it", name="=1+1", by="anna")
        await expect(page.get_by_role("alert")).to_contain_text("cannot be a location's name")
        await fill(page, "Declare it", name="A-01/3", description="aisle 1, level 3", by="anna")
        await expect(page.locator("main")).to_contain_text("A-01/3")

        await page.goto(f"{url}/put-away")
        await _picture(page, "put-away")
        await fill(page, "Put them away", scanned=f"A-01/3\n{SSCC[:-1]}4", by="anna")
        await expect(page.get_by_role("alert")).to_contain_text("its check digit would be")
        await fill(page, "Put them away", scanned=f"A-01/3\n/00/{SSCC}\n{UNKNOWN}\n", by="anna")
        await expect(page).to_have_url(f"{url}/entry/{page.url.rpartition('/')[2]}")

        await page.goto(f"{url}/locations")
        row = page.locator("tbody tr", has_text="A-01/3")
        await expect(row).to_contain_text("aisle 1, level 3")
        await _picture(page, "locations")
        await row.get_by_role("link").click()
        await expect(page.locator("tbody tr")).to_contain_text("A214/1")
        await expect(page.locator("tbody tr")).to_contain_text("75 EA")
        await _picture(page, "location")
        await page.locator("tbody tr").get_by_role("link", name=SSCC).click()
        await expect(page.locator("h1")).to_contain_text(SSCC)
        await expect(page.locator("table").last.locator("tbody tr")).to_have_count(3)
        await expect(page.locator("table").last.locator("tbody tr").nth(0)).to_contain_text("125 EA")
        await page.goto(f"{page.url}?known_on=2000-01-01")
        await expect(page.locator("main")).to_contain_text("Nothing that was known then moved it")
        await _picture(page, "load")
        await page.goto(f"{url}/lots?location=A-01/3")
        await expect(page.locator("table").last.locator("tbody tr")).to_contain_text("75 A-01/3")
        await _picture(page, "lots-at")
        await page.get_by_role("link", name="A214/1").click()
        await expect(page.locator("main")).to_contain_text("Moved within the zone")
        await _picture(page, "lot-places")
        await page.locator("header [name=q]").fill("a-01")
        await page.locator("header [name=q]").press("Enter")
        await page.get_by_role("link", name="A-01/3").click()
        await expect(page.locator("h1")).to_contain_text("A-01/3")
        await page.goto(f"{url}/cases")
        await expect(page.locator("main")).to_contain_text("the books know of no such load")
        await page.context.close()
