# SPDX-License-Identifier: Apache-2.0
"""A real Chromium. Without it, or without Playwright's package, these tests are skipped and say so."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.edge.web.fake_desk import FakeDesk
from tests.edge.web.site import Site, open_site

if TYPE_CHECKING:
    from playwright.async_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # tests run as root in containers, and load nothing but this checkout's own pages
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--host-resolver-rules=MAP dock1.lan 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    playwright = pytest.importorskip("playwright.async_api", reason="needs the package playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium fonts-dejavu-core")
    async with playwright.async_playwright() as started:
        opened = await started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, desk: FakeDesk) -> AsyncIterator[Site]:
    async with open_site(tmp_path / "access.json", desk) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def screens(browser: Browser, site: Site) -> AsyncIterator[Any]:
    """Opens pages of the site, each in a browser of its own unless a context is handed in."""
    from tests.browser.screen import Screens

    opened = Screens(browser, site)
    yield opened
    await opened.close()
