# SPDX-License-Identifier: Apache-2.0
"""A number for a label is told once: through restarts, restored stores, lost anchors, two at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import edge.sscc
from edge.errors import LabelsError
from edge.sscc import SsccCounter, SsccRange
from gs1 import Load, identify, sscc_of

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = date(2026, 11, 22)
NUMBERS = SsccRange("9521999", 0, 1, 99)


class Node:
    """A node's two folders, and a counter opened anew for each act, as a command does."""

    def __init__(self, folder: Path, numbers: SsccRange = NUMBERS) -> None:
        self.store, self.anchor, self.numbers = folder / "store", folder / "anchor", numbers
        for each in (self.store, self.anchor):
            each.mkdir(parents=True)

    @property
    def counter(self) -> SsccCounter:
        return SsccCounter(self.store, self.anchor, self.numbers)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = Node(tmp_path)
    made.counter.begin()
    return made


def test_numbers_are_told_in_turn_and_each_is_an_sscc(node: Node) -> None:
    told = [*node.counter.take(), *node.counter.take(3)]
    assert told[0] == "095219990000000013"
    assert told == [sscc_of("9521999", 0, serial) for serial in (1, 2, 3, 4)]
    assert all(isinstance(identify(b"]C100" + sscc.encode(), TODAY), Load) for sscc in told)
    assert node.counter.left() == 95


def test_nothing_is_told_before_a_person_began(tmp_path: Path) -> None:
    node = Node(tmp_path)
    with pytest.raises(
        LabelsError, match=r"never begun here: look for the highest label .* `zonegate label begin`"
    ):
        node.counter.take()
    assert node.counter.begin(7) == 7
    assert node.counter.take() == (sscc_of("9521999", 0, 7),)
    with pytest.raises(LabelsError, match="stands at 8 already"):
        node.counter.begin(50)


@pytest.mark.parametrize("at", [0, 100])
def test_a_beginning_outside_the_range_is_refused(tmp_path: Path, at: int) -> None:
    with pytest.raises(LabelsError, match="expected 1 to 99"):
        Node(tmp_path).counter.begin(at)


def test_an_exhausted_range_tells_nothing_more_and_says_what_to_do(node: Node) -> None:
    node.counter.take(97)
    with pytest.raises(LabelsError, match="2 numbers are left of 1 to 99, 3 are needed: set a new range"):
        node.counter.take(3)
    assert len(node.counter.take(2)) == 2
    with pytest.raises(LabelsError, match="0 numbers are left"):
        node.counter.take()
    assert node.counter.left() == 0


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_no_typing_error_burns_a_range(node: Node, count: int) -> None:
    with pytest.raises(LabelsError, match="expected 1 to 1000"):
        node.counter.take(count)
    assert node.counter.left() == 99


def test_a_range_may_grow_and_another_extension_counts_for_itself(node: Node) -> None:
    node.counter.take(99)
    node.numbers = SsccRange("9521999", 0, 1, 199)
    assert node.counter.take() == (sscc_of("9521999", 0, 100),)
    node.numbers = SsccRange("9521999", 1, 1, 99)
    with pytest.raises(LabelsError, match="never begun"):
        node.counter.take()


def test_a_store_restored_from_a_backup_repeats_nothing(node: Node, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(node.store, backup)
    told = set(node.counter.take(10))
    shutil.rmtree(node.store)
    shutil.copytree(backup, node.store)
    assert told.isdisjoint(node.counter.take(10))
    shutil.rmtree(node.store)
    node.store.mkdir()
    assert told.isdisjoint(node.counter.take(10))


def test_a_lost_anchor_is_refused_with_the_next_step(node: Node) -> None:
    node.counter.take(10)
    (node.anchor / NUMBERS.name).unlink()
    with pytest.raises(LabelsError, match=r"numbers up to 10: .* `zonegate label begin --from 11`"):
        node.counter.take()
    for at in (None, 10):
        with pytest.raises(LabelsError, match="begin with --from 11, or with a higher one"):
            node.counter.begin(at)
    assert node.counter.begin(20) == 20
    assert node.counter.take() == (sscc_of("9521999", 0, 20),)


def test_an_anchor_that_is_behind_the_store_repeats_nothing(node: Node) -> None:
    old = (node.anchor / NUMBERS.name).read_bytes()
    told = set(node.counter.take(10))
    (node.anchor / NUMBERS.name).write_bytes(old)
    assert told.isdisjoint(node.counter.take(10))


@pytest.mark.parametrize("damage", [b"", b"x", b'{"v": 1, "counter": "sscc-0-9521999", "next": 1} 00\n'])
def test_a_damaged_counter_is_refused(node: Node, damage: bytes) -> None:
    (node.anchor / NUMBERS.name).write_bytes(damage)
    with pytest.raises(LabelsError, match="damaged: move it away, and begin above the highest label"):
        node.counter.take()


def test_two_cannot_take_at_once(node: Node) -> None:
    with (node.anchor / edge.sscc._LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LabelsError, match="another process takes numbers right now"):
            node.counter.take()
    assert node.counter.take() == (sscc_of("9521999", 0, 1),)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="needs the anchor's folder"):
        SsccCounter(tmp_path, tmp_path / "gone", NUMBERS).take()


@pytest.mark.skipif(os.geteuid() != 0, reason="not installable: only root can give a folder away")
def test_root_leaves_no_file_that_the_node_cannot_read(node: Node) -> None:
    os.chown(node.anchor, 12345, 12345)
    with pytest.raises(LabelsError, match="user 12345's: run this as that user, not as root"):
        node.counter.take()
    os.chown(node.anchor, 0, 0)
    assert node.counter.left() == 99


class Killed(BaseException):
    """The process was killed here."""


Acts = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 5), st.none()),
        st.tuples(st.just("take"), st.integers(1, 5), st.integers(0, 3)),  # killed at the nth write
        st.tuples(st.sampled_from(["back up", "restore", "lose store"]), st.just(0), st.none()),
    ),
    max_size=30,
)


def killing(after: int | None) -> Callable[[Path, bytes], None]:
    """A write that is killed before its `after`th write reaches the medium."""
    written = 0

    def write(path: Path, data: bytes) -> None:
        nonlocal written
        if written == after:
            raise Killed
        written += 1
        path.write_bytes(data)

    return write


def play(node: Node, acts: list[tuple[str, int, int | None]], folder: Path) -> list[str]:
    """Every number that somebody may have read, in the order told."""
    told: list[str] = []
    backup = folder / "backup"
    for act, count, after in acts:
        if act == "take":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(edge.sscc, "write_whole", killing(after))
                try:
                    told += node.counter.take(count)
                except Killed:
                    continue
        elif act == "back up":
            shutil.rmtree(backup, ignore_errors=True)
            shutil.copytree(node.store, backup)
        elif act == "restore" and backup.exists():
            shutil.rmtree(node.store)
            shutil.copytree(backup, node.store)
        elif act == "lose store":
            shutil.rmtree(node.store)
            node.store.mkdir()
    return told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(Acts)
def test_no_number_is_told_twice_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int | None]]
) -> None:
    folder = tmp_path_factory.mktemp("sscc")
    node = Node(folder, SsccRange("9521999", 0, 1, 999))
    node.counter.begin()
    told = play(node, acts, folder)
    assert len(told) == len(set(told))


def test_a_counter_that_kept_only_the_store_would_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the play above finds a counter whose floor is not beside the anchor."""
    node = Node(tmp_path)
    node.counter.begin()
    monkeypatch.setattr(SsccCounter, "_next", lambda counter: counter._read(counter._store))
    acts: list[tuple[str, int, int | None]] = [("back up", 0, None), ("take", 2, None), ("restore", 0, None)]
    told = play(node, [*acts, ("take", 2, None)], tmp_path)
    assert len(told) > len(set(told))


def test_the_number_is_on_the_medium_before_it_is_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def told_sync(file: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{file}").readlink()))
        sync(file)

    monkeypatch.setattr(os, "fsync", told_sync)
    node.counter.take()
    name = NUMBERS.name
    assert synced == [
        f"{node.anchor / name}.new",
        str(node.anchor),
        f"{node.store / name}.new",
        str(node.store),
    ]
