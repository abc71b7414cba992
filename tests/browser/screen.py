# SPDX-License-Identifier: Apache-2.0
"""A page as its user has it: signed in, looked at, typed and scanned into."""

from __future__ import annotations

import asyncio
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.edge.web.site import Site

GS = "\x1d"
FHD = {"width": 1920, "height": 1080}
WORDS = {"READY": "READY", "ACCEPTED": "ACCEPTED", "HOLD": "HOLD", "STOP": "STOP", "NOLINK": "NO LINK"}

_CTRL, _SHIFT = 2, 8

# A bound for a busy machine; what is waited for comes within milliseconds.
expect.set_options(timeout=15_000)


class Screens:
    """Every page opened here must stay free of script errors and of refused resources."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.site = site
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    async def context(self, **options: Any) -> BrowserContext:
        context = await self._browser.new_context(**({"viewport": FHD} | options))
        self._contexts.append(context)
        return context

    async def page(self, context: BrowserContext | None = None, **options: Any) -> Page:
        page = await (context or await self.context(**options)).new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self._console(message.text))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog {dialog.message}"))
        return page

    async def door(self, door: str = "out1", context: BrowserContext | None = None, **options: Any) -> Page:
        """A door's screen, signed in and linked."""
        page = await self.page(context, **options)
        await page.goto(f"{self.site.url}/login#{self.site.tokens[f'door.{door}']}")
        await page.wait_for_url(f"**/door/{door}")
        await page.wait_for_selector("body:not([data-state=NOLINK])")
        return page

    async def supervisor(self, path: str = "/") -> Page:
        page = await self.page()
        await page.goto(f"{self.site.url}/login")
        await page.fill("[name=token]", self.site.tokens["supervisor"])
        await page.fill("[name=person]", "Ann")
        await page.click("#sign button")
        await page.wait_for_url(f"{self.site.url}/")
        if path != "/":
            await page.goto(self.site.url + path)
        return page

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        assert self.faults == []

    def _console(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.faults.append(text)


async def shows(page: Page, state: str, step: str | None = None) -> None:
    """Wait until the screen says so: word, icon and state together."""
    await expect(page.locator("body")).to_have_attribute("data-state", state)
    await expect(page.locator("#word")).to_have_text(WORDS[state])
    await expect(page.locator("#icon use")).to_have_attribute("href", f"#i-{state}")
    if step is not None:
        await expect(page.locator("#step")).to_have_text(step)


@dataclass
class Keys:
    """A keyboard scanner: trusted key events `gap_ms` apart by their own time stamps, so that a busy machine
    changes nothing. `gs` says how the group separator is sent."""

    page: Page
    gap_ms: float = 4
    gs: str = "ctrl"
    at: float = field(default=0, init=False)

    async def scan(self, code: str, suffix: str = "Enter") -> None:
        now = await self.page.evaluate("(performance.timeOrigin + performance.now()) / 1000")
        self.at = max(self.at, now)
        events: list[dict[str, Any]] = []
        for character in code:
            if character == GS and self.gs == "ctrl":
                events += self._press("]", "BracketRight", "", _CTRL)
            elif character == GS:
                events += self._alt("029")
            else:
                modifiers = _SHIFT if character.isupper() else 0
                events += self._press(character, "", character, modifiers)
            self.at += self.gap_ms / 1000
        if suffix:
            events += self._press(suffix, suffix, "\r" if suffix == "Enter" else "", 0)
        session = await self.page.context.new_cdp_session(self.page)
        # All on their way at once, in order: one by one, a busy machine could take longer between two of them
        # than the page waits for the rest of a scan.
        await asyncio.gather(*(session.send("Input.dispatchKeyEvent", event) for event in events))
        await session.detach()

    def _press(self, key: str, code: str, text: str, modifiers: int) -> list[dict[str, Any]]:
        event = {"key": key, "code": code, "modifiers": modifiers, "timestamp": self.at}
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        return [event | down, event | {"type": "keyUp"}]

    def _alt(self, digits: str) -> list[dict[str, Any]]:
        alt = {"key": "Alt", "code": "AltLeft", "timestamp": self.at}
        events: list[dict[str, Any]] = [alt | {"type": "rawKeyDown", "modifiers": 1}]
        for digit in digits:
            event = {
                "key": digit,
                "code": f"Numpad{digit}",
                "modifiers": 1,
                "timestamp": self.at,
                "isKeypad": True,
            }
            events += [event | {"type": "rawKeyDown"}, event | {"type": "keyUp"}]
        return [*events, alt | {"type": "keyUp"}]


def pixels(png: bytes) -> tuple[int, int, list[list[int]]]:
    """Width, height and rows of luma (0-255) of an 8-bit RGB or RGBA picture (PNG, ISO/IEC 15948)."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    assert (depth, interlaced) == (8, 0)
    step = {2: 3, 6: 4}[kind]
    packed, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += 12 + length
    raw, before, rows = zlib.decompress(packed), bytearray(width * step), []
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(raw[start + 1 : start + 1 + width * step])
        _unfilter(raw[start], line, before, step)
        rows.append(
            [
                (line[i] * 299 + line[i + 1] * 587 + line[i + 2] * 114) // 1000
                for i in range(0, width * step, step)
            ]
        )
        before = line
    return width, height, rows


def _unfilter(kind: int, line: bytearray, before: bytearray, step: int) -> None:
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        up, corner = before[i], before[i - step] if i >= step else 0
        if kind == 1:
            line[i] = (line[i] + left) & 255
        elif kind == 2:
            line[i] = (line[i] + up) & 255
        elif kind == 3:
            line[i] = (line[i] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            near = min(
                (abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner)
            )
            line[i] = (line[i] + near[2]) & 255
