# SPDX-License-Identifier: Apache-2.0
"""A bad line does what it is told to, and the same again from the same seed."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from drivers import LineFaults

likelihoods = st.floats(0, 1)


def joined(pieces: list[tuple[float, bytes]]) -> bytes:
    return b"".join(piece for _, piece in pieces)


@given(st.binary(max_size=100), st.integers(0, 99), likelihoods, likelihoods)
def test_splitting_and_delaying_change_no_byte(data: bytes, seed: int, split: float, delay: float) -> None:
    pieces = LineFaults(Random(seed), split=split, delay=delay, delay_s_max=0.5).apply(data)
    assert joined(pieces) == data
    assert all(0 <= pause_s <= 0.5 for pause_s, _ in pieces)


@given(st.binary(max_size=100), st.integers(0, 99), st.lists(likelihoods, max_size=4))
def test_one_seed_is_one_day(data: bytes, seed: int, chances: list[float]) -> None:
    one, other = (LineFaults(Random(seed), *chances).apply(data) for _ in range(2))
    assert one == other


@given(st.binary(min_size=1, max_size=100))
def test_each_fault_happens_when_it_is_certain(data: bytes) -> None:
    assert len(LineFaults(Random(0), split=1).apply(data)) == len(data)
    assert joined(LineFaults(Random(0), duplicate=1).apply(data)) == data * 2
    garbled = joined(LineFaults(Random(0), garble=1).apply(data))
    assert all(before != after for before, after in zip(data, garbled, strict=True))
    assert all(pause_s > 0 for pause_s, _ in LineFaults(Random(0), delay=1).apply(data))
