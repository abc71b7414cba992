# SPDX-License-Identifier: Apache-2.0
"""The import page in a real browser: tables go in, every fault comes back, a long import tells how far."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import expect

from central.intake import Told
from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from edge.anchor import Anchor
from edge.clock import system_clocks
from tests.customs.tables.examples import ROWS, as_csv

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_MS_MAX = 15_000
FIRST = ROWS["program"][0]


@pytest_asyncio.fixture(loop_scope="session")
async def center(postgres: str, tmp_path: Path) -> AsyncIterator[Central]:
    opened = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), system_clocks())
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, center: Central, tmp_path: Path) -> AsyncIterator[Page]:
    """The import page of a person who has signed in."""
    access = Access(tmp_path)
    async with serving(make_app(center, access), "127.0.0.1:0") as url:
        context = await browser.new_context()
        opened = await context.new_page()
        opened.set_default_timeout(WAIT_MS_MAX)
        await opened.goto(f"{url}/login?back=/import")
        await opened.fill("#token", str(access.made))
        await opened.keyboard.press("Enter")
        # The whole address: the page that asks to sign in has this one's path in its own.
        await opened.wait_for_url(f"{url}/import", wait_until="load")
        yield opened
        await context.close()


async def send(page: Page, name: str, row: dict[str, str], day: str = "") -> None:
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": as_csv([row])}
    await page.set_input_files("#files", files=[file])
    await page.fill("#supersedes_from", day)
    await page.click("form.upload button")


async def test_a_table_goes_in_and_a_later_one_supersedes_it_from_a_day_on(page: Page) -> None:
    await send(page, "first.csv", FIRST)
    await expect(page.locator("p.taken")).to_contain_text("table program first: 1 rows", timeout=WAIT_MS_MAX)
    changed = {**FIRST, "advalorem": "0.10", "valid_from": "2026-06-08"}
    await send(page, "second.csv", changed)
    fault = page.locator("tbody tr", has_text="row 2, column valid_from")
    await expect(fault).to_have_count(1, timeout=WAIT_MS_MAX)
    await send(page, "second.csv", changed, "2026-06-08")
    await expect(page.locator("p.taken")).to_contain_text("table program second", timeout=WAIT_MS_MAX)
    told = page.locator("table", has_text="SHA-256").locator("tbody tr")
    await expect(told).to_have_count(5)
    await expect(told.filter(has_text="supersedes from 2026-06-08")).to_have_count(1)
    await expect(told.filter(has_text="refused: 1 fault")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_long_import_says_how_far_it_is(page: Page, center: Central) -> None:
    """Without the page that answers, which a driver of browsers would wait for and see nothing else."""
    told = page.locator("#importing")
    await expect(told).to_be_hidden()
    center._intake.told = Told("reading long.csv", 45_000)
    await page.evaluate("document.querySelector('form.upload').dispatchEvent(new Event('submit'))")
    await expect(told).to_have_text("reading long.csv: 45000 rows", timeout=WAIT_MS_MAX)
    await expect(page.locator("form.upload button")).to_be_disabled()
    center._intake.told = Told("writing", 60_000)
    await expect(told).to_have_text("writing: 60000 rows", timeout=WAIT_MS_MAX)
