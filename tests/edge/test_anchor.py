# SPDX-License-Identifier: Apache-2.0
"""The anchor keeps the last told head through torn writes, and the key that nobody else may read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.anchor import Anchor
from edge.errors import AnchorError, StoreBusy
from sync.entry import Place, head_message
from sync.keys import check


def place(seq: int) -> Place:
    return Place("e" * 32, seq, f"{seq:064x}")


def test_an_anchor_never_written_holds_nothing(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    assert anchor.read() is None
    anchor.hold()
    assert anchor.read() is None
    anchor.release()


def test_the_last_place_written_is_read_by_the_next_process(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    anchor.hold()
    for seq in range(1, 6):
        anchor.write(place(seq))
        assert Anchor(tmp_path).read() == place(seq)
    anchor.release()
    again = Anchor(tmp_path)
    again.hold()
    again.write(place(6))
    again.release()
    assert Anchor(tmp_path).read() == place(6)


@settings(deadline=None)
@given(writes=st.integers(1, 5), cut=st.integers(0, 511), garbage=st.binary(min_size=512, max_size=512))
def test_a_torn_write_leaves_the_place_before_it(
    tmp_path_factory: pytest.TempPathFactory, writes: int, cut: int, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("anchor")
    anchor = Anchor(folder)
    anchor.hold()
    for seq in range(1, writes + 1):
        anchor.write(place(seq))
    before = (folder / "anchor").read_bytes()
    anchor.write(place(writes + 1))
    anchor.release()
    after = (folder / "anchor").read_bytes()
    start = next(at for at in (0, 4096) if before[at : at + 512] != after[at : at + 512])
    line = after[start : start + 512]
    for torn in (line[:cut] + before[start + cut : start + 512], line[:cut] + garbage[cut:]):
        (folder / "anchor").write_bytes(after[:start] + torn + after[start + 512 :])
        whole = torn.rstrip(b"\0") == line.rstrip(b"\0")
        assert Anchor(folder).read() in ({place(writes + 1)} if whole else {place(writes), place(writes + 1)})
        if torn.partition(b"\n")[0] != line.partition(b"\n")[0]:
            assert Anchor(folder).read() == place(writes)


def test_an_anchor_that_is_garbage_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "anchor").write_bytes(b"\xff\n \n" * 3000)
    assert Anchor(tmp_path).read() is None


def test_only_one_process_holds_the_anchor(tmp_path: Path) -> None:
    first = Anchor(tmp_path)
    first.hold()
    with pytest.raises(StoreBusy, match="held by another process"):
        Anchor(tmp_path).hold()
    with pytest.raises(StoreBusy, match="held already"):
        first.hold()
    first.release()
    second = Anchor(tmp_path)
    second.hold()
    second.release()


def test_a_missing_folder_is_named_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match="second medium"):
        Anchor(tmp_path / "usb").hold()


def test_writing_an_anchor_that_is_not_held_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match="not held"):
        Anchor(tmp_path).write(place(1))


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    signer = Anchor(tmp_path).signer()
    assert Anchor(tmp_path).signer().public == signer.public
    assert (tmp_path / "epoch.key").stat().st_mode & 0o777 == 0o600
    head = signer.head(place(3))
    check(signer.public, head_message(place(3)), head.signature)


def test_a_key_left_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "epoch.new").write_bytes(b"half")
    Anchor(tmp_path).signer()
    assert len((tmp_path / "epoch.key").read_bytes()) == 32


def test_a_key_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "epoch.key").write_bytes(b"short")
    with pytest.raises(AnchorError, match="has 5 bytes, expected 32"):
        Anchor(tmp_path).signer()


def test_the_roll_is_kept_whole_and_a_damaged_one_is_lost(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    assert anchor.roll() is None
    anchor.keep_roll({"dock-2": "", "dock-1": "an entry"})
    assert Anchor(tmp_path).roll() == {"dock-1": "an entry", "dock-2": ""}
    assert (tmp_path / "roll").stat().st_mode & 0o777 == 0o600
    anchor.keep_roll({})
    assert anchor.roll() == {}, "nobody is on it, and that is known"
    (tmp_path / "roll").write_bytes(b'["dock-1"]')
    assert anchor.roll() == {"dock-1": ""}, "as it was written once"
    for damaged in (b"", b'["dock-1"', b'{"dock-1": 1}', b"[1]", b"\xff", b"[" * 100_000):
        (tmp_path / "roll").write_bytes(damaged)
        assert anchor.roll() is None
    anchor.keep_roll(None)
    assert not (tmp_path / "roll").exists()
    anchor.keep_roll(None)


def test_a_roll_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    (tmp_path / "roll").mkdir()
    with pytest.raises(AnchorError, match="roll"):
        anchor.roll()
    with pytest.raises(OSError, match="directory"):
        anchor.keep_roll({"dock-1": ""})
