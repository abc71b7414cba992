# SPDX-License-Identifier: Apache-2.0
"""What a passage was judged from, as bytes and back."""

from __future__ import annotations

import hashlib
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.read import InputChange, TagRead
from edge import evidence
from edge.errors import EvidenceError
from edge.evidence import Evidence, Known, Loaded
from edge.gate import judge
from edge.passage import Antenna, Eye, GateSettings, Layout

TIMES = st.integers(0, 2**40)
NUMBERS = st.none() | st.integers(-(2**31), 2**31)
LAYOUT = Layout(
    (Antenna("a", 1, "d1", "inner"), Antenna("a", 2, "d1", "outer"), Antenna("b", 1, "d2", "middle")),
    (Eye("a", 1, "d1", "inner"), Eye("a", 2, "d1", "outer", blocked_when=False)),
)
READS = st.builds(
    TagRead,
    device=st.sampled_from("ab"),
    epc=st.binary(min_size=1, max_size=62),
    antenna=st.integers(0, 5),
    rssi_cdbm=st.integers(-9_000, -1_000),
    count=st.integers(1, 65_535),
    first_us=st.integers(0, 60_000_000),
    last_us=st.integers(0, 60_000_000),
    pc=NUMBERS,
    phase=NUMBERS,
    doppler=NUMBERS,
    channel=NUMBERS,
    tid=st.none() | st.binary(max_size=12),
)
INPUTS = st.builds(
    InputChange,
    device=st.just("a"),
    port=st.integers(1, 3),
    high=st.booleans(),
    at_us=st.integers(0, 60_000_000),
)
KNOWN = st.builds(
    Known,
    epc=st.binary(min_size=1, max_size=12),
    antennas=st.just((0, 1)),
    levels_cdbm=st.tuples(st.integers(-9_000, -1_000), st.integers(-9_000, -1_000)),
    cells=st.tuples(st.integers(1, 99), st.integers(1, 99)),
    since_us=TIMES,
    until_us=TIMES,
)
ALL = st.builds(
    Evidence,
    passage=st.just("d1-1"),
    door=st.just("d1"),
    opened_us=st.integers(0, 30_000_000),
    closed_us=st.integers(30_000_000, 60_000_000),
    layout=st.just(LAYOUT),
    settings=st.builds(GateSettings, confidence_min=st.integers(0, 1000)),
    reads=st.lists(READS, max_size=30).map(tuple),
    inputs=st.lists(INPUTS, max_size=10).map(tuple),
    known=st.lists(KNOWN, max_size=3).map(tuple),
    loaded=st.none() | st.builds(Loaded, direction=st.sampled_from(("in", "out")), at_us=TIMES),
    lost=st.lists(st.tuples(st.just("a"), TIMES), max_size=1).map(tuple),
    left_out=st.integers(0, 9),
    final=st.booleans(),
)


@given(ALL)
@settings(max_examples=150, deadline=None)
def test_evidence_comes_back_as_it_was_and_is_judged_alike(given_evidence: Evidence) -> None:
    again = evidence.decode(evidence.encode(given_evidence))
    assert again == given_evidence
    assert judge(again) == judge(given_evidence)


@given(st.binary(max_size=200))
def test_strange_bytes_are_refused_in_words(data: bytes) -> None:
    for each in (data, b"ZGP\x01" + data, b"ZGP\x01" + zlib.compress(data)):
        with pytest.raises(EvidenceError):
            evidence.decode(each)


@given(ALL, st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_damaged_evidence_is_refused_or_read(given_evidence: Evidence, at: int, bits: int) -> None:
    data = bytearray(evidence.encode(given_evidence))
    data[at % len(data)] ^= bits
    try:
        evidence.decode(bytes(data))
    except EvidenceError:
        return


def test_evidence_of_a_newer_form_asks_for_a_newer_program() -> None:
    with pytest.raises(EvidenceError, match="update the program"):
        evidence.decode(b"ZGP\x02rest")


def test_evidence_that_unpacks_without_end_is_refused() -> None:
    packed = zlib.compress(bytes(evidence.EVIDENCE_BYTES_MAX + 1), 9)
    with pytest.raises(EvidenceError, match="longer"):
        evidence.decode(b"ZGP\x01" + packed)


def test_a_name_is_of_the_bytes() -> None:
    one, other = evidence.name(b"one"), evidence.name(b"other")
    assert one != other and len(one) == 64
    assert one == evidence.name(b"one")


def test_evidence_is_compact() -> None:
    reads = tuple(
        TagRead(
            "gate", n % 20 * b"\x01" + bytes(12), 1 + n % 2, -5000 - n % 70, 1, 1000 * n, 1000 * n, 0x3000
        )
        for n in range(2_000)
    )
    whole = Evidence("d1-1", "d1", 0, 2_000_000, LAYOUT, GateSettings(), reads)
    size = len(evidence.encode(whole))
    print(f"{size / len(reads):.1f} bytes a read")
    assert size < len(msgspec.msgpack.encode(reads)) / 2


def test_the_same_passage_has_the_same_bytes_in_every_version_of_the_program() -> None:
    reads = tuple(
        TagRead(
            device="ab"[at % 2],
            epc=bytes([0x30, at % 3]) * 6,
            antenna=at % 4,
            rssi_cdbm=-3_000 - 17 * at,
            count=1 + at % 3,
            first_us=1_000_000 + 900 * at - 50 * (at % 5),
            last_us=1_000_000 + 1_000 * at,
            pc=0x3000 if at % 7 else None,
            channel=at % 50,
            tid=bytes([0xE2, at]) if at % 4 == 0 else None,
        )
        for at in range(40)
    )
    inputs = (InputChange("a", 1, high=True, at_us=1_000_500),)
    known = (Known(reads[0].epc, (0, 1), (-5_000, -6_000), (9, 8), 1, 2),)
    whole = Evidence(
        "d1-1",
        "d1",
        1_000_000,
        2_000_000,
        LAYOUT,
        GateSettings(confidence_min=950),
        reads,
        inputs,
        known,
        Loaded("out", 7),
    )
    packed = zlib.decompress(evidence.encode(whole)[4:])
    assert hashlib.sha256(packed).hexdigest()[:32] == "70ca892fc3c00e33273ff16a67d2dd08"
    bare = zlib.decompress(evidence.encode(msgspec.structs.replace(whole, reads=(), inputs=(), known=()))[4:])
    assert hashlib.sha256(bare).hexdigest()[:32] == "43166ece0fd7b410486703feb75d1171"
