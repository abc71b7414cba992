# SPDX-License-Identifier: Apache-2.0
"""What waits, in a real browser: a load in suspense is admitted from its row, a pick-up told and undone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from msgspec.structs import replace
from playwright.async_api import expect

from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from customs.documents import Status
from sync.bodies import LoadFacts
from tests.browser.test_ledger_pages import _picture, center, open_page
from tests.browser.test_location_pages import fill
from tests.central.dock import GTIN, SSCC, Dock
from tests.central.ledger_zone import OWNER, permit

if TYPE_CHECKING:
    from playwright.async_api import Browser

__all__ = ["center"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def deposited(center: Central) -> None:
    """A load in suspense, and a permit that covers it."""
    papers = [permit("A215", "admission", GTIN), permit("DD-1", "direct-delivery", GTIN)]
    lines = [replace(one, lines=(replace(one.lines[0], quantity=Decimal(75)),)) for one in papers]
    await center.people.act(lambda _: [("permit", one) for one in lines])
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    suspense = Status.SUSPENSE
    facts = LoadFacts(f"/00/{SSCC}", SSCC, GTIN, unit="EA", owner=OWNER, status=suspense)
    dock.move("admission", "40", load=facts, status=suspense, reason="temporary-deposit")
    await dock.talk(center)
    await center.projector.catch_up()


async def test_what_waits_is_admitted_from_its_page(
    browser: Browser, center: Central, tmp_path: Path
) -> None:
    await deposited(center)
    access = Access(tmp_path)
    async with serving(make_app(center, access), "127.0.0.1:0") as url:
        page = await open_page(browser, f"{url}/login?back=/waiting")
        await page.locator("[name=token]").fill(access.made or "")
        await page.get_by_role("button", name="Sign in").click()
        row = page.locator("tbody tr")
        await expect(row).to_contain_text(SSCC)
        await page.get_by_role("link", name="Goods were picked up").click()
        await fill(page, "They were picked up", document="DD-1", goods="1 30", approval="PD 7")
        await expect(page.get_by_role("alert")).to_contain_text(
            "They are known well in advance and stable: yes or no"
        )
        for name in ("owned", "stable"):
            await page.locator(f"[name={name}]").select_option("true")
        await page.locator("[name=examined]").select_option("false")
        await _picture(page, "pick-up")
        await fill(page, "They were picked up", note="fetched", by="anna")
        await page.goto(f"{url}/waiting")
        await expect(page.locator("table")).to_have_count(2)
        await _picture(page, "waiting")
        await page.get_by_role("link", name="admit", exact=True).click()
        await expect(page.locator("[name=loads]")).to_have_value(f"/00/{SSCC}")
        await fill(page, "Admit them", document="A215", line="9", note="papers came", by="anna")
        await expect(page.get_by_role("alert")).to_contain_text("Its lines are 1")
        await fill(page, "Admit them", line="1")
        await page.goto(f"{url}/waiting")
        await expect(page.locator("main")).to_contain_text("Nothing is in suspense")
        await page.goto(f"{url}/lots/A215/1")
        await expect(page.locator("main")).to_contain_text("SUSPENSE-")
        await _picture(page, "admitted")
        await page.goto(f"{url}/waiting")
        await page.get_by_role("link", name="never was").click()
        await fill(page, "It never was", note="the carrier did", by="anna")
        await page.goto(f"{url}/waiting")
        await expect(page.locator("main")).to_contain_text("Nothing is on its way")
        await page.context.close()
