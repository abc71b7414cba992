# SPDX-License-Identifier: Apache-2.0
"""The doctor tells labels that could not be used, and why, from the scans that the node kept."""

from __future__ import annotations

from pathlib import Path

from edge.config import DoorConfig, NodeConfig
from tests.edge.yard import Papers, load_number
from tests.zonegate.test_explain import dock_over
from zonegate.doctor import WARN, _labels


def config_of(folder: Path) -> NodeConfig:
    doors = (DoorConfig("in", "In"), DoorConfig("out", "Out"))
    return NodeConfig("t", "z", "n", folder / "store", folder / "anchor", "UTC", doors)


async def test_labels_that_named_no_load_are_told_with_the_reason_of_the_newest(tmp_path: Path) -> None:
    yard = dock_over(tmp_path, Papers())
    yard.open("in")
    yard.open("out")
    for code in (b"]C01Z999AA10123456784", load_number("in", 1), b"]C100095219990000000014"):
        yard.read("in", code)
    yard.read("out", load_number("out", 1))
    await yard.recorder.close()
    [finding] = list(_labels(config_of(tmp_path)))
    assert (finding.level, finding.about) == (WARN, "door in")
    assert finding.text.startswith(
        "2 of the last 4 scans named no load; the newest, ]C100095219990000000014: "
    )
    assert "check digit 4, expected 3" in finding.text


async def test_a_node_that_reads_well_or_never_ran_has_no_such_finding(tmp_path: Path) -> None:
    assert list(_labels(config_of(tmp_path))) == []
    yard = dock_over(tmp_path, Papers())
    yard.open("in")
    yard.read("in", load_number("in", 1))
    await yard.recorder.close()
    assert list(_labels(config_of(tmp_path))) == []
