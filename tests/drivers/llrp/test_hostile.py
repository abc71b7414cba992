# SPDX-License-Identifier: Apache-2.0
"""Frames that no honest reader sends: refused by our own error or read, never anything else, and the next
frame is read all the same.
"""

from __future__ import annotations

import tracemalloc
from random import Random

import pytest

from drivers.llrp import messages
from drivers.llrp.framing import LlrpFramer
from drivers.llrp.messages import LlrpError, Message, Parameter, decode, encode
from drivers.llrp.reports import ReportDecoder
from tests.drivers.llrp import mutations

ROUNDS, ROUNDS_LONG = 10_000, 300_000

TAG = encode(
    Message(
        "RO_ACCESS_REPORT", 1, {}, [Parameter("TagReportData", {}, [Parameter("EPC96", {"EPC": bytes(12)})])]
    )
)[10:]


def judged(rounds: int, seed: int) -> tuple[int, int]:
    """How many of so many mutated frames were read, and how many refused."""
    chance = Random(seed)
    others = mutations.good(chance, 200)
    read = 0
    for _ in range(rounds):
        read += mutations.check(mutations.mutated(chance, chance.choice(others), others)) is not None
    return read, rounds - read


def test_mutated_frames_are_read_or_refused() -> None:
    read, refused = judged(ROUNDS, 1)
    assert min(read, refused) > ROUNDS / 20, "the mutations are too tame or too wild"
    print(f"{read} mutated frames read, {refused} refused")


@pytest.mark.long
def test_many_mutated_frames_are_read_or_refused() -> None:
    print("{} mutated frames read, {} refused".format(*judged(ROUNDS_LONG, 2)))


def test_a_codec_that_loses_a_bit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutations, "encode", lambda message: encode(message)[:-1] + b"\x00")
    with pytest.raises(AssertionError):
        judged(50, 1)


def test_a_bad_inside_between_good_frames_costs_only_itself() -> None:
    chance = Random(4)
    good = [frame for frame in mutations.good(chance, 60) if len(frame) > 20]
    bad = [frame[:10] + b"\x00\xf0\xff\xff" + frame[14:] for frame in good]
    stream = b"".join(frame for pair in zip(good, bad, strict=True) for frame in pair)
    frames = LlrpFramer().feed(stream)
    assert frames[::2] == good
    assert frames[1::2] == bad
    for frame in frames:
        assert isinstance(frame, bytes)
        mutations.check(frame)
    assert all(mutations.check(frame) for frame in good)


def test_parameters_without_end_cost_no_more_than_they_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    # A tenth of what is allowed, since memory is counted slowly.
    monkeypatch.setattr(messages, "_PARAMETERS_MAX", 25_000)
    deep = b""
    for _ in range(2000):
        deep = b"\x01\x21" + (8 + len(deep)).to_bytes(2, "big") + bytes(4) + deep
    many = b"\x00\xfb\x00\x04" * 200_000
    for body, why in ((deep, "deep in each other"), (many, "parameters in a message")):
        frame = b"\x04\x64" + (10 + len(body)).to_bytes(4, "big") + bytes(4) + body
        tracemalloc.start()
        with pytest.raises(LlrpError, match=why):
            decode(frame)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 15_000_000


def test_a_report_of_tags_that_all_differ_learns_no_more_than_it_may() -> None:
    decoder = ReportDecoder("gate")
    for size in range(1, 900):
        strange = Parameter("Unknown", {"Type": 600, "Data": bytes(size)})
        tag = Parameter("TagReportData", {}, [Parameter("EPC96", {"EPC": bytes(12)}), strange])
        assert len(decoder.decode(encode(Message("RO_ACCESS_REPORT", 1, {}, [tag])), 0)) == 1
    assert sum(map(len, decoder._layouts.values())) <= 256


def test_an_error_names_the_way_to_a_parameter_however_deep() -> None:
    inner = Parameter("C1G2TagInventoryMask", {"MemoryBank": 1, "TagMask": b"\x01"})
    spec = Parameter("C1G2InventoryCommand", {}, [Parameter("C1G2Filter", {}, [inner])])
    frame = bytearray(
        encode(Message("SET_READER_CONFIG", 1, {}, [Parameter("AntennaConfiguration", {}, [spec])]))
    )
    frame[-2] = 200
    with pytest.raises(LlrpError) as caught:
        decode(frame)
    assert caught.value.chain == (
        "SET_READER_CONFIG",
        "AntennaConfiguration",
        "C1G2InventoryCommand",
        "C1G2Filter",
        "C1G2TagInventoryMask",
    )
    assert "bytes are left for TagMask" in caught.value.problem


@pytest.mark.parametrize(
    "inside",
    [
        # Short parameters between the tags: of a type that nobody knows, which takes all that is left, and of
        # one that a tag may have.
        b"\xf4\x00\x00\x0e" + bytes(10) + TAG,
        TAG + b"\xc0" + TAG,
        TAG + b"\x81\x00\x07" + TAG,
        TAG + b"\x81\x00",
        TAG + b"\x04\xf0" + TAG[2:] + TAG,
    ],
)
def test_short_parameters_between_tags_are_read_alike_by_both_ways(inside: bytes) -> None:
    mutations.check(b"\x04\x3d" + (10 + len(inside)).to_bytes(4, "big") + bytes(4) + inside)
