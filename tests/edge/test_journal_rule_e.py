# SPDX-License-Identifier: Apache-2.0
"""Rule E at opening: which epoch a journal goes on in after each thing that can happen to its disks."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from edge.anchor import Anchor
from edge.errors import JournalFailed, StoreBusy, StoreError
from edge.journal import Identity
from edge.store import JournalReader
from sync.entry import Place
from tests.edge.journals import ME, FailingAnchor, Site, begin_of
from zonegate.verify import verify_store


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "first")


async def test_the_first_start_begins_and_anchors_its_begin(site: Site) -> None:
    journal = site.open()
    assert journal.begun is not None
    assert journal.begun.reason == "first start"
    assert journal.told == Place(journal.epoch, 1, journal.told.hash)
    await journal.close()
    anchor = FailingAnchor(site.anchor)
    assert anchor.read() == journal.told
    begin = begin_of(site, journal.epoch)
    assert (begin.tenant, begin.zone, begin.node) == ("acme", "ftz-1", "dock-a")
    assert (begin.key, begin.parent, begin.end) == (journal.signer.public, None, None)


@pytest.mark.parametrize(("place", "stored"), [(0, 0), (1, 1)])
async def test_a_crash_in_the_first_start_leaves_no_gap_that_a_person_must_count(
    site: Site, place: int, stored: int
) -> None:
    class Stops(Anchor):
        def write(self, place_due: Place) -> None:
            if place_due.seq == place:
                raise OSError(errno.EIO, "planted")
            super().write(place_due)

    with pytest.raises(JournalFailed):
        site.open(anchor=Stops(site.anchor))
    with JournalReader(site.store) as reader:
        assert reader.entries() == stored
    journal = site.open()
    assert (journal.begun is None) == bool(stored)
    await journal.close()
    begin = begin_of(site, journal.epoch)
    assert (begin.reason, begin.parent) == ("first start", None)
    assert verify_store(site.store).epochs == 1


async def test_a_restart_goes_on_and_writes_nothing(site: Site) -> None:
    places = await site.grow(3)
    journal = site.open()
    assert (journal.begun, journal.told) == (None, places[-1])
    await journal.close()


async def test_a_crash_goes_on_with_everything_told(site: Site, tmp_path: Path) -> None:
    journal = site.open()
    told = (await journal.append(site.draft())).place
    crashed = site.copy(tmp_path / "crashed")
    await journal.close()
    again = crashed.open()
    assert (again.begun, again.told) == (None, told)
    await again.close()


async def test_an_old_store_with_its_anchor_begins_anew_with_a_proven_end(site: Site, tmp_path: Path) -> None:
    old = (await site.grow(2))[-1]
    backup = site.copy(tmp_path / "backup")
    last = (await site.grow(4))[-1]
    shutil.rmtree(site.store)
    shutil.copytree(backup.store, site.store)
    journal = site.open()
    assert journal.begun is not None
    assert (journal.begun.parent, journal.begun.end) == (old, last)
    assert journal.epoch != old.epoch
    await journal.close()
    assert begin_of(site, journal.epoch).end == last
    verified = verify_store(site.store)
    assert verified.finding is None
    lost = f"entries {old.seq + 1} to {last.seq} of epoch {old.epoch} were lost with an older store"
    assert verified.missing == (f"{lost}, as the Begin of epoch {journal.epoch} says",)


async def test_a_store_without_its_anchor_begins_anew_without_a_proven_end(
    site: Site, tmp_path: Path
) -> None:
    last = (await site.grow(2))[-1]
    copied = site.copy(tmp_path / "copied", anchor=False)
    journal = copied.open()
    assert journal.begun is not None
    assert (journal.begun.parent, journal.begun.end) == (last, None)
    await journal.close()


async def test_a_clone_of_the_store_begins_anew_while_the_original_goes_on(
    site: Site, tmp_path: Path
) -> None:
    epoch = (await site.grow(2))[-1].epoch
    clone = site.copy(tmp_path / "clone", anchor=False)
    original, other = site.open(), clone.open()
    assert (original.begun, original.epoch) == (None, epoch)
    assert other.epoch != epoch
    assert other.signer.public != original.signer.public
    await original.close()
    await other.close()


async def test_an_anchor_without_its_store_names_its_last_place_as_parent_and_end(site: Site) -> None:
    last = (await site.grow(2))[-1]
    shutil.rmtree(site.store)
    journal = site.open()
    assert journal.begun is not None
    assert (journal.begun.parent, journal.begun.end) == (last, last)
    await journal.close()
    assert verify_store(site.store).finding is None


async def test_an_anchor_of_another_store_is_not_taken_for_its_own(site: Site, tmp_path: Path) -> None:
    last = (await site.grow(2))[-1]
    stranger = Site.make(tmp_path / "stranger")
    await stranger.grow(1)
    mixed = Site(site.store, stranger.anchor)
    journal = mixed.open()
    assert journal.begun is not None
    assert (journal.begun.parent, journal.begun.end) == (last, None)
    await journal.close()


async def test_a_head_that_a_witness_knows_otherwise_begins_anew(site: Site) -> None:
    last = (await site.grow(2))[-1]
    known = Place(last.epoch, last.seq, last.hash)
    journal = site.open(shown=[known])
    assert journal.begun is None
    await journal.close()
    journal = site.open(shown=[Place(last.epoch, last.seq, "0" * 64)])
    assert journal.begun is not None
    assert "a witness" in journal.begun.reason
    await journal.close()


async def test_a_crash_between_the_commit_of_a_begin_and_its_anchor_goes_on_in_it(
    site: Site, tmp_path: Path
) -> None:
    await site.grow(2)
    backup = site.copy(tmp_path / "backup")
    await site.grow(3)
    shutil.rmtree(site.store)
    shutil.copytree(backup.store, site.store)
    anchor = FailingAnchor(site.anchor)
    anchor.broken = True
    with pytest.raises(JournalFailed):
        site.open(anchor=anchor)
    with JournalReader(site.store) as reader:
        begun = reader.epochs()[-1]
    journal = site.open()
    assert (journal.begun, journal.epoch) == (None, begun)
    await journal.close()
    with JournalReader(site.store) as reader:
        assert len(reader.epochs()) == 2
    assert FailingAnchor(site.anchor).read() == journal.told


async def test_an_epoch_begun_for_a_witness_survives_a_crash_before_its_anchor(site: Site) -> None:
    anchor = FailingAnchor(site.anchor)
    journal = site.open(anchor=anchor)
    await journal.append(site.draft())
    anchor.broken = True
    with pytest.raises(JournalFailed):
        await site.begin_anew(journal, anchor=anchor)
    again = site.open()
    assert again.begun is None
    assert again.epoch != journal.epoch
    assert begin_of(site, again.epoch).parent == journal.told
    await again.close()
    assert verify_store(site.store).finding is None


async def test_an_epoch_begun_for_a_witness_names_its_parent_and_what_follows_stands_in_it(
    site: Site,
) -> None:
    journal = site.open()
    before = await journal.append(site.draft())
    journal = await site.begin_anew(journal)
    after = await journal.append(site.draft())
    assert journal.epoch == after.place.epoch != before.place.epoch
    assert after.place.seq == 2
    await journal.close()
    body = begin_of(site, journal.epoch)
    assert body.reason == "a witness knows another entry 2 of this epoch"
    assert (body.parent, body.end) == (before.place, None)
    with JournalReader(site.store) as reader:
        heads = [head.place for _, head in reader.signed_heads(0, 10)]
    assert before.place in heads  # the epoch that ended has its end signed
    again = site.open()
    assert again.begun is None
    await again.close()


async def test_a_store_of_another_node_is_refused(site: Site) -> None:
    await site.grow(1)
    with pytest.raises(StoreError, match="belongs to node dock-a"):
        site.open(identity=Identity(ME.tenant, ME.zone, "dock-b"))
    with pytest.raises(StoreError, match="expected 1 to 40"):
        site.open(identity=Identity(ME.tenant, ME.zone, "Dock B"))
    await site.grow(1)


async def test_a_store_is_open_once(site: Site, tmp_path: Path) -> None:
    journal = site.open()
    with pytest.raises(StoreBusy, match="another process"):
        site.open()
    with pytest.raises(StoreBusy, match="anchor"):
        Site(tmp_path / "other-store", site.anchor).open()
    await journal.close()
    await site.grow(1)
