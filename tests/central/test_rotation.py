# SPDX-License-Identifier: Apache-2.0
"""A key that its node changed: the center believes the next one without a code, and the old one no more once
it is revoked."""

from __future__ import annotations

import msgspec
import pytest

from central.errors import Denied
from central.people import Revoke
from central.service import Central
from customs.imports import Upload
from sync.bodies import Grant, Rotate, read_body
from sync.entry import read_record
from sync.keys import Signer
from tests.central.conftest import Opener
from tests.central.dock import Dock


def next_epoch(before: Dock, key: Signer) -> Dock:
    """The epoch after a rotate: it names the end of the one before, and is signed with the new key."""
    after = Dock(signer=key, parent=before.place(), end=before.place(), reason="key rotated")
    after.cursor = before.cursor
    return after


async def test_after_a_rotation_the_exchange_goes_on_without_a_code_and_the_leases_move(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    await dock.talk(center)
    key = Signer(bytes(range(32)))
    dock.add("rotate", Rotate(key.public))
    after = next_epoch(dock, key)
    answer = await after.talk(center, after.ask(dock.part(), after.part()))
    assert answer.refused == {}
    assert answer.have == (dock.place(), after.place())
    entries = [read_record(bytes(raw)) for raw in answer.entries]
    assert [entry.type for entry in entries][-3:] == ["close", "grant", "grant"]
    grants = [read_body(entry) for entry in entries if entry.type == "grant"]
    assert [grant.epoch for grant in grants if isinstance(grant, Grant)][-2:] == [after.epoch] * 2


async def test_a_backlog_before_the_rotate_is_taken_too(center: Central, dock: Dock) -> None:
    for number in range(3):
        dock.move(sscc=f"09521999000000{number:04d}")
    dock.add("rotate", Rotate(Signer(bytes(range(32))).public))
    after = next_epoch(dock, Signer(bytes(range(32))))
    last = len(dock.records) - 1
    answer = await after.talk(center, after.ask(dock.part(after=last), after.part()))
    assert answer.refused == {}
    assert [have.seq for have in answer.have] == [1, 1], "it extends nothing, and vouches"
    answer = await after.talk(center, after.ask(dock.part(), after.part()))
    assert answer.have == (dock.place(), after.place())


async def test_a_rotate_that_the_old_key_did_not_sign_vouches_for_nobody(center: Central, dock: Dock) -> None:
    key = Signer(bytes(range(32)))
    dock.add("rotate", Rotate(key.public))
    after = next_epoch(dock, key)
    part = dock.part()
    unsigned = msgspec.structs.replace(part, head=None)
    forged = msgspec.structs.replace(part, head=key.head(dock.place()))
    earlier = msgspec.structs.replace(part, head=dock.head(1))
    for false in (unsigned, forged, earlier):
        with pytest.raises(Denied):
            await after.talk(center, after.ask(false, after.part()))


async def test_a_key_that_no_rotate_names_is_not_believed(center: Central, dock: Dock) -> None:
    thief = next_epoch(dock, Signer(bytes(32)))
    with pytest.raises(Denied, match="not enrolled with this key"):
        await thief.talk(center, thief.ask(dock.part(), thief.part()))


async def test_a_stolen_old_key_is_refused_once_it_is_revoked(center: Central, dock: Dock) -> None:
    stolen = dock.signer
    key = Signer(bytes(range(32)))
    dock.add("rotate", Rotate(key.public))
    after = next_epoch(dock, key)
    await after.talk(center, after.ask(dock.part(), after.part()))
    await Dock(signer=stolen).talk(center)  # the control: until then the old key still begins epochs
    await center.people.revoke(Revoke("dock-1", "stolen", "office", (stolen.public,)))
    for thief in (Dock(signer=stolen), dock):
        with pytest.raises(Denied, match="was revoked: stolen"):
            await thief.talk(center)
    after.move()
    assert (await after.talk(center)).have == (after.place(),)


async def test_a_center_that_starts_again_believes_the_next_key_too(
    center: Central, dock: Dock, open_center: Opener
) -> None:
    dock.refuse()
    await center.close()
    again = await open_center()
    key = Signer(bytes(range(32)))
    dock.add("rotate", Rotate(key.public))
    after = next_epoch(dock, key)
    answer = await after.talk(again, after.ask(dock.part(), after.part()))
    assert answer.have == (dock.place(), after.place())
