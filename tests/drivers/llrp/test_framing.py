# SPDX-License-Identifier: Apache-2.0
"""A reader's stream cut into frames, however it arrives."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import Message, encode

FRAMES = [
    encode(Message("KEEPALIVE", 1)),
    encode(Message("START_ROSPEC", 2, {"ROSpecID": 9})),
    encode(Message("Unknown", 3, {"Type": 900, "Data": bytes(range(200))})),
    encode(Message("KEEPALIVE", 4, version=2)),
]


@given(st.lists(st.integers(1, 60), max_size=20))
def test_however_the_stream_is_split_the_frames_are_the_same(sizes: list[int]) -> None:
    framer = LlrpFramer()
    stream = b"".join(FRAMES)
    found: list[bytes | BadHeader] = []
    for size in sizes:
        found += framer.feed(stream[:size])
        stream = stream[size:]
    found += framer.feed(stream)
    assert found == FRAMES
    assert framer.pending == 0


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("24 3e 0000000a 00000001", "reserved bits are 001"),
        ("00 3e 0000000a 00000001", "version is 0"),
        ("10 3e 0000000a 00000001", "version is 4"),
        ("04 3e 00000009 00000001", "length is 9"),
        ("04 3e 00800001 00000001", "length is 8388609"),
    ],
)
def test_what_is_no_header_ends_the_stream_until_the_next_connection(header: str, why: str) -> None:
    framer = LlrpFramer()
    *before, bad = framer.feed(FRAMES[0] + bytes.fromhex(header) + FRAMES[1])
    assert before == [FRAMES[0]]
    assert isinstance(bad, BadHeader)
    assert bad.problem.startswith(why)
    assert bad.header == bytes.fromhex(header)
    assert framer.feed(FRAMES[1]) == []
    framer.reset()
    assert framer.feed(FRAMES[1]) == [FRAMES[1]]


def test_no_more_is_held_than_one_frame_and_what_came_last() -> None:
    framer = LlrpFramer(length_max=1000)
    chance = Random(1)
    for _ in range(200):
        frame = encode(Message("Unknown", 1, {"Type": 900, "Data": bytes(chance.randrange(990))}))
        for start in range(0, len(frame), 300):
            framer.feed(frame[start : start + 300])
            assert framer.pending < 1000 + 300
    assert framer.pending == 0
    assert isinstance(
        framer.feed(encode(Message("Unknown", 1, {"Type": 900, "Data": bytes(991)})))[0], BadHeader
    )
