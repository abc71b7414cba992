# SPDX-License-Identifier: Apache-2.0
"""docs/integrate/scanners.md says what the program does."""

from __future__ import annotations

import dataclasses
import re

import pytest

from drivers import Counts, ScannerSettings, State, parse_link_url
from tests.source import ROOT

PAGE = (ROOT / "docs/integrate/scanners.md").read_text()


OTHER_DEVICES_STATES = {State.BLIND, State.DEGRADED}


@pytest.mark.parametrize("state", sorted(set(State) - OTHER_DEVICES_STATES))
def test_each_state_is_explained(state: State) -> None:
    assert f"\n| {state} | " in PAGE


@pytest.mark.parametrize("count", [field.name for field in dataclasses.fields(Counts)])
def test_each_count_is_explained(count: str) -> None:
    assert f"`{count}`" in PAGE


def test_addresses_and_defaults_are_those_of_the_program() -> None:
    (example,) = re.findall(r'devices = \["(serial:.*?)"\]', PAGE)
    address = parse_link_url(example.partition("?")[0])
    for key, values, default in re.findall(r"\n\| `(\w+)` \| (.*?) \| (\w+) \|", PAGE):
        assert str(getattr(address, key)) == default
        for value in values.split(", "):
            assert str(getattr(parse_link_url(f"serial:///dev/x?{key}={value}"), key)) == value
    settings = ScannerSettings()
    assert f"`{settings.no_read.decode()}`" in PAGE
    assert f"(default {settings.reads_per_second_max})" in PAGE
    assert f"more than {settings.frame_length_max // 1024} KiB" in PAGE
    assert f"at least every {settings.retry_s_max:g} s" in PAGE
    assert f"{settings.idle_gap_s * 1000:g} ms of silence" in PAGE


def test_the_simulator_example_can_be_read() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    compile(example, "scanners.md", "exec")
