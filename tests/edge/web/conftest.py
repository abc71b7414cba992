# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from tests.edge.web.fake_desk import FakeDesk
from tests.edge.web.site import Site, open_site


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def site(tmp_path: Path, desk: FakeDesk) -> AsyncIterator[Site]:
    async with open_site(tmp_path / "access.json", desk) as opened:
        yield opened


@pytest.fixture
async def client(site: Site) -> AsyncIterator[ClientSession]:
    async with ClientSession(site.url, cookie_jar=CookieJar(unsafe=True)) as session:
        yield session
