# SPDX-License-Identifier: Apache-2.0
"""The center's pages in a real browser, fed by a real center: they stay live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import expect

from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from customs.imports import Upload
from edge.anchor import Anchor
from edge.clock import system_clocks
from tests.central.dock import GTIN, Dock

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_MS_MAX = 15_000
PAPERS = Path(__file__).parents[1] / "central" / "papers.json"


@pytest_asyncio.fixture(loop_scope="session")
async def center(postgres: str, tmp_path: Path) -> AsyncIterator[Central]:
    opened = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), system_clocks())
    yield opened
    await opened.close()


async def shown(browser: Browser, url: str, script: bool = True) -> Page:
    context = await browser.new_context(java_script_enabled=script)
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS_MAX)
    await page.goto(url)
    return page


async def test_an_open_page_shows_what_crosses_and_says_when_the_center_is_gone(
    browser: Browser, center: Central, tmp_path: Path
) -> None:
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    await center.import_files([Upload("week.json", PAPERS.read_bytes())], "compliance")
    async with serving(make_app(center, Access(tmp_path)), "127.0.0.1:0") as url:
        live = await shown(browser, url)
        still = await shown(browser, url, script=False)
        await expect(live.locator("tbody tr")).to_have_count(0, timeout=WAIT_MS_MAX)
        await live.evaluate("window.mark = 'not loaded again'")
        dock.move()
        await dock.talk(center)
        await expect(live.locator("tbody tr")).to_contain_text(GTIN, timeout=WAIT_MS_MAX)
        assert await live.evaluate("window.mark") == "not loaded again"
        assert await still.locator("tbody tr").count() == 0, "only the script keeps a page live"
        await expect(live.locator("#nolink")).to_be_hidden()
    await expect(live.locator("#nolink")).to_be_visible(timeout=WAIT_MS_MAX)
    for page in (live, still):
        await page.context.close()
