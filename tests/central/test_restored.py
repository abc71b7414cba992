# SPDX-License-Identifier: Apache-2.0
"""A center that was put back to an older state: with its anchor, without it, or with the anchor ahead."""

from __future__ import annotations

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from central.errors import Unavailable
from central.people import AttestRoll, Retire, attestation
from central.restraining import Resume, Suspend
from central.service import Central
from customs.documents import LineRef
from customs.imports import Refused, Upload
from sync.bodies import Amount, Grant, Saw, Use, read_body
from sync.entry import Head, Place, read_record
from tests.central.conftest import Opener
from tests.central.dock import Dock
from tests.central.running import Wire
from zonegate.children import OwnPostgres


class Told(Dock):
    """A dock that writes what it is told into its log, and shows the center's head again."""

    witness: Head | None = None

    async def turn(self, center: Central | Wire) -> list[str]:
        """One exchange; the types of what came down."""
        answer = await self.talk(center, self.ask(witness=self.witness))
        self.witness = answer.head
        if answer.entries and answer.upto:
            self.add("saw", Saw(answer.center_epoch, answer.upto, answer.entries, answer.head))
        return [read_record(bytes(raw)).type for raw in answer.entries]

    async def settle(self, center: Central | Wire) -> list[str]:
        """Exchanges until nothing comes."""
        came: list[str] = []
        while news := await self.turn(center):
            came += news
        await self.turn(center)
        return came


async def enrolled(center: Central, node: str) -> Told:
    dock = Told(node)
    dock.code = await center.enrol(node)
    await dock.turn(center)
    return dock


async def imported(center: Central, papers: bytes) -> None:
    said = await center.import_files([Upload("week.json", papers)], "compliance")
    assert not isinstance(said, Refused), said


class Machine:
    """A center's database and data folder, copied and put back."""

    def __init__(self, server: OwnPostgres, folder: Path, open_center: Opener) -> None:
        self._server, self.folder, self._open = server, folder, open_center
        self._database = 0

    async def copy_database(self, center: Central) -> str:
        """What a restore of this moment's backup would be: the address of a database of the same content."""
        self._database += 1
        async with center.database.session() as connection:
            source = await connection.fetchval("SELECT current_database()")
        name = f"{source}_{self._database}"
        await center.close()
        await self._server._execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self._server._dsn(name)

    def copy_folder(self, name: str) -> None:
        shutil.copytree(self.folder / "center", self.folder / name)


@pytest.fixture
def machine(postgres_server: OwnPostgres, tmp_path: Path, open_center: Opener) -> Machine:
    return Machine(postgres_server, tmp_path, open_center)


async def cases(center: Central) -> set[str]:
    return {case.name for case in (await center.people.open_cases()).cases}


async def lends(center: Central) -> bool:
    return (await center.people.open_cases()).lends


async def test_a_whole_center_that_was_put_back_meets_its_own_head_and_waits_for_the_roll(
    open_center: Opener, machine: Machine, papers: bytes
) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    await imported(center, papers)
    old = await machine.copy_database(center)
    machine.copy_folder("old")
    center = await open_center()
    late = await enrolled(center, "dock-2")
    await dock.settle(center)
    await center.close()

    again = await open_center("old", old)
    epoch = again.head.epoch if again.head else ""
    assert await lends(again), "nobody has told it yet that it is old"
    dock.move(use=Use("A214", "1", Decimal(125)))
    await dock.turn(again)
    assert again.head is not None
    assert again.head.epoch != epoch, "it began again before it answered"
    await dock.settle(again)
    assert await cases(again) >= {"roll", f"put-back:{epoch}"}
    assert not await lends(again)

    await again.people.attest_roll(AttestRoll(("dock-1", "dock-2"), "Dana"))
    assert f"gap:{dock.epoch}" not in await cases(again), "it was met before the image was made"
    assert "silent:dock-2" in await cases(again), "the dock that the old center never knew is waited for"
    late.code = await again.enrol("dock-2")
    late.have = 0  # it is refused at first, and sends its log from the beginning
    await late.settle(again)
    waiting = await cases(again)
    assert not {name for name in waiting if name.startswith(("roll", "silent", "open"))}
    # Who was enrolled in what this center has forgotten: only a count knows that nothing is missing.
    assert f"gap:{late.epoch}" in waiting
    order = Retire("dock-2", (), "Dana", "it never had a truck", attestation("dock-2"))
    await again.people.retire(order)
    assert await lends(again)
    open_cases = await cases(again)
    await again.close()
    again = await open_center("old", old)
    assert await lends(again), "read again it is the same"
    assert await cases(again) == open_cases


async def test_a_whole_center_put_back_behind_a_later_beginning_notices_that_too(
    open_center: Opener, machine: Machine, papers: bytes
) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    await imported(center, papers)
    await dock.settle(center)
    old = await machine.copy_database(center)
    machine.copy_folder("old")
    center = await open_center()
    await dock.turn(center)
    await center.close()
    # Its anchor file is lost, its key is not: it begins another epoch, which the image has never known.
    (machine.folder / "center" / "anchor").unlink()
    center = await open_center()
    await dock.settle(center)
    await center.close()
    lost = dock.witness
    later = lost.epoch if lost else ""

    again = await open_center("old", old)
    assert again.head is not None
    image = again.head.epoch
    assert image != later
    await dock.turn(again)
    assert again.head.epoch not in (image, later)
    begun = again.head.epoch
    await dock.settle(again)
    assert again.head.epoch == begun, "once is enough"
    dock.witness = lost  # an old request that comes late, or a dock that lies
    await dock.turn(again)
    assert again.head.epoch == begun, "what was told once begins nothing again"
    assert await cases(again) == {"roll", f"put-back:{image}"}
    await again.people.attest_roll(AttestRoll(("dock-1",), "Dana"))
    assert await lends(again), "the dock was met before the image was made: nothing needs to be counted"


async def test_a_restored_database_beside_its_anchor_lends_again_once_the_docks_have_reported(
    open_center: Opener, machine: Machine, papers: bytes
) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    await imported(center, papers)
    old = await machine.copy_database(center)
    center = await open_center()
    await dock.settle(center)
    granted = _granted(dock)
    dock.move(use=Use("A214", "1", Decimal(125)))
    await dock.turn(center)
    await center.close()

    again = await open_center("center", old)
    assert await cases(again) == {"silent:dock-1", f"open:{dock.epoch}"}
    assert not await lends(again)
    await dock.settle(again)
    assert await lends(again)
    book = await again._own.book()
    lent = sum(account.granted for lines in book.accounts.lines.values() for account in lines.values())
    assert lent == granted, "what it had forgotten to have lent came home, and was not lent again"
    assert _granted(dock) == granted


def _granted(dock: Dock) -> Decimal:
    total, seen = Decimal(0), set()
    for record in dock.records:
        entry = read_record(record)
        for raw in read_body(entry).entries if entry.type == "saw" else ():
            told = read_record(bytes(raw))
            if told.type == "grant" and told.entry_id not in seen:
                seen.add(told.entry_id)
                grant: Grant = read_body(told)
                total += grant.quantity
    return total


async def test_a_lost_anchor_takes_the_roll_with_it(open_center: Opener, papers: bytes) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    await center.close()
    again = await open_center("elsewhere")
    await dock.settle(again)
    assert await cases(again) == {"roll"}
    await again.people.attest_roll(AttestRoll(("dock-1",), "Dana"))
    assert await lends(again)
    await again.close()
    third = await open_center("elsewhere")
    assert await lends(third), "the roll is kept again"


async def test_the_roll_is_kept_before_a_code_is_given_and_mended_at_the_start(
    open_center: Opener, tmp_path: Path
) -> None:
    center = await open_center()
    await center.enrol("dock-1")
    await center.enrol("dock-2")
    roll = tmp_path / "center" / "roll"
    assert msgspec.json.decode(roll.read_bytes()) == {"dock-1": "", "dock-2": ""}
    written = await center.people.retire(Retire("dock-2", (), "Dana", "never built", attestation("dock-2")))
    kept = {"dock-1": "", "dock-2": written[0].entry_id}
    assert msgspec.json.decode(roll.read_bytes()) == kept
    await center.close()
    for before in (b"{}", b'["dock-1","dock-2"]'):  # a crash fell between the commit and the file
        roll.write_bytes(before)
        center = await open_center()
        assert msgspec.json.decode(roll.read_bytes()) == kept
        await center.close()
    roll.unlink()
    await open_center()
    assert msgspec.json.decode(roll.read_bytes()) == kept, "a log without a break knows all nodes"


async def test_a_center_from_before_a_retirement_asks_for_that_dock_again(
    open_center: Opener, machine: Machine, papers: bytes
) -> None:
    """What the dock took may have been lent by the state that is lost; only a count knows of it."""
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    await imported(center, papers)
    old = await machine.copy_database(center)
    center = await open_center()
    await enrolled(center, "dock-2")
    await center.people.retire(Retire("dock-2", (), "Dana", "sold", attestation("dock-2")))
    await dock.settle(center)
    assert await lends(center)
    await center.close()

    again = await open_center("center", old)
    await dock.settle(again)
    assert "silent:dock-2" in await cases(again)
    assert not await lends(again)
    line = LineRef("A214", "1")
    charged = await again.people.look(lambda book: book.charged(line))
    count = (Amount(line.permit, line.line, Decimal(7)),)
    await again.people.retire(Retire("dock-2", count, "Dana", "sold", attestation("dock-2")))
    assert await again.people.look(lambda book: book.charged(line)) == charged + 7
    assert await lends(again)


async def test_a_head_that_this_center_did_not_sign_moves_nothing(open_center: Opener) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    assert center.head is not None
    before = center.head.epoch
    forged = dock.signer.head(Place(before, 99, "0" * 64))
    dock.witness = forged
    await dock.turn(center)
    assert center.head.epoch == before


async def test_a_database_put_back_under_a_running_center_gets_no_log_with_a_hole(
    open_center: Opener, machine: Machine
) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    old = await machine.copy_database(center)
    center = await open_center()
    dock.move()
    await dock.turn(center)
    running = await open_center("other", old)
    running._own._book, running._own.epochs = await center._own.book(), list(center._own.epochs)
    dock.move()
    with pytest.raises(Unavailable, match="does not end where"):
        await dock.turn(running)
    await asyncio.wait_for(dock.settle(running), 30)
    async with running.database.session() as connection:
        seqs = await connection.fetch(
            "SELECT seq FROM entry WHERE epoch = $1 AND tenant = 'example' ORDER BY seq", dock.epoch
        )
    assert [row["seq"] for row in seqs] == list(range(1, len(dock.records) + 1))


async def test_signed_heads_ahead_of_the_log_outlive_a_restart_until_the_chain_reaches_them(
    open_center: Opener,
) -> None:
    center = await open_center()
    dock = await enrolled(center, "dock-1")
    for _ in range(6):
        dock.move()
    for seen in (3, 5):
        part = msgspec.structs.replace(dock.part(after=1, upto=1), head=dock.head(seen))
        await dock.talk(center, dock.ask(part))
    await center.close()
    center = await open_center()
    book = await center._own.book()
    assert set(book.epochs[dock.epoch].claims) == {3, 5}
    # Another machine with the same key, that wrote something else where the first head stood.
    other = Told("dock-1", signer=dock.signer)
    other.epoch, other.records, other.hashes = dock.epoch, dock.records[:2], dock.hashes[:2]
    other.have = 1
    other.move(quantity="7")
    answer = await other.talk(center)
    assert "signed head" in answer.refused[dock.epoch]
    assert answer.have[0] == dock.place(3), "it is shown the head that it cannot have"
    assert f"fork:{dock.epoch}:3" in await cases(center)
    await dock.talk(center, dock.ask(dock.part(after=1)))
    async with center.database.session() as connection:
        assert await connection.fetchval("SELECT count(*) FROM claim WHERE tenant = 'example'") == 0


async def test_no_restore_opens_a_suspended_zone_again(
    open_center: Opener, machine: Machine, papers: bytes
) -> None:
    """Suspended after the backup: the first dock that reports tells the center, and the center tells all."""
    center = await open_center()
    dock, other = await enrolled(center, "dock-1"), await enrolled(center, "dock-2")
    await imported(center, papers)
    await dock.settle(center)
    await other.settle(center)
    old = await machine.copy_database(center)
    center = await open_center()
    await center.restraining.suspend(Suspend("fire inspection", "Dana"))
    await dock.settle(center)
    await center.close()

    again = await open_center("center", old)
    assert (await again.people.open_cases()).suspended == "", "nobody has told it yet"
    assert not await lends(again)
    await dock.settle(again)
    assert (await again.people.open_cases()).suspended == "fire inspection"
    assert "zone" in await other.settle(again)
    await again.restraining.resume(Resume("nothing was found", "Dana"))
    assert "zone" in await dock.settle(again)
    assert "zone" in await other.settle(again)
    assert not {name for name in await cases(again) if name.startswith(("suspended", "ended-elsewhere"))}
