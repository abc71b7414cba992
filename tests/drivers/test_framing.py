# SPDX-License-Identifier: Apache-2.0
"""Bytes become codes whatever their ends, cuts and company."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import Frame, OverLong, ScanFramer, Torn, encode_scan
from drivers.framing import FRAME_LENGTH_MAX

MS = 1_000_000
CODE = b"]C10109520123456788" + b"10LOT\x1d21S1"

# What a barcode can hold without ending its own line.
codes = st.binary(min_size=1, max_size=60).map(lambda code: code.translate(None, b"\0\2\3\r\n"))
framings = st.sampled_from([(b"\r", False), (b"\n", False), (b"\r\n", False), (b"", True), (b"\r\n", True)])


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("stx_etx", [False, True])
def test_a_code_keeps_its_identifier_and_separators_at_any_usual_end(suffix: bytes, stx_etx: bool) -> None:
    sent = encode_scan(CODE[3:], "]C1", suffix, stx_etx)
    assert ScanFramer().feed(sent + sent, 0) == [Frame(CODE), Frame(CODE)]


def test_etx_alone_ends_a_code() -> None:
    assert ScanFramer().feed(encode_scan(b"ABC", None, b"", stx_etx=True), 0) == [Frame(b"ABC")]


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("stx_etx", [False, True])
def test_a_cut_at_any_byte_changes_nothing(suffix: bytes, stx_etx: bool) -> None:
    sent = encode_scan(CODE[3:], "]C1", suffix, stx_etx)
    for cut in range(len(sent) + 1):
        framer = ScanFramer()
        assert framer.feed(sent[:cut], 0) + framer.feed(sent[cut:], 1) == [Frame(CODE)]


@given(st.lists(codes.filter(bool), max_size=5), framings, st.integers(0, 2**32))
def test_codes_come_out_as_they_went_in_however_the_line_cuts_them(
    sent: list[bytes], framing: tuple[bytes, bool], seed: int
) -> None:
    framer, chance, came = ScanFramer(no_read=b""), Random(seed), []
    stream = b"".join(encode_scan(code, None, *framing) for code in sent)
    while stream:
        cut = chance.randint(1, len(stream))
        came += framer.feed(stream[:cut], 0)
        stream = stream[cut:]
    assert came == [Frame(code) for code in sent]


def test_silence_ends_a_code_on_a_line_without_terminators() -> None:
    framer = ScanFramer(idle_gap_s=0.05)
    assert framer.feed(b"ABC", 0) == []
    assert framer.feed(b"DEF", 49 * MS) == []
    assert framer.deadline_ns == 99 * MS
    assert framer.flush(98 * MS) == []
    assert framer.flush(99 * MS) == [Frame(b"ABCDEF")]
    assert framer.deadline_ns is None


def test_a_reader_that_was_late_does_not_cut_a_code_in_half() -> None:
    framer = ScanFramer(idle_gap_s=0.05)
    framer.feed(b"ABC", 0)
    assert framer.feed(b"DEF", 60 * MS) == []
    assert framer.flush(110 * MS) == [Frame(b"ABCDEF")]


def test_a_stutter_never_makes_half_a_code_on_a_line_with_terminators() -> None:
    framer = ScanFramer(idle_gap_s=0.05, stale_s=1.0)
    framer.feed(b"A\r", 0)
    assert framer.feed(b"0095201234567", 0) == []
    assert framer.flush(500 * MS) == []
    assert framer.feed(b"89123\r", 900 * MS) == [Frame(b"009520123456789123")]


def test_what_stays_unfinished_is_dropped_and_told() -> None:
    framer = ScanFramer(stale_s=1.0)
    framer.feed(b"A\rHALF", 0)
    assert framer.flush(1000 * MS) == [Torn(4)]
    assert framer.feed(b"WHOLE\r", 1001 * MS) == [Frame(b"WHOLE")]


def test_a_stray_terminator_does_not_silence_a_scanner_that_sends_none() -> None:
    framer = ScanFramer(idle_gap_s=0.05, stale_s=1.0)
    framer.feed(b"\r", 0)
    framer.feed(b"FIRST", 1)
    assert framer.flush(1001 * MS) == [Torn(5)]
    framer.feed(b"SECOND", 2000 * MS)
    assert framer.flush(2050 * MS) == [Frame(b"SECOND")]


def test_a_new_start_tears_the_code_before_it() -> None:
    assert ScanFramer().feed(b"\x02HALF\x02WHOLE\x03", 0) == [Torn(4), Frame(b"WHOLE")]


def test_a_lost_link_tears_the_code_it_cut() -> None:
    framer = ScanFramer()
    framer.feed(b"HALF", 0)
    assert framer.reset() == [Torn(4)]
    assert framer.feed(b"WHOLE\r", 1) == [Frame(b"WHOLE")]
    assert framer.reset() == []


@pytest.mark.parametrize("step", [1, 7, 100, 1000])
def test_an_over_long_line_is_dropped_to_its_end_and_told_once(step: int) -> None:
    framer, came = ScanFramer(max_length=64), []
    stream = b"GOOD\r" + b"X" * 500 + b"\rNEXT\r" + b"Y" * 64 + b"\r"
    for start in range(0, len(stream), step):
        came += framer.feed(stream[start : start + step], 0)
    assert came == [Frame(b"GOOD"), OverLong(500), Frame(b"NEXT"), Frame(b"Y" * 64)]


def test_an_over_long_line_without_an_end_is_told_when_the_line_falls_silent() -> None:
    framer = ScanFramer(max_length=64, idle_gap_s=0.05)
    assert framer.feed(b"X" * 500, 0) == []
    assert framer.flush(50 * MS) == [OverLong(500)]


def test_a_code_of_ten_kilobytes_comes_through_to_be_refused_with_reasons() -> None:
    assert ScanFramer().feed(b"0" * 10_000 + b"\r", 0) == [Frame(b"0" * 10_000)]


def test_nul_bytes_and_empty_lines_are_passed_over() -> None:
    assert ScanFramer().feed(b"\0\0\r\n\n\x03A\0B\0\r\0", 0) == [Frame(b"AB")]


@pytest.mark.parametrize("sent", [b"NOREAD\r", b"]X0NOREAD\r\n", b"\x02NOREAD\x03"])
def test_the_scanners_word_for_no_read_is_known_with_and_without_identifier(sent: bytes) -> None:
    (frame,) = ScanFramer().feed(sent, 0)
    assert isinstance(frame, Frame)
    assert frame.no_read


def test_without_a_word_for_no_read_every_code_is_a_code() -> None:
    assert ScanFramer(no_read=b"").feed(b"NOREAD\r", 0) == [Frame(b"NOREAD")]
    assert ScanFramer(no_read=b"?").feed(b"?\r", 0) == [Frame(b"?", no_read=True)]


@given(st.lists(st.tuples(st.binary(max_size=400), st.integers(0, 2 * 10**9)), max_size=20))
def test_any_bytes_at_any_times_stay_within_bounds(arrivals: list[tuple[bytes, int]]) -> None:
    framer, now_ns, accounted, fed = ScanFramer(max_length=100), 0, 0, 0
    for data, pause_ns in arrivals:
        now_ns += pause_ns
        fed += len(data)
        for piece in [*framer.flush(now_ns), *framer.feed(data, now_ns)]:
            accounted += len(piece.code) if isinstance(piece, Frame) else piece.length
            assert not isinstance(piece, Frame) or 0 < len(piece.code) <= 100
        assert len(framer._buffer) <= 100
    accounted += sum(piece.length for piece in framer.reset() if not isinstance(piece, Frame))
    ends = sum(data.count(byte) for data, _ in arrivals for byte in (b"\0", b"\2", b"\3", b"\r", b"\n"))
    assert accounted == fed - ends  # every byte is in a code, in what was told as dropped, or an end


def test_a_minute_of_noise_needs_no_more_memory_than_one_line() -> None:
    framer, chance = ScanFramer(), Random(1)
    for _ in range(70):
        framer.feed(chance.randbytes(10_000).translate(None, b"\x02\x03\r\n"), 0)
        assert len(framer._buffer) <= FRAME_LENGTH_MAX
    (piece,) = framer.feed(b"\r", 0)
    assert isinstance(piece, OverLong)
