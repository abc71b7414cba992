# SPDX-License-Identifier: Apache-2.0
"""Times in entries have one form, whatever zone and precision they come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from sync.entry import utc_text

ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001 - hypothesis adds the zone


@given(MOMENTS | MOMENTS.map(lambda moment: moment.replace(microsecond=0)))
def test_a_time_is_written_in_utc_with_microseconds_and_z(moment: datetime) -> None:
    assert utc_text(moment) == moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert datetime.fromisoformat(utc_text(moment)) == moment
