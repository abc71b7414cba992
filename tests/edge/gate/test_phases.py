# SPDX-License-Identifier: Apache-2.0
"""What phases say of movement: rest, speed and its sense, whatever half turn the reader cannot tell."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.read import TagRead
from edge.gate.phases import Look, looks, movement

WAVE_M = 0.328
START_US = 5_000_000
NOISE_TURN = 0.016


def heard(
    speed: float, seed: int, *, antenna: int = 1, channel: int = 7, from_us: int = START_US, reads: int = 12
) -> list[TagRead]:
    """One look of 80 ms at a tag that goes away at `speed` m/s, each phase right up to half a turn."""
    chance = Random(seed)
    start = chance.random()
    found = []
    for at_us in sorted(from_us + chance.randrange(80_000) for _ in range(reads)):
        far_m = speed * (at_us - from_us) / 1e6
        turn = start - 2.0 * far_m / WAVE_M + chance.gauss(0.0, NOISE_TURN) + chance.choice((0.0, 0.5))
        found.append(
            TagRead(
                device="gate",
                epc=b"\x31" * 12,
                antenna=antenna,
                rssi_cdbm=-5_000,
                count=1,
                first_us=at_us,
                last_us=at_us,
                channel=channel,
                phase=int(turn % 1.0 * 4096),
            )
        )
    return found


@given(st.integers(0, 10_000))
def test_a_tag_at_rest_is_seen_to_keep_still(seed: int) -> None:
    [look] = looks(heard(0.0, seed))
    assert look.still > 0.9
    assert abs(look.speed) <= 0.4


@given(st.integers(0, 10_000), st.sampled_from([-2.4, -1.6, -1.0, 1.0, 1.6, 2.4]))
def test_the_speed_of_a_tag_is_told_with_its_sense(seed: int, speed: float) -> None:
    [look] = looks(heard(speed, seed, reads=20))
    assert look.speed == pytest.approx(speed, abs=0.4)
    assert look.fits > 0.9
    assert look.still < look.fits


def test_another_channel_antenna_or_pause_is_another_look() -> None:
    first = heard(0.0, 1)
    assert len(looks([*first, *heard(0.0, 2, from_us=START_US + 90_000)])) == 1
    assert len(looks([*first, *heard(0.0, 2, from_us=START_US + 400_000)])) == 2
    assert len(looks([*first, *heard(0.0, 2, channel=8, from_us=START_US + 90_000)])) == 2
    assert len(looks([*first, *heard(0.0, 2, antenna=2, from_us=START_US + 90_000)])) == 2


def test_reads_without_a_phase_and_looks_too_short_say_nothing() -> None:
    alone = heard(1.0, 3)[:1]
    assert looks(alone) == []
    assert looks([TagRead("gate", b"\x31" * 12, 1, -5_000, 1, n, n) for n in range(1, 200_000, 5_000)]) == []


def looked(speed: float, off_us: int) -> Look:
    [look] = looks(heard(speed, abs(off_us) + 1, from_us=START_US + off_us - 40_000, reads=20))
    return look


def test_what_came_and_went_is_told_from_what_rests_or_comes_only() -> None:
    times = range(-1_800_000, 2_000_000, 300_000)
    crossed = movement([looked(-1.4 if off < 0 else 1.4, off) for off in times], START_US)
    rested = movement([looked(0.0, off) for off in times], START_US)
    turned = movement([looked(-1.4 if off < 0 else 0.0, off) for off in times], START_US)
    assert crossed.came > 0.7
    assert crossed.went > 0.7
    assert (round(rested.came, 1), round(rested.went, 1)) == (0.0, 0.0)
    assert rested.kept > crossed.kept
    assert crossed.turned > rested.turned
    assert turned.came > 0.7
    assert turned.went < 0.3
    assert turned.kept_after > turned.kept_before


def test_what_was_long_before_or_after_says_nothing_of_a_moment() -> None:
    far = movement([looked(1.4, 9_000_000)], START_US)
    assert far == movement([], START_US)
