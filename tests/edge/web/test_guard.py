# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from aiohttp import ClientSession

from tests.edge.web.site import Site

SCAN = {"code": "LOAD1", "client_id": "0123456789abcdef"}
PATH = "/api/v1/doors/out1/scan"
REMOTE = {"X-Forwarded-For": "192.0.2.7"}
"""A request through a proxy on this machine is not from this machine."""


async def test_reading_is_open_here_and_takes_a_token_elsewhere(site: Site, client: ClientSession) -> None:
    for path in ("/", "/api/v1/status", "/metrics", "/events", "/inventory"):
        if path != "/events":
            async with client.get(path) as answer:
                assert answer.status == 200
        async with client.get(path, headers=REMOTE) as answer:
            assert answer.status == 401
            assert (await answer.json())["next"] == "Sign in, or send a token."
    async with client.get("/api/v1/status", headers={**REMOTE, **site.bearer("door.in1")}) as answer:
        assert answer.status == 200
    for path in ("/healthz", "/login", "/static/door.css"):
        async with client.get(path, headers=REMOTE) as answer:
            assert answer.status == 200


async def test_people_from_elsewhere_are_led_to_the_sign_in(client: ClientSession) -> None:
    headers = {**REMOTE, "Accept": "text/html"}
    async with client.get("/inventory?q=a%26b", headers=headers, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/login?next=/inventory?q%3Da%2526b"


async def test_a_false_token_is_told_even_where_none_is_needed(client: ClientSession) -> None:
    async with client.get("/api/v1/status", headers={"Authorization": "Bearer supervisor.x"}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8420", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8420", 200),
        ("192.0.2.9", 200),
        ("dock1.lan", 200),
        ("dock1.lan.:8420", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("dock1.lan.evil.example", 421),
        ("", 421),
    ],
)
async def test_only_names_of_this_node_are_answered(client: ClientSession, host: str, status: int) -> None:
    async with client.get("/healthz", headers={"Host": host}) as answer:
        assert answer.status == status


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Origin": "same"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({}, False),
    ],
)
async def test_a_cookie_is_good_for_this_node_s_own_pages_only(
    site: Site, client: ClientSession, headers: dict[str, str], allowed: bool
) -> None:
    grant = await site.access.verify(site.tokens["door.out1"])
    assert grant is not None
    cookie = {"Cookie": f"{site.access.cookie_name}={site.access.cookie(grant)[0]}"}
    if headers.get("Origin") == "same":
        headers = {"Origin": site.url}
    async with client.post(PATH, json=SCAN, headers={**cookie, **headers}) as answer:
        assert answer.status == (200 if allowed else 403)
    assert len(site.desk.scans) == allowed


async def test_a_forged_cookie_acts_for_nobody(site: Site, client: ClientSession) -> None:
    headers = {"Cookie": f"{site.access.cookie_name}=forged.forged", "Origin": site.url}
    async with client.post(PATH, json=SCAN, headers=headers) as answer:
        assert answer.status == 401


async def test_every_answer_carries_the_policy(client: ClientSession) -> None:
    for path in ("/", "/healthz", "/nothing", "/static/door.js"):
        async with client.get(path) as answer:
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] in ("no-store", "no-cache")
