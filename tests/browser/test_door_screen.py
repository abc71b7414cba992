# SPDX-License-Identifier: Apache-2.0
"""The worker's screen in a real browser."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.async_api", reason="needs the package playwright")

from playwright.async_api import Page, Route, expect

from edge import words
from edge.view import LinkView
from edge.web import stream
from tests.browser.screen import GS, WORDS, Keys, Screens, pixels, shows
from tests.edge.web.fake_desk import FakeDesk
from tests.edge.web.site import Site, open_site

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = ["READY", "ACCEPTED", "HOLD", "STOP"]
SIZES = [(1920, 1080), (1280, 800), (800, 1280), (640, 480)]
GOODS: dict[str, Any] = {
    "quantity": Decimal(125),
    "unit": "EA",
    "product_name": "TOOL-12 cordless drill",
    "can_undo": True,
}


async def lose(page: Page, desk: FakeDesk) -> None:
    """Cut the page off from its dock: the stream ends and no other comes about."""

    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/events*", refuse)
    desk.tell(None)
    await shows(page, "NOLINK", "Stop. Wait for the link.")


async def test_each_state_has_word_icon_pattern_and_next_step(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    looks = {}
    for state in [*SAID, "NOLINK"]:
        if state == "NOLINK":
            await lose(page, desk)
        else:
            view = desk.say("out1", state, **GOODS)
            await shows(page, state, view.step)
        looks[state] = await page.evaluate(
            """() => [getComputedStyle(document.querySelector(".band")).background,
                      getComputedStyle(document.querySelector("#panel")).backgroundColor,
                      document.querySelector(document.querySelector("#icon use").href.baseVal).innerHTML,
                      document.querySelector("#word").textContent]"""
        )
        box = await page.locator("#icon").bounding_box()
        assert box is not None
        assert box["height"] > 100
    for part in zip(*looks.values(), strict=True):
        assert len(set(part)) == 5


async def test_direction_code_product_quantity_and_count_are_shown(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    desk.say("out1", "ACCEPTED", "(00)095219990000000709", **GOODS)
    await shows(page, "ACCEPTED")
    await expect(page.locator("#way")).to_contain_text("OUT")
    await expect(page.locator("#amount")).to_have_text("125 EA")
    await expect(page.locator("#what")).to_have_text("TOOL-12 cordless drill")
    await expect(page.locator("#code")).to_have_text("(00)095219990000000709")
    await expect(page.locator("#count")).to_have_text("11of 24")
    await expect(page.locator("#status")).to_have_text("ACCEPTED. Withdrawn. Load it. Bring the next one.")
    desk.say("out1", "STOP")
    await expect(page.locator("#alert")).to_have_text("STOP. Not on this truck's permits. Take it back.")
    assert await page.locator("button:visible").count() == 1


async def test_accepted_fades_to_ready_and_keeps_its_count_while_hold_and_stop_stay(
    screens: Screens, desk: FakeDesk
) -> None:
    page = await screens.door()
    now = datetime.now(UTC)
    # The screen's clock stands, so that a busy machine cannot miss the seconds in which it is shown.
    await page.clock.set_fixed_time(now)
    desk.say("out1", "ACCEPTED", counted=12, at=now)
    await shows(page, "ACCEPTED")
    await page.clock.set_fixed_time(now + timedelta(seconds=7))
    await shows(page, "READY", "Load it. Bring the next one.")
    await expect(page.locator("#count")).to_have_text("12of 24")
    for state in ("HOLD", "STOP"):
        desk.say("out1", state, at=datetime.now(UTC) - timedelta(days=1))
        await shows(page, state)
        await page.reload()
        await shows(page, state)


async def test_an_old_acceptance_is_not_shown_as_new(screens: Screens, desk: FakeDesk) -> None:
    desk.say("out1", "ACCEPTED", at=datetime.now(UTC) - timedelta(days=365))
    page = await screens.page()
    await page.goto(f"{screens.site.url}/door/out1")
    await shows(page, "READY", "Load it. Bring the next one.")


async def test_accepted_comes_from_the_dock_only(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    asked = asyncio.get_running_loop().create_future()

    async def never(route: Route) -> None:
        asked.set_result(route)

    await page.route("**/scan", never)
    await Keys(page).scan("LOAD0001")
    async with asyncio.timeout(15):
        route = await asked
    await shows(page, "READY")
    await route.continue_()
    await shows(page, "ACCEPTED")


@pytest.mark.parametrize("gs", ["ctrl", "alt"])
async def test_a_scan_brings_its_group_separator(screens: Screens, desk: FakeDesk, gs: str) -> None:
    page = await screens.door()
    code = f"]C1010952199900105810T2601{GS}21aB-9"
    await Keys(page, gs=gs).scan(code, suffix="Tab" if gs == "alt" else "Enter")
    await shows(page, "ACCEPTED")
    assert [scan[:2] for scan in desk.scans] == [("out1", code.encode())]
    await all_answered(page)


async def test_a_scan_is_taken_whatever_has_the_focus(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    desk.say("out1", "READY", can_undo=True)
    await page.focus("#undo")
    await Keys(page).scan("LOAD 0001")
    await shows(page, "ACCEPTED")
    assert [scan[1] for scan in desk.scans] == [b"LOAD 0001"]
    assert desk.acts == []


async def test_a_code_typed_by_hand_is_taken_and_a_broken_scan_is_told(
    screens: Screens, desk: FakeDesk
) -> None:
    page = await screens.door()
    keys = Keys(page)
    keys.gap_ms = 180
    await keys.scan("STOP77")
    await shows(page, "STOP")
    keys.gap_ms = 4
    await keys.scan("LOAD", suffix="")
    keys.at += 0.2
    await keys.scan("ACCEPT12")
    await expect(page.locator("#notice")).to_have_text("That scan came in pieces. Scan it again.")
    await keys.scan("ACCEPT12")
    await shows(page, "ACCEPTED")
    await expect(page.locator("#notice")).to_be_hidden()
    assert [scan[1] for scan in desk.scans] == [b"STOP77", b"ACCEPT12"]


async def test_single_keys_are_no_shortcuts(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    desk.say("out1", "HOLD", can_undo=True)
    await shows(page, "HOLD")
    for key in "uUcCyYnN ?/":
        await page.keyboard.press(key)
        await page.keyboard.press("Escape")
    await shows(page, "HOLD")
    assert desk.acts == []
    assert desk.scans == []


async def test_link_loss_replaces_a_stop_and_a_kept_scan_is_sent_once(
    screens: Screens, site: Site, desk: FakeDesk, tmp_path: Path
) -> None:
    page = await screens.door()
    desk.say("out1", "STOP")
    await shows(page, "STOP")
    await site.stop()
    await shows(page, "NOLINK", "Stop. Wait for the link.")
    await expect(page.locator("#facts")).to_be_hidden()
    await Keys(page).scan("LOAD0001")
    await expect(page.locator("#notice")).to_have_text("1 scan is kept and will be sent.")
    assert desk.scans == []
    async with open_site(tmp_path / "access.json", desk, site.port):
        await shows(page, "ACCEPTED")
        await expect(page.locator("#count")).to_have_text("12of 24")
        assert [scan[1] for scan in desk.scans] == [b"LOAD0001"]
        await all_answered(page)
        # The same scan again under its id, as after a lost answer: the dock counts it once.
        await Keys(page).scan("LOAD0002")
        await expect(page.locator("#count")).to_have_text("13of 24")
        assert len(desk.scans) == 2
        assert len({scan[2] for scan in desk.scans}) == 2


async def test_a_scan_whose_answer_was_lost_is_posted_again_under_its_id(
    screens: Screens, desk: FakeDesk
) -> None:
    page = await screens.door()
    ids: list[str] = []

    async def lose_first(route: Route) -> None:
        ids.append(sent(route)["client_id"])
        if len(ids) == 1:
            await route.fetch()  # the dock has it
            await route.abort()  # the screen does not know
        else:
            await route.continue_()

    await page.route("**/scan", lose_first)
    await Keys(page).scan("LOAD0001")
    await expect(page.locator("#count")).to_have_text("12of 24")
    await all_answered(page)
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert len(desk.scans) == 1


async def test_scans_that_are_too_old_are_not_sent(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    await page.evaluate(
        """() => { const at = String(Date.now() - 11 * 60 * 1000).padStart(15, "0");
        const scan = JSON.stringify({code: "OLD", client_id: "12345678"});
        localStorage.setItem(`zonegate:out1:${at}:x`, scan); }"""
    )
    desk.say("out1", "HOLD")
    await expect(page.locator("#notice")).to_contain_text("older than 10 minutes were not sent")
    assert desk.scans == []


async def test_silence_is_no_link(screens: Screens, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 3600.0)
    page = await screens.page()
    await page.clock.install()
    await page.goto(f"{screens.site.url}/door/out1")
    await shows(page, "READY")
    await page.clock.fast_forward(4000)
    await shows(page, "READY")
    await page.evaluate(
        """() => new MutationObserver(() => { window.silent ||= document.body.dataset.state === "NOLINK"; })
        .observe(document.body, {attributes: true})"""
    )
    await page.clock.fast_forward(2000)
    await page.wait_for_function("() => window.silent")


async def test_a_hidden_tab_closes_its_stream_and_comes_back_with_a_snapshot(
    screens: Screens, desk: FakeDesk
) -> None:
    page = await screens.door()
    assert len(desk.queues) == 1
    await hide(page, hidden=True)
    await gone(desk, 0)
    desk.say("out1", "STOP")
    await hide(page, hidden=False)
    await shows(page, "STOP")
    await gone(desk, 1)


async def all_answered(page: Page) -> None:
    """No scan is kept any more: its answer may come after the news of it."""
    await page.wait_for_function("() => localStorage.length === 0")


async def hide(page: Page, *, hidden: bool) -> None:
    await page.evaluate(
        """(hidden) => { Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange")); }""",
        hidden,
    )


def sent(route: Route) -> Any:
    return json.loads(route.request.post_data or "")


async def gone(desk: FakeDesk, left: int) -> None:
    """A closed stream is noticed when the next event is written to it."""
    async with asyncio.timeout(15):
        while len(desk.queues) > left:
            desk.tell("out1")
            await asyncio.sleep(0.01)
    assert len(desk.queues) == left


async def test_a_seventh_tab_works_because_the_hidden_ones_let_go(screens: Screens, desk: FakeDesk) -> None:
    context = await screens.context()
    for _ in range(6):
        page = await screens.door(context=context)
        await hide(page, hidden=True)
    last = await screens.door(context=context)
    await Keys(last).scan("LOAD0001")
    await shows(last, "ACCEPTED")


async def test_six_visible_tabs_do_stall_a_seventh(screens: Screens) -> None:
    context = await screens.context()
    pages = [await screens.door(context=context) for _ in range(6)]
    stalled = await screens.page(context)
    asked = asyncio.ensure_future(stalled.goto(f"{screens.site.url}/door/out1", wait_until="commit"))
    # Nothing can be waited for in what does not happen: another act of the same browser takes its place.
    for page in pages:
        await page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert not asked.done()
    await hide(pages[0], hidden=True)
    await asked
    await hide(pages[1], hidden=True)
    await hide(pages[2], hidden=True)
    await shows(stalled, "READY")


async def test_a_quantity_is_keyed_in_with_big_keys(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door(viewport={"width": 1280, "height": 800})
    await Keys(page).scan("ASK0001")
    await shows(page, "HOLD")
    await expect(page.locator("#question")).to_have_text("TOOL-12 cordless drill: how many EA?")
    await expect(page.locator("#digits")).to_have_text("125")
    keys = "[...document.querySelectorAll('#keys button')].map((key) => key.getBoundingClientRect())"
    for box in await page.evaluate(keys):
        assert box["width"] >= 96
        assert box["height"] >= 80
    for key in ("2", "5", "0", "Backspace", "."):
        await page.click(f"[data-key='{key}']")
    await expect(page.locator("#confirm")).to_be_disabled()
    await page.click("[data-key='5']")
    await expect(page.locator("#digits")).to_have_text("25.5")
    await page.click("#confirm")
    await shows(page, "ACCEPTED")
    await expect(page.locator("#ask")).to_be_hidden()
    assert desk.acts[0][:4] == ("quantity", "out1", "hold-1", "25.5")


async def test_a_quantity_is_typed_and_a_refused_one_is_told(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    desk.say("out1", "ASK")
    await shows(page, "HOLD")
    await expect(page.locator("#confirm")).to_be_disabled()
    await Keys(page, gap_ms=150).scan("2000")
    await expect(page.locator("#notice")).to_contain_text("2000 came, at most 1000 are left")
    await shows(page, "HOLD")
    await Keys(page, gap_ms=20).scan("250")
    await shows(page, "ACCEPTED")
    assert [act[3] for act in desk.acts] == ["2000", "250"]
    assert desk.scans == []


async def test_a_scan_during_a_question_is_a_scan(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    desk.say("out1", "ASK")
    await shows(page, "HOLD")
    await Keys(page).scan("00095219990000000709")
    await shows(page, "ACCEPTED")
    assert [scan[1] for scan in desk.scans] == [b"00095219990000000709"]
    assert desk.acts == []


async def test_a_seal_question_is_read_and_left_to_the_supervisor(screens: Screens, desk: FakeDesk) -> None:
    from edge.view import Prompt

    page = await screens.door()
    desk.say("out1", "SEALS", prompt=Prompt("seals", "hold-2", "Papers say seal S-90017."))
    await shows(page, "HOLD", "Do not unload. Call the supervisor.")
    await expect(page.locator("#sentence")).to_have_text("Papers say seal S-90017.")
    await expect(page.locator("#ask")).to_be_hidden()


async def test_undo_is_one_act_even_when_its_answer_is_lost(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.door()
    await Keys(page).scan("LOAD0001")
    await shows(page, "ACCEPTED")
    lost: list[str] = []

    async def lose_first(route: Route) -> None:
        lost.append(sent(route)["client_id"])
        await (route.abort() if len(lost) == 1 else route.continue_())

    await page.route("**/undo", lose_first)
    await page.click("#undo")
    await expect(page.locator("#notice")).to_have_text("That was not sent. Press it again.")
    await page.click("#undo")
    await shows(page, "READY", "Scan it again, or bring the next load.")
    await expect(page.locator("#count")).to_have_text("11of 24")
    await expect(page.locator("#undo")).to_be_hidden()
    assert len(lost) == 2
    assert len(set(lost)) == 1


async def test_a_screen_without_a_token_says_so(screens: Screens, desk: FakeDesk) -> None:
    page = await screens.page()
    await page.goto(f"{screens.site.url}/door/out1")
    await shows(page, "READY")
    await Keys(page).scan("LOAD0001")
    await expect(page.locator("#notice")).to_have_text(
        "This screen may not scan. Sign in with this door's token."
    )
    assert desk.scans == []
    assert await page.evaluate("localStorage.length") == 1


@pytest.mark.parametrize(
    "code",
    ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "'; DROP TABLE entry; --",
     "=cmd|' /C calc'!A0",
     "STOP" + "<b>" * 3400, "\x00\x07\x1b[31m\x7f"],
    ids=["image", "script", "sql", "formula", "10kB", "controls"],
)  # fmt: skip
async def test_hostile_codes_are_shown_inert(screens: Screens, desk: FakeDesk, code: str) -> None:
    page = await screens.door()
    before = await page.evaluate("document.querySelectorAll('*').length")
    await page.evaluate(
        """async (code) => { const {Outbox} = await import("/static/outbox.js");
        new Outbox("out1").keep(code); }""",
        code,
    )
    desk.say("out1", "READY", sentence=code, step=code, product_name=code)
    async with asyncio.timeout(15):
        await desk.scanned.wait()
    desk.say("out1", "STOP", code, sentence=code[:200], product_name=code)
    await shows(page, "STOP")
    assert desk.scans[0][1] == code.encode()
    assert await page.evaluate("document.querySelectorAll('*').length") == before
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.locator("#word")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_nothing_is_clipped_at_usual_sizes(
    screens: Screens, desk: FakeDesk, width: int, height: int
) -> None:
    page = await screens.door(viewport={"width": width, "height": height})
    desk.links[0] = LinkView("center", "Down", 14, "", None)
    desk.tell("")
    await expect(page.locator("#strip")).to_be_visible()
    for state in [*SAID, "ASK", "NOLINK"]:
        if state == "NOLINK":
            await lose(page, desk)
        else:
            desk.say("out1", state, **GOODS)
            await shows(page, "HOLD" if state == "ASK" else state)
        # Texts are fitted when a frame is laid out; a word that is being drawn attention to is larger.
        await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
        word = await page.evaluate(
            """() => { const word = document.querySelector("#word"), box = word.getBoundingClientRect();
            const say = document.querySelector("#say"), panel = say.getBoundingClientRect();
            return {left: box.left - panel.left, right: panel.right - box.right,
                    size: parseFloat(getComputedStyle(word).fontSize),
                    across: say.scrollWidth - say.clientWidth, down: say.scrollHeight - say.clientHeight,
                    page: document.documentElement.scrollWidth - innerWidth}; }"""
        )
        assert word["left"] >= 0, state
        assert word["right"] >= 0, state
        assert word["across"] <= 0, state
        assert word["down"] <= 0, state
        assert word["page"] <= 0, state
        if (width, height) == (1920, 1080) and state != "ASK":
            assert word["size"] >= 190, state
        if (width, height) == (1280, 800) and state != "ASK":
            assert word["size"] >= 140, state


@pytest.mark.parametrize("reason", ["permit-exhausted", "leased-elsewhere"])
async def test_a_permit_that_is_used_up_and_one_that_is_lent_are_told_apart_from_afar(
    screens: Screens, desk: FakeDesk, reason: str
) -> None:
    page = await screens.door(viewport={"width": 1920, "height": 1080})
    sentence, step = words.say(reason, holder="dock-2, dock-3")
    desk.say("out1", "STOP", reason=reason, sentence=sentence, step=step)
    await shows(page, "STOP")
    await expect(page.locator("#sentence")).to_have_text(sentence)
    await expect(page.locator("#step")).to_have_text(step)
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    size = "part => parseFloat(getComputedStyle(part).fontSize)"
    # On a 24-inch screen 60 px are 17 mm: 19 minutes of arc at 3 m.
    assert await page.locator("#step").evaluate(size) >= 60
    assert await page.locator("#sentence").evaluate(size) >= 40


def unlike(one: list[list[int]], other: list[list[int]]) -> float:
    """How much of two bands of equal size differs once both are spread from black to white."""
    flat: list[list[float]] = []
    for rows in (one, other):
        values = [value for row in rows for value in row]
        low, high = min(values), max(values)
        flat.append([(value - low) / (high - low) if high > low + 20 else 0.0 for value in values])
    total: float = sum(abs(left - right) for left, right in zip(*flat, strict=True))
    return total / len(flat[0])


async def bands(page: Page, desk: FakeDesk) -> dict[str, list[list[int]]]:
    seen = {}
    for state in WORDS:
        if state == "NOLINK":
            await lose(page, desk)
        else:
            desk.say("out1", state)
            await shows(page, state)
        box = await page.locator(".band").first.bounding_box()
        assert box is not None
        clip = {"x": box["x"], "y": box["y"] + 2, "width": 240, "height": 44}
        seen[state] = pixels(await page.screenshot(clip=clip, animations="disabled"))[2]  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize("sight", ["deuteranopia", "achromatopsia"])
async def test_states_stay_apart_without_color(screens: Screens, desk: FakeDesk, sight: str) -> None:
    page = await screens.door(reduced_motion="reduce")
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setEmulatedVisionDeficiency", {"type": sight})
    seen = await bands(page, desk)
    apart = {(one, other): unlike(seen[one], seen[other]) for one in seen for other in seen if one < other}
    assert min(apart.values()) > 0.2, apart


async def test_without_patterns_the_bands_would_not_tell_states_apart(
    screens: Screens, desk: FakeDesk
) -> None:
    page = await screens.door(reduced_motion="reduce")
    await page.evaluate("document.body.style.setProperty('--pattern', 'none')")
    seen = await bands(page, desk)
    assert max(unlike(seen["STOP"], seen[other]) for other in seen) == 0


async def test_each_state_has_its_own_sound_and_silence_has_a_badge(screens: Screens, desk: FakeDesk) -> None:
    context = await screens.context()
    await context.add_init_script(
        """window.tones = []; window.allowed = false;
        window.AudioContext = class extends EventTarget {
          get state() { return window.allowed ? "running" : "suspended"; }
          get currentTime() { return 0; }
          async resume() { window.allowed = true; }
          createGain() { const ramp = () => {};
            return {gain: {setValueAtTime: ramp, linearRampToValueAtTime: ramp}, connect: (to) => to}; }
          createOscillator() { const tone = {frequency: {}, connect: (to) => to, stop() {},
            start(at) { window.tones.push(`${tone.type} ${tone.frequency.value} ${at}`); }}; return tone; }
        };"""
    )
    page = await screens.door(context=context)
    await expect(page.locator("#mute")).to_be_visible()
    desk.say("out1", "STOP")
    await shows(page, "STOP")
    assert await page.evaluate("window.tones") == []
    await page.mouse.click(900, 300)
    await expect(page.locator("#mute")).to_be_hidden()
    heard = {}
    for state in WORDS:
        await page.evaluate("() => { window.tones = []; }")
        if state == "NOLINK":
            await lose(page, desk)
        else:
            desk.say("out1", state)
        await page.wait_for_function("(state) => document.body.dataset.sounded === state", arg=state)
        heard[state] = tuple(await page.evaluate("window.tones"))
        assert heard[state]
    assert len(set(heard.values())) == 5


async def test_the_page_works_by_lan_name_without_secure_context(
    screens: Screens, site: Site, desk: FakeDesk
) -> None:
    page = await screens.page()
    await page.goto(f"http://dock1.lan:{site.port}/login#{site.tokens['door.out1']}")
    await page.wait_for_url("**/door/out1")
    assert await page.evaluate("isSecureContext") is False
    await shows(page, "READY")
    await Keys(page).scan("LOAD0001")
    await shows(page, "ACCEPTED")
    assert len(desk.scans) == 1


async def test_nothing_moves_for_who_asked_for_no_motion(screens: Screens, desk: FakeDesk) -> None:
    names = []
    for motion in ("reduce", "no-preference"):
        page = await screens.door(reduced_motion=motion)
        desk.say("out1", "STOP")
        await shows(page, "STOP")
        await expect(page.locator("body")).to_have_class("news")
        names.append(await page.evaluate("getComputedStyle(document.querySelector('h1')).animationName"))
    assert names == ["none", "news"]
