# SPDX-License-Identifier: Apache-2.0
"""What people decide at the center: each act is an entry of its own log that names who did it.

An act is checked against the book, committed and anchored before its answer is given. Knows no HTTP.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from uuid import UUID

import msgspec

from central.errors import Denied
from central.misplaced import misplaced
from central.overdraws import overdrawn
from central.ownlog import OwnLog
from central.queries import query
from central.record import check_names
from central.standing import Standing, standing, to_count
from customs.documents import LineRef
from sync import cases as looking
from sync import decisions, rollcall
from sync.bodies import (
    DECIMALS_MAX,
    QUANTITY_MAX,
    Amount,
    BackedUp,
    BackupGone,
    Decision,
    Dispute,
    Filing,
    Movement,
    Revoked,
    Roll,
    Settled,
    is_count,
    read_body,
)
from sync.cases import Case
from sync.center import CenterBook
from sync.decisions import Draft, Undecidable
from sync.entry import Place, read_record

if TYPE_CHECKING:
    from central.database import Connection

CODE_VALID: Final = timedelta(hours=24)
"""An enrolment code is carried to the dock by a person within a shift or two."""

HEADS_MAX: Final = 1500
"""Logs that one `backup` entry names: some 130 bytes each. What it does not name is not released."""

WARNING: Final = (
    "What the count leaves of these lines can be lent again at once. A count that is too low lets goods out "
    "twice, and nothing here would show it. A machine that still runs, or comes back, goes on as a new log; "
    "what it still sends is stored and shown as an alarm. Another count of the same logs replaces this one; "
    "nothing undoes it."
)

Found = TypeVar("Found")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Note = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+\Z")]
Epochs = Annotated[tuple[str, ...], msgspec.Meta(max_length=100)]
Counts = Annotated[tuple[Amount, ...], msgspec.Meta(max_length=1000)]


class Enrol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let a node in: it is on the roll from now on."""

    node: str
    by: Name


class WriteOff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A count of what logs of a node let out. `attest` repeats `attestation` of that node, word for word."""

    node: str
    counted: Counts
    by: Name
    note: Note
    attest: str
    epochs: Epochs = ()
    gaps: Epochs = ()


class Retire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take a node off the roll: all its open logs and gaps are counted, its keys not believed any more."""

    node: str
    counted: Counts
    by: Name
    note: Note
    attest: str


class Revoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Believe keys of a node no more; all of them where none is named."""

    node: str
    reason: Note
    by: Name
    keys: Epochs = ()


class AttestRoll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's word on which nodes there are."""

    nodes: Epochs
    by: Name


class Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Object to a movement: its load is held at every door."""

    movement: str
    reason: Note
    by: Name


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End a dispute: the movement `stands`, or was `corrected`."""

    dispute: str
    decision: str
    note: Note
    by: Name


class Settle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Say what was found in a case."""

    case: str
    note: Note
    by: Name


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State what was used of all permit lines, as known now."""

    number: Name
    by: Name


class NoteBackup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A backup that is complete and was verified; `heads` are the logs' ends in it."""

    name: Name
    heads: tuple[Place, ...]
    by: Name


class DropBackup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A backup was destroyed."""

    name: Name
    by: Name


class Code(msgspec.Struct, frozen=True):
    """A one-time code for a node."""

    code: str
    node: str


class Written(msgspec.Struct, frozen=True):
    """An entry that an act wrote into the center's own log."""

    type: str
    entry_id: str
    epoch: str
    seq: int


class Open(msgspec.Struct, frozen=True):
    """What stands open, and whether anything may be lent meanwhile; why the zone is suspended, if it is."""

    lends: bool
    cases: list[Case]
    suspended: str = ""


def attestation(node: str) -> str:
    """What a person says who writes logs of a node off."""
    return (
        f"The machine of {node} that wrote these logs is out of service, what it let out was counted, and I "
        "answer for the count."
    )


class People:
    """The acts of people at one center."""

    def __init__(self, own: OwnLog, waiting: Callable[[], Awaitable[list[Case]]]) -> None:
        """`waiting` tells the cases of goods that are not wholly in."""
        self._own = own
        self._waiting = waiting

    async def enrol(self, order: Enrol) -> Code:
        """A one-time code by which a node's key is trusted, for CODE_VALID; only its hash is kept."""
        check_names(order.node, "0" * 32, ())
        own = self._own
        # 100 bits in five groups that a person can type.
        code = base64.b32encode(own.clocks.random(15)).decode()[:20]
        code = "-".join(code[at : at + 4] for at in range(0, 20, 4))
        now = own.clocks.utc()

        async def keep(connection: Connection) -> None:
            who = (own.tenant, own.zone)
            await connection.execute(
                query("make_code"), *who, code_hash(code), order.node, now, now + CODE_VALID
            )

        await self.act(lambda book: decisions.enrolment(book, order.node, order.by), keep)
        async with own.lock:
            await own.keep_on_roll(order.node)
        return Code(code, order.node)

    async def write_off(
        self, order: WriteOff, is_as_shown: Callable[[CenterBook], bool] = lambda _: True
    ) -> list[Written]:
        """Close logs of a node by a count. Denied (409) where the book is not `is_as_shown` to the person."""
        _check_attest(order.node, order.attest)

        def draft(book: CenterBook) -> list[Draft]:
            _check_shown(book, is_as_shown)
            drafts = decisions.write_off(
                book,
                order.node,
                order.epochs,
                _checked_counts(book, order.counted),
                gaps=order.gaps,
                by=order.by,
                note=order.note,
            )
            _check_complete(to_count(book, order.node, order.epochs, order.gaps), order.counted)
            return drafts

        return await self.act(draft)

    async def retire(
        self, order: Retire, is_as_shown: Callable[[CenterBook], bool] = lambda _: True
    ) -> list[Written]:
        """Take a node off the roll for good, with a count of all that is open of it; `is_as_shown` as in
        `write_off`.
        """
        _check_attest(order.node, order.attest)

        def draft(book: CenterBook) -> list[Draft]:
            _check_shown(book, is_as_shown)
            if order.node not in book.roll() | set(book.enrolled):
                raise Denied(404, f"no node {order.node[:40]!r} is on the roll", "Look at /api/v1/nodes.")
            mine = [epoch for epoch, known in book.epochs.items() if known.node == order.node]
            epochs = [epoch for epoch in mine if not book.is_closed(epoch)]
            gaps = list(rollcall.gaps(book, order.node))
            drafts = decisions.write_off(
                book,
                order.node,
                epochs,
                _checked_counts(book, order.counted),
                gaps=gaps,
                by=order.by,
                note=order.note,
                retires=True,
            )
            _check_complete(to_count(book, order.node, epochs, gaps), order.counted)
            return drafts

        written = await self.act(draft, self._voiding(order.node))
        async with self._own.lock:
            retirement = next(entry.entry_id for entry in written if entry.type == "close")
            await self._own.keep_on_roll(order.node, retirement)
        return written

    async def revoke(self, order: Revoke) -> list[Written]:
        """Believe keys no more; the node comes back with a new code."""

        def draft(book: CenterBook) -> list[Draft]:
            known = book.keys.get(order.node, set())
            keys = set(order.keys) or known
            if not keys or not keys <= known:
                raise Denied(
                    404, f"that is no key of node {order.node[:40]!r}", "Take it from the node's page."
                )
            return [("revoke", Revoked(order.node, tuple(sorted(keys)), order.reason, order.by))]

        return await self.act(draft, self._voiding(order.node))

    async def attest_roll(self, order: AttestRoll) -> list[Written]:
        """Say which nodes there are, where the center's own memory of it was lost."""
        for node in order.nodes:
            check_names(node, "0" * 32, ())
        written = await self.act(lambda _: [("roll", Roll(tuple(sorted(set(order.nodes))), order.by))])
        async with self._own.lock:
            await self._own.found_roll()
        return written

    async def dispute(self, order: Object) -> list[Written]:
        """Object to a movement of a node; the entry's id names the dispute."""
        own = self._own
        async with own.database.session() as connection:
            row = await connection.fetchrow(
                query("entry_by_id"), own.tenant, own.zone, _entry_id(order.movement)
            )
        entry = read_record(row["record"]) if row else None
        body = read_body(entry) if entry and entry.type in ("admission", "withdrawal") else None
        if row is None or not isinstance(body, Movement):
            raise Denied(404, f"no movement {order.movement[:40]!r} is stored", "Look in /api/v1/movements.")
        said = Dispute(order.movement, row["node"], body.load.key, order.reason, order.by)

        def draft(book: CenterBook) -> list[Draft]:
            if any(open_.movement == order.movement for open_ in book.disputes.values()):
                raise Denied(409, "this movement is disputed already", "Decide that dispute.")
            return [("dispute", said)]

        return await self.act(draft)

    async def decide(self, order: Decide) -> list[Written]:
        """End a dispute: its load moves again."""
        if order.decision not in ("stands", "corrected"):
            raise Denied(400, f"the decision is {order.decision[:40]!r}", "Say stands or corrected.")

        def draft(book: CenterBook) -> list[Draft]:
            dispute = book.disputes.get(order.dispute)
            if dispute is None:
                raise Denied(404, f"no dispute {order.dispute[:40]!r} is open", "Look in /api/v1/cases.")
            said = Decision(order.dispute, dispute.load, order.decision, order.by, order.note)
            return [("decision", said)]

        return await self.act(draft)

    async def settle(self, order: Settle) -> list[Written]:
        """End a case by saying what was found."""
        of_goods = await self._cases_of_goods()

        def draft(book: CenterBook) -> list[Draft]:
            case = next((one for one in [*self._cases(book), *of_goods] if one.name == order.case), None)
            if case is None:
                raise Denied(404, f"no case {order.case[:80]!r} is open", "Look in /api/v1/cases.")
            if not case.settles:
                raise Denied(409, "this case does not end by a person's word", case.next_step)
            return [("settled", Settled(order.case, order.by, order.note))]

        return await self.act(draft)

    async def file(self, order: File) -> Filing:
        """State what was used of all permit lines; the figures recompute from the entry's place for ever."""
        own = self._own
        async with own.lock:
            book = await own.book()
            async with own.database.session() as connection:
                filed = await own.record.own_of_type(connection, "filing")
            if any(stored.body.number == order.number for stored in filed):
                raise Denied(409, f"number {order.number} was filed before", "Choose another number.")
            said: list[Draft] = []

            def draft() -> list[Draft]:
                said.append(decisions.filing(book, order.number, order.by))
                return said

            await own.commit(draft)
        filing = said[0][1]
        assert isinstance(filing, Filing)
        return filing

    async def note_backup(self, order: NoteBackup) -> list[Written]:
        """A backup exists; nodes may forget what every backup contains (S5)."""
        own = self._own
        heads = order.heads[-HEADS_MAX:]
        async with own.database.session() as connection:
            stored = {(log.node, log.place.epoch): log for log in await own.record.heads(connection)}
            of = {epoch: node for node, epoch in stored}
            for head in heads:
                node = of.get(head.epoch)
                if node is None or await own.record.hash_at(connection, node, head) != head.hash:
                    raise Denied(
                        409, f"the backup has an entry of {head.epoch[:8]} that is not stored here",
                        "It is of another center, or of a time before this one was put back.",
                    )  # fmt: skip

        def draft(book: CenterBook) -> list[Draft]:
            if order.name in book.backups:
                raise Denied(409, f"a backup {order.name!r} is known", "Make it in a folder of a new name.")
            return [("backup", BackedUp(order.name, heads, order.by))]

        return await self.act(draft)

    async def drop_backup(self, order: DropBackup) -> list[Written]:
        """A backup was destroyed: it holds nothing back any more."""

        def draft(book: CenterBook) -> list[Draft]:
            if order.name not in book.backups:
                known = ", ".join(sorted(book.backups)) or "none"
                raise Denied(404, f"no backup {order.name!r} is known", f"Known are: {known}.")
            return [("backup-gone", BackupGone(order.name, order.by))]

        return await self.act(draft)

    # -- what they ask -----------------------------------------------------------------------------

    async def open_cases(self) -> Open:
        """What stands open now."""
        of_goods = await self._cases_of_goods()
        async with self._own.lock:
            book = await self._own.book()
            suspension = book.restraints.suspension
            cases = [*self._cases(book), *of_goods]
            return Open(book.may_lend(), cases, suspension.reason if suspension else "")

    async def look(self, view: Callable[[CenterBook], Found]) -> Found:
        """What `view` finds in the book between two commits; it changes nothing."""
        async with self._own.lock:
            return view(await self._own.book())

    async def node(self, node: str) -> Standing:
        """A node's logs, what it holds of permits, and what is missing. Denied (404) when it is unknown."""
        async with self._own.lock:
            found = standing(await self._own.book(), node, attestation(node), WARNING)
        if found is None:
            raise Denied(404, f"no node {node[:40]!r} is known", "Look at /api/v1/nodes.")
        return found

    async def _cases_of_goods(self) -> list[Case]:
        """The cases that the zone's ledger knows."""
        own = self._own
        return [*await overdrawn(own), *await misplaced(own), *await self._waiting()]

    def _cases(self, book: CenterBook) -> list[Case]:
        return looking.cases(book, self._own.ahead, self._own.crossed)

    def _voiding(self, node: str) -> Callable[[Connection], Awaitable[None]]:
        """Beside an act: codes that were made for a node and not used let nobody in any more."""
        own = self._own
        now = own.clocks.utc()

        async def void(connection: Connection) -> None:
            await connection.execute(query("void_codes"), own.tenant, own.zone, node, now)

        return void

    async def act(
        self,
        draft: Callable[[CenterBook], Sequence[Draft]],
        beside: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> list[Written]:
        """Commit what a person decided; says which entries it became."""
        own = self._own
        async with own.lock:
            book = await own.book()
            try:
                drafts = draft(book)
            except Undecidable as error:
                raise Denied(409, str(error), "Look at the node's page, then say it again.") from error
            stored = await own.commit(lambda: drafts, beside=beside)
        return [Written(one.entry.type, one.entry.entry_id, one.entry.epoch, one.entry.seq) for one in stored]


def code_hash(code: str) -> str:
    """How an enrolment code is kept."""
    return hashlib.sha256(b"zonegate/code/1\x00" + code.strip().upper().encode()).hexdigest()


def _entry_id(text: str) -> str:
    try:
        return str(msgspec.convert(text, UUID))
    except msgspec.ValidationError as error:
        raise Denied(400, f"{text[:40]!r} is no entry's id", "Take it from /api/v1/movements.") from error


def _check_attest(node: str, said: str) -> None:
    expected = attestation(node[:40])
    if " ".join(said.split()) != expected:
        raise Denied(422, f"it is not attested. {WARNING}", f'Repeat word for word as `attest`: "{expected}"')


def _check_shown(book: CenterBook, is_as_shown: Callable[[CenterBook], bool]) -> None:
    if not is_as_shown(book):
        raise Denied(
            409,
            "these are figures that have moved on since they were shown to you",
            "Read the figures again, then write it off.",
        )


def check_count(quantity: Decimal) -> None:
    """Denied (400) for what goods cannot be counted by."""
    if not is_count(quantity):
        step = f"Say a quantity above zero and up to {QUANTITY_MAX:,f}, with up to {DECIMALS_MAX} decimals."
        raise Denied(400, f"{str(quantity)[:40]} is no count of goods", step)


def _checked_counts(book: CenterBook, counted: Sequence[Amount]) -> Sequence[Amount]:
    for amount in counted:
        if book.line(amount.ref) is None and amount.ref not in book.accounts.lines:
            raise Denied(
                404,
                f"there is no line {amount.line[:40]} of permit {amount.permit[:40]}",
                "Look at /api/v1/permits.",
            )
        if amount.quantity > 0:
            check_count(amount.quantity)
    return counted


def _check_complete(lines: Sequence[LineRef], counted: Sequence[Amount]) -> None:
    """A line that was overlooked would count as nothing let out."""
    missing = sorted(set(lines) - {amount.ref for amount in counted})
    if missing:
        shown = ", ".join(f"{ref.permit[:40]}/{ref.line[:40]}" for ref in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise Denied(
            422, f"nothing is counted of {shown}{more}", "Count each of them; say 0 if nothing left."
        )
