# SPDX-License-Identifier: Apache-2.0
"""The epoch's key is changed for another: the last entry names it, the next Begin carries it. A crash at
any step leaves a node that signs with the key its epoch names."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.anchor import Anchor
from edge.errors import AnchorError, JournalClosed, JournalFailed
from edge.journal import Ended, Journal, Placed
from edge.store import JournalReader
from sync.bodies import Rotate, body_bytes, schema_of
from sync.entry import Draft
from sync.keys import check_head
from tests.edge.journals import FailingAnchor, FailingConnection, Site, begin_of, connect_failing
from zonegate.verify import verify_store


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "first")


def rotate(site: Site, key: str) -> Draft:
    clocks = site.time.clocks()
    body = body_bytes(Rotate(key))
    return Draft(clocks.entry_id(), "rotate", schema_of("rotate"), clocks.utc(), clocks.stamp(), body)


async def rotated(site: Site) -> tuple[Placed, str, str]:
    """A store whose last entry is a rotate; it, the key before and the key after."""
    journal = site.open()
    await journal.append(site.draft())
    key = Anchor(site.anchor).next_signer().public
    last = await journal.append(rotate(site, key))
    await journal.close()
    return last, journal.signer.public, key


async def check_changed(site: Site, last: Placed, key: str) -> Journal:
    """Open once more: all is as if nothing had ever failed."""
    journal = site.open()
    assert journal.begun is None
    begin = begin_of(site, journal.epoch)
    assert (begin.key, begin.parent, begin.end) == (key, last.place, last.place)
    assert journal.signer.public == key == Anchor(site.anchor).signer().public
    assert not (site.anchor / "epoch.key.next").exists()
    await journal.append(site.draft())
    await journal.close()
    with JournalReader(site.store) as reader:
        assert len(reader.epochs()) == 2
        for _, head in reader.signed_heads(0, 100):
            check_head(begin_of(site, head.epoch).key, head)
    assert Anchor(site.anchor).read() == journal.told
    assert verify_store(site.store, key=key).finding is None
    return journal


def test_the_next_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    assert anchor.prepared() is None
    first = anchor.next_signer().public
    assert Anchor(tmp_path).next_signer().public == first != anchor.signer().public
    assert stat.S_IMODE((tmp_path / "epoch.key.next").stat().st_mode) == 0o600
    anchor.promote()
    assert anchor.signer().public == first
    assert anchor.prepared() is None
    with pytest.raises(AnchorError, match="cannot take its place"):
        anchor.promote()


@pytest.mark.parametrize("told_to", [True, False], ids=["ended", "by the entry alone"])
async def test_the_epoch_after_a_rotate_is_signed_with_the_key_it_names(site: Site, told_to: bool) -> None:
    last, before, key = await rotated(site)
    journal = site.open(ended=Ended(last.place.epoch, "key rotated") if told_to else None)
    assert journal.begun is not None
    assert (journal.begun.end, journal.begun.reason) == (last.place, "key rotated")
    assert journal.signer.public == key != before
    check_head(key, journal.head())
    await journal.close()
    await check_changed(site, last, key)


async def test_nothing_may_follow_a_rotate_in_its_epoch(site: Site) -> None:
    journal = site.open()
    future = journal.append(rotate(site, Anchor(site.anchor).next_signer().public))
    with pytest.raises(JournalClosed, match="may not follow the rotate entry"):
        journal.append(site.draft())
    last = await future
    with pytest.raises(JournalClosed, match="open the journal again"):
        journal.append(site.draft())
    journal.put_snapshot(b"state")
    await journal.close()
    with JournalReader(site.store) as reader:
        assert reader.head(journal.epoch) == last.place
        assert reader.snapshot() == (last.place, b"state")


def fails_at(statement: str) -> Callable[[Path], FailingConnection]:
    def connect(path: Path) -> FailingConnection:
        connection = connect_failing(path)
        connection.fails = statement
        return connection

    return connect


async def test_a_crash_before_the_next_begin_is_committed_begins_it_at_the_next_start(site: Site) -> None:
    last, _, key = await rotated(site)
    with pytest.raises(JournalFailed):
        site.open(connect=fails_at("INSERT INTO own_epoch"))
    assert (site.anchor / "epoch.key.next").exists()
    journal = site.open()
    assert journal.begun is not None
    await journal.close()
    await check_changed(site, last, key)


async def test_a_crash_between_that_begin_and_its_anchor_takes_the_key_at_the_next_start(site: Site) -> None:
    last, _, key = await rotated(site)
    anchor = FailingAnchor(site.anchor)
    anchor.broken = True
    with pytest.raises(JournalFailed):
        site.open(anchor=anchor)
    assert anchor.read() == last.place
    assert anchor.signer().public != key
    await check_changed(site, last, key)


async def test_a_crash_before_the_key_takes_its_place_is_made_good_at_the_next_start(site: Site) -> None:
    class Stops(Anchor):
        def promote(self) -> None:
            raise AnchorError("planted")

    last, _, key = await rotated(site)
    with pytest.raises(AnchorError, match="planted"):
        site.open(anchor=Stops(site.anchor))
    assert Anchor(site.anchor).signer().public != key
    await check_changed(site, last, key)


async def test_a_rotate_that_was_never_told_ends_its_epoch_too(site: Site) -> None:
    anchor = FailingAnchor(site.anchor)
    journal = site.open(anchor=anchor)
    key = anchor.next_signer().public
    anchor.broken = True
    with pytest.raises(JournalFailed):
        await journal.append(rotate(site, key))
    await journal.close()
    after = site.open()
    assert after.begun is not None
    assert after.signer.public == key
    await after.close()


async def test_a_key_that_was_prepared_but_not_announced_waits(site: Site) -> None:
    await site.grow(1)
    key = Anchor(site.anchor).next_signer().public
    journal = site.open()
    assert journal.begun is None
    assert journal.signer.public != key
    await journal.close()
    assert Anchor(site.anchor).next_signer().public == key


async def test_a_rotate_whose_key_is_gone_begins_anew_with_the_key_there_is(site: Site) -> None:
    last, before, _ = await rotated(site)
    (site.anchor / "epoch.key.next").unlink()
    journal = site.open()
    assert journal.begun is not None
    assert (journal.signer.public, journal.begun.end) == (before, last.place)
    assert journal.begun.reason == "the key to rotate to is not beside the anchor"
    await journal.close()


async def test_an_epoch_whose_key_is_gone_does_not_go_on_with_another(site: Site) -> None:
    last = (await site.grow(2))[-1]
    (site.anchor / "epoch.key").unlink()
    journal = site.open()
    assert journal.begun is not None
    assert (journal.begun.end, journal.begun.reason) == (
        last,
        "the key of this epoch is not beside the anchor",
    )
    assert begin_of(site, journal.epoch).key == journal.signer.public
    await journal.close()
    assert verify_store(site.store).finding is None
