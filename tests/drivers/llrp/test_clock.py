# SPDX-License-Identifier: Apache-2.0
"""A reader's clock is laid on ours: wrong, set, run off, restarted, or with reads kept from before."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from drivers import TagRead
from drivers.llrp.clock import JUMP_US, ReaderClock

SECOND = 1_000_000
UTC = 1_700_000_000 * SECOND


def seen(clock: ReaderClock, stamp_us: int, now_us: int, first_us: int | None = None) -> TagRead:
    """One tag by the reader's stamp, as the client makes and places it."""
    at_us = stamp_us + (clock.offset_us or 0)
    first_us = at_us if first_us is None else first_us + (clock.offset_us or 0)
    read = TagRead("gate-1", b"\1" * 12, 1, -6000, 1, first_us, at_us)
    return clock.settle([read], clock.offset_us or 0, now_us)[0]


def test_a_read_is_placed_by_the_newest_stamp_where_nothing_else_is_known() -> None:
    clock = ReaderClock()
    assert seen(clock, UTC, 50 * SECOND).last_us == 50 * SECOND
    assert seen(clock, UTC + SECOND, 51 * SECOND).last_us == 51 * SECOND


def test_reads_kept_while_there_was_no_connection_keep_their_time() -> None:
    clock = ReaderClock()
    clock.greet(UTC + 100 * SECOND, 200 * SECOND)
    late = [seen(clock, UTC + (40 + step) * SECOND, 201 * SECOND).last_us for step in range(30)]
    assert late == [(140 + step) * SECOND for step in range(30)]
    assert seen(clock, UTC + 102 * SECOND, 202 * SECOND).last_us == 202 * SECOND
    assert clock.jumps == 0


def test_no_read_is_ever_in_the_future() -> None:
    clock = ReaderClock()
    clock.greet(UTC, 10 * SECOND)
    for ahead_us in (1, 400_000, 10**12):
        assert seen(clock, UTC + ahead_us, 10 * SECOND).last_us <= 10 * SECOND


def test_the_least_lateness_is_the_distance() -> None:
    clock, chance = ReaderClock(), Random(1)
    for step in range(2000):
        now_us = step * 20_000
        seen(clock, UTC + now_us - chance.randrange(2_000, 90_000), now_us)
    assert clock.offset_us is not None
    assert abs(clock.offset_us - (2_000 - UTC)) < 3_000


def test_a_clock_that_runs_off_is_followed() -> None:
    clock = ReaderClock()
    for step in range(20_000):  # 400 s at 100 ppm: 40 ms
        now_us = step * 20_000
        read = seen(clock, UTC + now_us - now_us // 10_000, now_us)
        assert now_us - read.last_us < 5_000
    assert clock.jumps == 0


def test_a_clock_that_ran_off_over_a_night_without_reads_is_right_at_the_first_read() -> None:
    clock = ReaderClock()
    for step in range(10):
        seen(clock, UTC + step * SECOND, step * SECOND)
    morning_us = 8 * 3600 * SECOND
    slow_us = morning_us // 20_000  # 50 ppm: more than a second in a night
    for step in range(5):
        now_us = morning_us + step * 100_000
        assert now_us - seen(clock, UTC + now_us - slow_us, now_us).last_us < 5_000
    assert clock.jumps == 0


def test_a_clock_put_ahead_is_told_and_reads_stay_right() -> None:
    clock = ReaderClock()
    for step in range(10):
        seen(clock, UTC + step * SECOND, step * SECOND)
    times = [seen(clock, UTC + (3600 + step) * SECOND, step * SECOND).last_us for step in range(10, 20)]
    assert times == [step * SECOND for step in range(10, 20)]
    assert (clock.jumps, clock.jump_us) == (1, 3600 * SECOND)


def test_a_clock_put_back_is_told_once_its_reads_stay_late_all_alike() -> None:
    clock = ReaderClock()
    for step in range(10):
        seen(clock, UTC + step * SECOND, step * SECOND)
    times = [seen(clock, UTC + (step - 5) * SECOND, step * SECOND).last_us for step in range(10, 20)]
    assert times[0] < 6 * SECOND, "at first it may be late"
    assert times[3:] == [step * SECOND for step in range(13, 20)]
    assert (clock.jumps, round(clock.jump_us / SECOND)) == (1, -5)


def test_a_backlog_that_drains_is_late_and_no_jump() -> None:
    clock = ReaderClock()
    seen(clock, UTC, 0)
    # A line stalled for 30 s gives all it held back, ten times as fast as it was seen.
    for step in range(300):
        stamp_us, now_us = step * SECOND // 10, 30 * SECOND + step * SECOND // 100
        assert abs(seen(clock, UTC + stamp_us, now_us).last_us - stamp_us) < 10_000
    assert clock.jumps == 0


def test_a_backlog_that_comes_as_fast_as_it_was_seen_is_late_and_no_jump() -> None:
    clock = ReaderClock()
    for step in range(10):
        seen(clock, UTC + step * SECOND, step * SECOND)
    # The line stalls for 6 s, and then just keeps up: all are as late for as long as a pallet is there.
    for step in range(250):
        stamp_us, now_us = 10 * SECOND + step * SECOND // 10, 16 * SECOND + step * SECOND // 10
        assert abs(seen(clock, UTC + stamp_us, now_us).last_us - stamp_us) < 10_000
    assert clock.jumps == 0


def test_a_clock_put_back_while_nothing_was_read_is_found_though_its_stamps_go_on() -> None:
    clock = ReaderClock()
    seen(clock, UTC, 0)
    hour_us = 3600 * SECOND
    times = [seen(clock, UTC + hour_us + (s - 5) * SECOND, hour_us + s * SECOND).last_us for s in range(60)]
    assert times[40:] == [hour_us + s * SECOND for s in range(40, 60)]
    assert (clock.jumps, clock.jump_us // SECOND) == (1, -5)


def test_a_clock_put_back_is_found_by_three_reports_once_it_says_what_it_had_said() -> None:
    clock = ReaderClock()
    for step in range(100):
        seen(clock, UTC + step * SECOND // 50, step * SECOND // 50)
    begun_us = 2 * SECOND
    for step in range(3):
        now_us = begun_us + step * 20_000
        seen(clock, UTC + now_us - 3600 * SECOND, now_us)
    assert clock.jumps == 1, "and not after two seconds of reads in the past"
    now_us = begun_us + 60_000
    assert seen(clock, UTC + now_us - 3600 * SECOND, now_us).last_us == now_us


def test_a_clock_put_back_between_the_greeting_and_the_first_read_is_told() -> None:
    clock = ReaderClock()
    clock.greet(UTC + 3600 * SECOND, 100 * SECOND)
    times = [seen(clock, UTC + step * SECOND // 10, (101 * 10 + step) * SECOND // 10) for step in range(40)]
    assert [read.last_us for read in times[21:]] == [(1010 + step) * SECOND // 10 for step in range(21, 40)]
    assert (clock.jumps, round(clock.jump_us / SECOND)) == (1, -3601)


def test_the_slices_of_one_report_are_one_witness() -> None:
    clock = ReaderClock()
    for step in range(5):
        seen(clock, UTC + step * SECOND, step * SECOND)
    now_us, wild_us = 5 * SECOND, UTC + 3600 * SECOND
    for _ in range(9):
        seen(clock, wild_us, now_us)
    assert clock.jumps == 0
    for late in (1, 2):
        seen(clock, wild_us + late * SECOND, now_us + late * SECOND)
    assert clock.jumps == 1, "the control: three reports are"


def test_one_damaged_stamp_moves_nothing() -> None:
    clock = ReaderClock()
    for step in range(20):
        stamp_us = UTC + step * SECOND if step != 9 else 2**63
        assert seen(clock, stamp_us, step * SECOND).last_us == step * SECOND
    assert clock.jumps == 0


def test_one_damaged_stamp_drags_no_other_read_of_its_report() -> None:
    clock = ReaderClock()
    for step in range(3):
        seen(clock, UTC + step * SECOND, step * SECOND)
    offset_us, now_us = clock.offset_us or 0, 3 * SECOND
    stamps = (UTC + now_us - 1000, UTC + now_us + 3600 * SECOND, UTC + now_us - 500)
    reads = [
        TagRead("gate-1", b"", 1, -6000, 1, stamp_us + offset_us, stamp_us + offset_us) for stamp_us in stamps
    ]
    placed = clock.settle(reads, offset_us, now_us)
    assert [read.last_us for read in placed] == [now_us - 1000, now_us, now_us - 500]


def test_a_reader_that_was_restarted_says_so_in_its_greeting() -> None:
    clock = ReaderClock()
    clock.greet(5000 * SECOND, 100 * SECOND)
    seen(clock, 5001 * SECOND, 101 * SECOND)
    clock.greet(20 * SECOND, 200 * SECOND)  # by uptime, which begins anew
    assert clock.jumps == 1
    assert seen(clock, 21 * SECOND, 201 * SECOND).last_us == 201 * SECOND


def test_a_greeting_in_another_time_base_than_the_reports_is_no_jump() -> None:
    clock = ReaderClock()
    clock.greet(77 * SECOND, 100 * SECOND)
    times = [seen(clock, UTC + step * SECOND, (101 + step) * SECOND).last_us for step in range(5)]
    assert times == [(101 + step) * SECOND for step in range(5)]
    assert clock.jumps == 0


def test_reads_without_a_time_teach_nothing() -> None:
    clock = ReaderClock()
    read = TagRead("gate-1", b"", 1, -6000, 1, 7, 7)
    assert clock.settle([read], 0, 7) == [read]
    assert clock.offset_us is None
    assert clock.settle([], 0, 8) == []


def test_a_report_in_slices_is_placed_by_one_offset_whatever_its_first_slice_taught() -> None:
    clock = ReaderClock()

    def slices(count: int, now_us: int) -> list[int]:
        """A report of the last `count` tenths of a second, one read a slice, all made with one offset."""
        made_with_us, placed = clock.offset_us or 0, []
        for step in range(count):
            at_us = UTC + now_us - (count - 1 - step) * 100_000 + made_with_us
            read = TagRead("gate-1", b"", 1, -6000, 1, at_us, at_us)
            placed.append(clock.settle([read], made_with_us, now_us)[0].last_us)
        return placed

    slices(5, 100 * SECOND)  # the first that is heard of this reader
    placed = slices(5, 110 * SECOND)
    assert [round(at_us / 100_000) for at_us in placed] == [1096, 1097, 1098, 1099, 1100]
    assert clock.jumps == 0


def test_an_event_is_placed_and_never_in_the_future() -> None:
    clock = ReaderClock()
    assert clock.place(UTC, 5) == 5
    clock.greet(UTC, 100)
    assert (clock.place(UTC - 30, 200), clock.place(UTC + 500, 200)) == (70, 200)


STAMPS = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(STAMPS, STAMPS, st.integers(0, 10**9)), max_size=60))
def test_whatever_a_reader_stamps_times_are_possible(steps: list[tuple[int, int, int]]) -> None:
    clock, now_us = ReaderClock(), 0
    for first_us, stamp_us, pause_us in steps:
        now_us += pause_us
        read = seen(clock, stamp_us, now_us, first_us)
        assert 0 <= read.first_us <= read.last_us <= now_us
        assert 0 <= clock.place(stamp_us, now_us) <= now_us


def test_a_clock_that_trusts_each_report_would_be_moved_by_a_backlog() -> None:
    """The control: placed by the newest stamp of each report alone, reads that were kept lose their time."""
    naive_us = [30 * SECOND + step * SECOND // 100 for step in range(300)]
    assert all(abs(at_us - step * SECOND // 10) > JUMP_US for step, at_us in enumerate(naive_us))
