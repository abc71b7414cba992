# SPDX-License-Identifier: Apache-2.0
"""Topics: one depth per class, levels that cannot break out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.bodies import DOOR_EVENTS
from sync.entry import Head
from sync.errors import EventError
from sync.topics import CHANNELS, OFFLINE, TopicTree, payload_of

TREE = TopicTree("example", "zone999", "dock1")


def test_the_topics_of_a_node() -> None:
    base = "zonegate/v1/example/zone999/dock1"
    assert TREE.event("d1", "hold") == f"{base}/d1/event/hold"
    assert TREE.door("d1") == f"{base}/d1/state/door"
    assert TREE.job("d1") == f"{base}/d1/state/job"
    assert TREE.device("d1", "scan-1") == f"{base}/d1/state/device-scan-1"
    assert TREE.status == f"{base}/status"
    assert TREE.head == f"{base}/head"


def test_every_class_of_topics_has_one_depth() -> None:
    depths = {
        name: {address.count("/") for address in CHANNELS.values() if f"/{name}" in address}
        for name in ("event/", "state/")
    }
    assert all(len(found) == 1 for found in depths.values())
    assert [TREE.event("d1", kind).count("/") for kind in DOOR_EVENTS] == [7] * len(DOOR_EVENTS)


@pytest.mark.parametrize("level", ["", "+", "#", "a/b", "A", "ä", "a" * 41, "a.b", "$x", "a\n", "a%"])
def test_a_level_that_would_break_a_topic_is_refused(level: str) -> None:
    for make in (
        lambda: TopicTree(level, "z", "n"),
        lambda: TREE.door(level),
        lambda: TREE.device("d1", level),
        lambda: TREE.event(level, "hold"),
    ):
        with pytest.raises(EventError, match="expected 1 to 40 characters"):
            make()


@given(st.from_regex(r"[a-z0-9_-]{1,40}", fullmatch=True))
def test_every_allowed_door_is_one_level(door: str) -> None:
    assert TREE.event(door, "stop").split("/")[5:] == [door, "event", "stop"]


def test_entries_that_are_no_door_events_have_no_topic() -> None:
    with pytest.raises(EventError, match="'saw' entries are not told as events"):
        TREE.event("d1", "saw")


def test_states_are_small_and_flat() -> None:
    assert payload_of(OFFLINE) == b'{"state":"offline"}'
    head = payload_of(Head("a" * 32, 7, "b" * 64, "c" * 128))
    assert head == b'{"epoch":"%s","seq":7,"hash":"%s","signature":"%s"}' % (b"a" * 32, b"b" * 64, b"c" * 128)
