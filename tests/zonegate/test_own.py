# SPDX-License-Identifier: Apache-2.0
"""Programs of the project's own that the demo and the proofs start."""

from __future__ import annotations

from pathlib import Path

from zonegate.own import OwnNode


def test_a_docks_day_is_that_of_its_own_time_zone(tmp_path: Path) -> None:
    """Between the two lie 26 hours: whenever it is, they have different days."""
    east, west = (
        OwnNode(tmp_path, tenant="example", zone="z", node="dock-1", doors={}, timezone=zone).today()
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12")
    )
    assert east > west
