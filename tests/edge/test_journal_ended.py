# SPDX-License-Identifier: Apache-2.0
"""An epoch that the center closed goes on no more: another begins that proves where it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import JournalFailed
from edge.journal import Ended
from edge.store import JournalReader
from tests.edge.journals import FailingAnchor, Site, begin_of
from zonegate.verify import verify_store

WHY = "the center closed this epoch after a count"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "first")


async def test_an_ended_epoch_is_followed_by_one_that_proves_its_end(site: Site) -> None:
    last = (await site.grow(2))[-1]
    journal = site.open(ended=Ended(last.epoch, WHY))
    assert journal.begun is not None
    assert (journal.begun.parent, journal.begun.end, journal.begun.reason) == (last, last, WHY)
    assert (await journal.append(site.draft())).place.seq == 2
    await journal.close()
    begin = begin_of(site, journal.epoch)
    assert (begin.parent, begin.end, begin.reason) == (last, last, WHY)
    assert FailingAnchor(site.anchor).read() == journal.told
    assert verify_store(site.store).finding is None


async def test_only_the_epoch_that_ended_is_left(site: Site) -> None:
    last = (await site.grow(1))[-1]
    ended = Ended(last.epoch, WHY)
    journal = site.open(ended=ended)
    await journal.close()
    again = site.open(ended=ended)
    assert (again.begun, again.epoch) == (None, journal.epoch)
    await again.close()


async def test_an_end_that_is_not_proven_stays_unproven(site: Site, tmp_path: Path) -> None:
    last = (await site.grow(2))[-1]
    copied = site.copy(tmp_path / "copied", anchor=False)
    journal = copied.open(ended=Ended(last.epoch, WHY))
    assert journal.begun is not None
    assert (journal.begun.end, journal.begun.reason) == (None, "no anchor for this store")
    await journal.close()


async def test_a_tail_that_a_crash_left_behind_its_anchor_belongs_to_the_proven_end(site: Site) -> None:
    anchor = FailingAnchor(site.anchor)
    journal = site.open(anchor=anchor)
    anchor.broken = True
    with pytest.raises(JournalFailed):
        await journal.append(site.draft())
    await journal.close()
    with JournalReader(site.store) as reader:
        head = reader.head(journal.epoch)
    assert head is not None
    assert FailingAnchor(site.anchor).read() != head
    after = site.open(ended=Ended(journal.epoch, WHY))
    assert after.begun is not None
    assert (after.begun.parent, after.begun.end) == (head, head)
    await after.close()


async def test_a_crash_between_the_commit_of_the_next_begin_and_its_anchor_begins_only_once(
    site: Site,
) -> None:
    last = (await site.grow(2))[-1]
    ended = Ended(last.epoch, WHY)
    anchor = FailingAnchor(site.anchor)
    anchor.broken = True
    with pytest.raises(JournalFailed):
        site.open(anchor=anchor, ended=ended)
    assert anchor.read() == last
    with JournalReader(site.store) as reader:
        epochs = reader.epochs()
    assert len(epochs) == 2
    journal = site.open(ended=ended)
    assert (journal.begun, journal.epoch) == (None, epochs[-1])
    await journal.close()
    assert begin_of(site, epochs[-1]).end == last
    assert FailingAnchor(site.anchor).read() == journal.told
    assert verify_store(site.store).finding is None
