# SPDX-License-Identifier: Apache-2.0
"""docs/integrate/readers.md says what the program does."""

from __future__ import annotations

import asyncio
import dataclasses
import re

import pytest

from drivers import Counts, State
from drivers.llrp import client, pins, session, settings
from drivers.llrp.client import ReaderCounts
from drivers.llrp.settings import Profile, ReaderSettings, parse_reader_url
from tests.source import ROOT

PAGE = (ROOT / "docs/integrate/readers.md").read_text()

SCANNERS_ONLY = {"no_reads", "over_long", "torn"}
OTHERS_STATES = {State.FLOODED, State.BLIND}


@pytest.mark.parametrize("state", sorted(set(State) - OTHERS_STATES))
def test_each_state_is_explained(state: State) -> None:
    assert f"\n| {state} | " in PAGE


def test_each_count_is_explained() -> None:
    names = {field.name for field in dataclasses.fields(ReaderCounts)} - SCANNERS_ONLY
    assert names > {field.name for field in dataclasses.fields(Counts)} - SCANNERS_ONLY
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_addresses_and_defaults_are_those_of_the_program() -> None:
    assert f"`llrp://HOST` (port {parse_reader_url('llrp://gate').port})" in PAGE
    assert f"TLS, port {parse_reader_url('llrps://gate').port})" in PAGE
    usual = ReaderSettings()
    words = " ".join(PAGE.split())
    assert f"at least every {usual.retry_s_max:g} s" in words
    assert (usual.retry_s_min, usual.keepalive_s, session.MISSED_MAX, usual.quiet_s) == (0.5, 5, 3, 600)
    assert f"more than {pins.FLAPS_MAX} edges in a second" in words
    assert f"at most {client.WORK_MAX} tags" in words
    assert f"the last {client.BAD_FRAMES_KEPT}, {client.BAD_FRAME_BYTES_KEPT // 1024} KiB of each" in words
    for profile in Profile:
        assert f"| `{profile}` |" in PAGE
    for field in dataclasses.fields(settings.Tls):
        assert f"`{field.name}`" in PAGE


async def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example.replace("asyncio.run(main())", ""), "readers.md", "exec"), names)
    main = names["main"]
    assert callable(main)
    async with asyncio.timeout(30):
        await main()
    printed = capsys.readouterr().out
    assert "TagRead(device='gate-1'" in printed
    assert "Health(device='gate-1', state=<State.READY" in printed
