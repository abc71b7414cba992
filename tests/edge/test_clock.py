# SPDX-License-Identifier: Apache-2.0
"""The system's clocks: aware UTC, a boot's monotonic time, ids in order of time."""

from __future__ import annotations

import uuid
from datetime import timedelta

from edge.clock import system_clocks
from tests.edge.journals import Time


def test_the_system_tells_aware_utc_and_a_monotonic_time_of_a_named_boot() -> None:
    clocks = system_clocks()
    assert clocks.utc().utcoffset() == timedelta(0)
    first, second = clocks.stamp(), clocks.stamp()
    assert first.mono_ns <= second.mono_ns
    assert str(uuid.UUID(first.boot)) == first.boot
    assert clocks.synchronized() in (True, False)


def test_ids_carry_the_time_they_were_made_at() -> None:
    time = Time()
    clocks = time.clocks()
    early = uuid.UUID(clocks.entry_id())
    time.ns += 5_000_000
    late = uuid.UUID(clocks.entry_id())
    assert (late.int >> 80) - (early.int >> 80) == 5
    assert early.version == late.version == 7


def test_an_epoch_is_named_by_32_hex_digits() -> None:
    name = system_clocks().epoch()
    assert len(name) == 32
    assert bytes.fromhex(name)
