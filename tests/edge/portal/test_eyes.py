# SPDX-License-Identifier: Apache-2.0
"""An eye that the gate leaves out of account is shown to the supervisor, with why and what to do."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

from drivers.read import InputChange
from edge.gate.eyes import CHATTER_CHANGES
from edge.view import DeviceView
from simulators.reader.server import Reader
from tests.edge.portal.floor import Floor, running

CHATTERS = "The outer eye of out (input 1) chatters: clean it or align it."


def shown(floor: Floor) -> str:
    with urllib.request.urlopen(f"http://{floor.service._config.listen}/", timeout=10) as answer:
        page: bytes = answer.read()
        return page.decode()


async def test_an_eye_that_chatters_is_told_until_it_behaves(tmp_path: Path) -> None:
    async with Reader() as reader, running(tmp_path, reader, eyes=("outer", "inner")) as floor:
        gates = floor.service._devices.gates
        assert gates is not None

        def device() -> DeviceView:
            return next(found for found in floor.service.desk.status().devices if found.kind == "reader")

        def ill() -> object:
            return floor.service.desk.metrics()["zonegate_eyes_left_out"]

        await floor.until(lambda: device().state == "Up")
        assert (device().eyes, ill()) == ((), [({"device": "gate-1"}, 0)])
        now_us = gates._now_us()
        for number in range(CHATTER_CHANGES):
            at_us = now_us - (CHATTER_CHANGES - number) * 10_000
            gates.take_input(InputChange("gate-1", 1, number % 2 == 0, at_us))
        assert (device().state, device().eyes) == ("Degraded", (CHATTERS,))
        assert ill() == [({"device": "gate-1"}, 1)]
        assert CHATTERS in await asyncio.to_thread(shown, floor)
        gates.take_input(InputChange("gate-1", 1, True, now_us + 10_000_000))
        assert (device().state, device().eyes, ill()) == ("Up", (), [({"device": "gate-1"}, 0)])
