# SPDX-License-Identifier: Apache-2.0
"""The screen of a door with an RFID gate, as a worker sees it three meters away: a whole node, a simulated
reader with its eyes, real trips, a real browser.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

import msgspec
from playwright.async_api import Page, expect

from edge.passage import GateSettings
from simulators.yard.drive import record
from simulators.yard.rig import Rig
from tests.browser.screen import shows
from tests.edge.gates import unit
from tests.edge.portal.floor import Floor, running
from tests.edge.yard import CANCEL, pallet, sscc
from zonegate.child import free_port

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIDES = ("outer", "inner", "outer", "inner")
EYES = ("outer", "inner", "height")

GATE = GateSettings(before_ms=1_500, silence_ms=500, linger_ms=2_000)
"""Trips follow each other closer than a dock's."""

NOW = datetime(2026, 6, 3, 15, 0, tzinfo=UTC)

_scans = count(1)

COLORS = {
    "READY": "rgb(22, 57, 92)",
    "ACCEPTED": "rgb(0, 102, 77)",
    "HOLD": "rgb(255, 194, 26)",
    "STOP": "rgb(176, 18, 18)",
}

SEEN = """() => {
  const size = id => parseFloat(getComputedStyle(document.getElementById(id)).fontSize)
  const say = document.getElementById("say"), page = document.documentElement
  const inside = ["word", "sentence", "step", "count"].filter(id => {
    const box = document.getElementById(id).getBoundingClientRect()
    return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight })
  return {color: getComputedStyle(document.getElementById("panel")).backgroundColor,
    word: size("word"), step: size("step"), sentence: size("sentence"), inside,
    scrolls: page.scrollHeight > innerHeight || page.scrollWidth > innerWidth,
    cut: say.scrollHeight > say.clientHeight || say.scrollWidth > say.clientWidth}
}"""


@asynccontextmanager
async def gate_door(
    tmp_path: Path, browser: Browser, door: str = "out", gate: GateSettings = GATE
) -> AsyncIterator[tuple[Floor, Rig, Page]]:
    """The door's node, what drives through it, and its screen on a small panel PC."""
    async with (
        Rig(door, free_port(), None) as rig,
        running(tmp_path, rig.reader, gate=gate, door=door, sides=SIDES, eyes=EYES) as floor,
    ):
        assert await rig.ready(20.0)
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.clock.set_fixed_time(NOW)  # what is accepted stands until a test lets time pass
        await page.goto(f"{floor.url}/door/{door}")
        await shows(page, "READY")
        yield floor, rig, page
        await context.close()


async def drive(rig: Rig, manner: str, *tags: bytes) -> None:
    """One trip; the first tag is the pallet's own."""
    await rig.clear()
    tape = await asyncio.to_thread(record, manner, tags[0], tags[1:], f"{manner} {len(tags)}")
    await rig.play(tape)


async def scan(floor: Floor, code: bytes) -> None:
    """The worker scans a label with the door's scanner."""
    await floor.service.dock.scan(floor.door, code, f"scan {next(_scans)}", "scanner")


async def sees(page: Page, state: str, sentence: str, step: str, counted: str) -> None:
    """What a worker sees three meters away: a word and a color not to be mistaken, what to do, a count."""
    await shows(page, state, step)
    await expect(page.locator("#sentence")).to_have_text(sentence)
    await expect(page.locator("#count")).to_have_text(counted)
    await is_readable(page, state)


async def is_readable(page: Page, state: str) -> None:
    """All of it large enough, in sight at once, and without scrolling."""
    # Texts are fitted when a frame is laid out; a word that is being drawn attention to is larger.
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    seen = await page.evaluate(SEEN)
    assert seen["color"] == COLORS[state]
    assert not seen["scrolls"]
    assert not seen["cut"]
    assert set(seen["inside"]) == {"word", "sentence", "step", "count"}
    # On a panel of 1280 x 800 and ten inches a pixel is 0.17 mm: 140 px are 27 minutes of arc at 3 m.
    assert seen["word"] >= 140
    assert seen["step"] >= 50
    assert seen["sentence"] >= 36


async def test_loads_that_pass_are_counted_and_one_among_them_that_must_not_is_told(
    tmp_path: Path, browser: Browser
) -> None:
    async with gate_door(tmp_path, browser) as (floor, rig, page):
        await drive(rig, "through", unit(1))
        await sees(page, "ACCEPTED", "Withdrawn.", "Load it. Bring the next one.", "1of 8")
        await page.clock.set_fixed_time(NOW + timedelta(minutes=1))
        await sees(page, "READY", "", "Load it. Bring the next one.", "1of 8")
        await drive(rig, "through", unit(2), unit(6), unit(4))
        await sees(page, "STOP", "3 loads: 1 STOP, 2 may pass.", "Take it back.", "3of 8")
        await expect(page.locator("#what")).to_have_text("Housing 7: Not on this truck's permits.")
        await expect(page.locator("#code")).to_have_text(f"(00){sscc(4)}")
        await scan(floor, CANCEL)
        await sees(page, "READY", "Ready.", "Bring the next load.", "3of 8")
        await drive(rig, "empty", unit(3))
        await sees(page, "READY", "Ready.", "Bring the next load.", "3of 8")


async def test_a_load_that_is_told_to_stop_and_goes_back_leaves_the_word_until_it_is_taken_away(
    tmp_path: Path, browser: Browser
) -> None:
    async with gate_door(tmp_path, browser) as (floor, rig, page):
        driving = asyncio.create_task(drive(rig, "stopped", unit(4)))
        await sees(page, "STOP", "Not on this truck's permits.", "Take it back.", "0of 8")
        assert not driving.done(), "while it moves"
        await driving
        await floor.until(lambda: bool(floor.entries()))
        await sees(page, "STOP", "Not on this truck's permits.", "Take it back.", "0of 8")
        await scan(floor, CANCEL)
        await sees(page, "READY", "Ready.", "Bring the next load.", "0of 8")


async def test_what_the_gate_cannot_tell_is_held_until_its_label_is_scanned(
    tmp_path: Path, browser: Browser
) -> None:
    never_sure = msgspec.structs.replace(GATE, confidence_min=1_000)
    async with gate_door(tmp_path, browser, gate=never_sure) as (floor, rig, page):
        await drive(rig, "unreadable", unit(1))
        await sees(page, "HOLD", "No tag was read on this load.", "Scan its label.", "0of 8")
        await expect(page.locator("#code")).to_have_text("")
        await scan(floor, pallet(1))
        await sees(page, "ACCEPTED", "Withdrawn.", "Load it. Bring the next one.", "1of 8")
        await drive(rig, "through", unit(2))
        await sees(page, "HOLD", "The gate is not sure about this load.", "Scan its label.", "1of 8")
        await scan(floor, pallet(2))
        await sees(page, "ACCEPTED", "Withdrawn.", "Load it. Bring the next one.", "2of 8")


async def test_a_load_that_goes_the_wrong_way_is_held(tmp_path: Path, browser: Browser) -> None:
    async with gate_door(tmp_path, browser, door="in") as (floor, rig, page):
        await drive(rig, "through", unit(101))  # out of the zone, and the truck is there to be emptied
        step = "Bring it back, or call the supervisor."
        await sees(page, "HOLD", "This load went the wrong way.", step, "0of 8")
        await scan(floor, CANCEL)
        await sees(page, "READY", "Ready.", "Bring the next load.", "0of 8")


async def test_a_screen_that_scrolls_or_whispers_would_be_found(tmp_path: Path, browser: Browser) -> None:
    async with gate_door(tmp_path, browser) as (_, _, page):
        await is_readable(page, "READY")
        for fault in (
            "document.querySelector('h1').style.fontSize = '40px'",
            "document.body.style.height = '900px'",
            "document.getElementById('facts').style.transform = 'translateY(400px)'",
            "document.getElementById('panel').style.backgroundColor = '#333'",
        ):
            await page.reload()
            await shows(page, "READY")
            await page.evaluate(fault)
            with pytest.raises(AssertionError):
                await is_readable(page, "READY")
