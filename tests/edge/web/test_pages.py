# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp import ClientSession

import edge.web
from edge.view import LinkView
from edge.web.access import Grant
from tests.edge.web.fake_desk import FakeDesk
from tests.edge.web.site import Site

PAGES = ["/", "/door/out1", "/inventory", "/search", "/search?q=0952", "/login", "/setup/scanner", "/nowhere"]
STATIC = Path(edge.web.__file__).parent / "static"
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'
PAGE = {"Accept": "text/html"}


class Markup(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.tags: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        for name, value in attrs:
            if name in ("src", "href", "action", "data-post", "poster", "formaction"):
                self.loaded.append(value or "")
            if name.startswith("on") or name == "style":
                self.inline.append(f"{name}={value}")
        self._script = tag in ("script", "style")
        if tag == "script" and "src" not in values:
            self.inline.append("script")

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._script = False


async def signed_in(site: Site, client: ClientSession, holder: str = "supervisor") -> None:
    form = {"token": site.tokens[holder], "person": "Ann"}
    async with client.post(
        "/login", data=form, headers={"Origin": site.url}, allow_redirects=False
    ) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("supervises", [False, True])
async def test_no_page_loads_from_elsewhere_or_runs_inline(
    site: Site, client: ClientSession, path: str, supervises: bool
) -> None:
    site.desk.hold()
    if supervises:
        await signed_in(site, client)
    async with client.get(path, headers=PAGE) as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    markup = Markup(text)
    assert markup.loaded
    assert all(re.match(r"/(?!/)|#i-", target) for target in markup.loaded), markup.loaded
    assert markup.inline == []
    assert not re.search(r"(?:https?|wss?|ftp):|//[a-z]", text)
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_check_on_inline_script_can_fail() -> None:
    assert Markup("<script>x</script>").inline
    assert Markup('<a onclick="x">').inline
    assert Markup('<b style="x">').inline
    assert Markup('<script src="https://x"></script>').loaded == ["https://x"]


@pytest.mark.parametrize("path", sorted(STATIC.iterdir()), ids=lambda path: path.name)
def test_no_script_or_style_names_another_host(path: Path) -> None:
    text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"(?:https?|wss?)://|url\(|@import|//[a-z0-9.-]+\.[a-z]{2,}/", text)
    for absent in ("randomUUID(", "serviceWorker", "wakeLock", "navigator.locks", "eval(", "innerHTML"):
        assert absent not in text


async def test_codes_and_searches_are_shown_as_text(
    site: Site, client: ClientSession, desk: FakeDesk
) -> None:
    desk.say("out1", "STOP", HOSTILE, sentence=HOSTILE, product_name=HOSTILE)
    desk.hold("hold-9", HOSTILE * 100)
    desk.code_in_story = HOSTILE
    desk.links.append(LinkView("center", "Down", 1, HOSTILE, None))
    desk.recording = HOSTILE
    await signed_in(site, client)
    for path, params in (("/", {}), ("/search", {"q": HOSTILE[:60]}), ("/inventory", {"q": HOSTILE})):
        async with client.get(path, params=params, headers=PAGE) as answer:
            text = await answer.text()
        assert "alert(1)" in text
        markup = Markup(text)
        assert markup.inline == []
        assert markup.tags.count("img") == 1  # the mark in the header
        assert "{{7*7}}" in text


async def test_the_status_page_tells_every_part(client: ClientSession, desk: FakeDesk) -> None:
    desk.hold()
    desk.links[0] = LinkView("center", "Down", 14, "Not reached since 09:02.", None)
    async with client.get("/", headers=PAGE) as answer:
        text = await answer.text()
    for part in (
        "Outbound 1", "Inbound 1", "No truck is open.", "11 of 24", "095219990000000709", "TRAILER 0815",
        "1000 of 2500 EA left", "serial-in1", "Unplugged: plug it in again.", "Not reached since 09:02.",
        "This load is not known.", "(00)095219990000009999", "The supervisor decides", "05:14:05",
        "America/New_York", "No link to the center: 14 entries wait here, work goes on.",
        "125 EA TOOL-12 left",
    ):  # fmt: skip
        assert part in text, part
    assert "Refuse: it goes back" not in text


async def test_only_the_supervisor_sees_choices(site: Site, client: ClientSession, desk: FakeDesk) -> None:
    desk.hold()
    await signed_in(site, client)
    async with client.get("/", headers=PAGE) as answer:
        text = await answer.text()
    assert "supervisor Ann" in text
    for part in ("Refuse: it goes back", "Clear: nothing moved", "/api/v1/doors/out1/job/close", "job/open"):
        assert part in text


async def test_inventory_is_filtered_and_says_when_nothing_matches(client: ClientSession) -> None:
    async with client.get("/inventory?q=B17", headers=PAGE) as answer:
        text = await answer.text()
    assert "250.5 EA" in text
    assert "T2601" not in text
    async with client.get("/inventory?q=zzz", headers=PAGE) as answer:
        assert "Nothing in the zone matches" in await answer.text()


async def test_a_load_is_found_with_its_story(client: ClientSession) -> None:
    async with client.get("/search?q=095219990000000013", headers=PAGE) as answer:
        assert "2026-06-02 05:14:05" in await answer.text()
    async with client.get("/search?q=nothing", headers=PAGE) as answer:
        assert "This dock has no entry about it" in await answer.text()


async def test_a_code_that_is_looked_up_says_what_it_is(client: ClientSession) -> None:
    async with client.get("/search?q=%5DC101095219990010581727020010L7", headers=PAGE) as answer:
        text = await answer.text()
    for part in ("GS1-128", "https://id.gs1.org/01/09521999001058/10/L7", "(17)", "2027-02-28"):
        assert part in text, part
    async with client.get("/search?q=095219990000000014", headers=PAGE) as answer:
        assert "check digit 4, expected 3" in await answer.text()
    for words in ("nothing", "B17", "OUT-0609", "L7"):
        async with client.get(f"/search?q={words}", headers=PAGE) as answer:
            assert "This code" not in await answer.text(), words


async def test_the_door_page_says_no_link_until_its_script_has_heard_the_dock(client: ClientSession) -> None:
    async with client.get("/door/out1", headers=PAGE) as answer:
        text = await answer.text()
    assert 'data-state="NOLINK"' in text
    assert '<span id="word">NO LINK</span>' in text


async def test_errors_for_people_say_what_next(client: ClientSession) -> None:
    async with client.get("/door/nine", headers=PAGE) as answer:
        assert answer.status == 404
        text = await answer.text()
    assert "This node has no door &#39;nine&#39;." in text
    assert "Its doors are: in1, out1." in text
    async with client.get("/static/../app.py", headers=PAGE) as answer:
        assert answer.status == 404


async def test_static_files_are_asked_for_again_and_answered_shortly(client: ClientSession) -> None:
    async with client.get("/static/door.js") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.content_type == "text/javascript"
        tag = answer.headers["ETag"]
    async with client.get("/static/door.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    async with client.get("/static/app.py") as answer:
        assert answer.status == 404


async def test_signing_in_sets_a_strict_cookie_and_signing_out_takes_it(
    site: Site, client: ClientSession
) -> None:
    form = {"token": site.tokens["door.out1"], "next": ""}
    async with client.post(
        "/login", data=form, headers={"Origin": site.url}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/door/out1"
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert site.access.read_cookie(cookie.partition("=")[2].partition(";")[0]) == Grant("out1")
    async with client.post("/logout", headers={"Origin": site.url}, allow_redirects=False) as answer:
        assert "Max-Age=0" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/inventory?q=1", "/inventory?q=1"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
    ],
)
async def test_signing_in_never_leads_elsewhere(
    site: Site, client: ClientSession, asked: str, led: str
) -> None:
    form = {"token": site.tokens["supervisor"], "next": asked}
    async with client.post(
        "/login", data=form, headers={"Origin": site.url}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == led


async def test_a_false_token_or_name_is_told(site: Site, client: ClientSession) -> None:
    headers = {"Origin": site.url, **PAGE}
    async with client.post("/login", data={"token": "supervisor." + "a" * 32}, headers=headers) as answer:
        assert answer.status == 403
        assert "That token is not known here" in await answer.text()
        assert "Set-Cookie" not in answer.headers
    form = {"token": site.tokens["supervisor"], "person": "<b>"}
    async with client.post("/login", data=form, headers=headers) as answer:
        assert answer.status == 400
        assert "That is no name" in await answer.text()
