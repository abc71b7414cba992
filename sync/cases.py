# SPDX-License-Identifier: Apache-2.0
"""What people must look into, said for a supervisor. Pure: reads the center's book, changes nothing.

An alarm says that something happened which must not; a case is work for a person. Each has a name that stays
the same, what happened, what of which permit lines is at stake, and the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import LineRef
from gs1.printable import printable
from sync import rollcall
from sync.accounts import ZERO, gap_name
from sync.bodies import Refusal, UnderHold, read_body
from sync.center import CenterBook
from sync.entry import Entry, Place, read_record
from sync.errors import EntryError
from sync.restraining import LOAD_CHARACTERS_MAX
from sync.restraints import ZoneEvent

ALARM: Final = "alarm"
CASE: Final = "case"

STAKES_MAX: Final = 50
"""Permit lines told of one case: a dock rarely holds more, and a person reads no more."""


LOADS_TOLD_MAX: Final = 10
"""Loads that one sentence names; the entry names more."""


def settled_of(settled: Iterable[str], prefix: str) -> list[str]:
    """What a person's word has ended of the cases that a prefix names, without it."""
    return [name.removeprefix(prefix) for name in settled if name.startswith(prefix)]


class Stake(msgspec.Struct, frozen=True):
    """So much of a permit line may have left unseen, or has left beyond what was allowed."""

    permit: str
    line: str
    quantity: Decimal
    unit: str | None = None


class Case(msgspec.Struct, frozen=True):
    """One thing to look into. `settles` tells whether a person's word ends it (`settled`); the others end
    when what they ask for is done. `epoch` and `node` say what it is about, empty where it is the whole zone.
    """

    name: str
    kind: str
    what: str
    stake: tuple[Stake, ...]
    next_step: str
    node: str = ""
    epoch: str = ""
    settles: bool = False


class Crossed(msgspec.Struct, frozen=True):
    """A load that went through a gate against a STOP; `sure` is False where the gate is not."""

    node: str
    entry_id: str
    epoch: str
    door: str
    load: str
    reason: str
    sure: bool

    @property
    def case(self) -> str:
        """The name of its case, by which it is settled."""
        return f"crossed:{self.entry_id}"


def crossed_of(node: str, entry: Entry) -> Crossed | None:
    """What an entry of a node's log says of a STOP that was not obeyed, also of one that it tells again for
    a log that cannot be stored; None for every other entry.
    """
    try:
        if entry.type == "adopt":
            entry = read_record(bytes(read_body(entry).record))
        if entry.type != "stop":
            return None
        body: Refusal = read_body(entry)
    except EntryError:
        return None
    passage = body.read.passage
    if passage is None or passage.kind != "crossed" or body.crossed is False:
        return None
    load = (body.load.sscc or body.load.key) if body.load is not None else body.read.code
    told = printable(load.encode(), LOAD_CHARACTERS_MAX)
    reason = printable(body.reason.encode(), LOAD_CHARACTERS_MAX)
    return Crossed(node, entry.entry_id, entry.epoch, entry.door or "", told, reason, body.crossed is True)


def cases(
    book: CenterBook,
    ahead: Mapping[str, Place] | None = None,
    crossed: Mapping[str, Crossed] | None = None,
) -> list[Case]:
    """All that stands open, alarms first. `ahead` are epochs with an entry dated more than a day ahead of its
    arrival, and the first such entry; `crossed` are STOPs that were not obeyed, by the ids of their entries.
    """
    found = [
        *_forks(book),
        *_put_back(book),
        *_overdrawn(book),
        *_late(book),
        *_ahead(book, ahead or {}),
        *_unread(book),
        *_missing(book),
        *_forgotten(book),
        *_disputed(book),
        *_crossed(crossed or {}),
        *_restrained(book),
    ]
    return [case for case in found if not (case.settles and case.name in book.settled)]


def log_name(epoch: str) -> str:
    """How people are told of one epoch: its first eight digits are enough to tell it from others."""
    return f"log {epoch[:8]}"


# -- what must not have happened --------------------------------------------------------------------------


def _forks(book: CenterBook) -> Iterator[Case]:
    told = set()
    for epoch, forks in book.forks.items():
        for fork in forks:
            name = f"fork:{epoch}:{fork.stored.seq}"
            if name in told:
                continue
            told.add(name)
            yield Case(
                name,
                ALARM,
                f"Two different entries were shown for place {fork.stored.seq} in {log_name(epoch)} of "
                f"{fork.node}: two machines wrote as one, or somebody forged one of them.",
                _lent(book, (epoch,)),
                f"Find out whether the machine of {fork.node} was copied or put back to an older state, and "
                "whether a second one still runs. Count its goods if goods may have left unseen; then settle "
                "this with what you found.",
                fork.node,
                epoch,
                settles=True,
            )


def _put_back(book: CenterBook) -> Iterator[Case]:
    for epoch, told in book.testimony.told.items():
        shown = next(iter(told.values())).shown
        yield Case(
            f"put-back:{epoch}",
            ALARM,
            "This center was put back to an older state as a whole, anchor and all, or a copy of it runs: "
            f"a dock knows entry {shown.seq} of {log_name(shown.epoch)} of its own log, and it does not.",
            (),
            "Find out whether a second center runs, and stop it. Let all docks report, and count what the "
            "other cases ask for: nothing is lent before. Then settle this with what you found.",
            settles=True,
        )


def _overdrawn(book: CenterBook) -> Iterator[Case]:
    stray: dict[str, dict[LineRef, Decimal]] = {}
    known = book.accounts
    for ref in {**known.lines, **known.admitted}:
        accounts = known.lines.get(ref, {})
        line = book.line(ref)
        if line is None:  # told of each log once: a node can make up lines without end
            for epoch, account in accounts.items():
                if account.used > ZERO:
                    stray.setdefault(epoch, {})[ref] = account.used
            continue
        authorized = line.quantity
        used = known.used(ref)
        if used > authorized:
            yield Case(
                f"overdrawn:{ref.permit}/{ref.line}",
                ALARM,
                f"More goods were let out on line {ref.line} of permit {ref.permit} than it allows: "
                f"{used} of {authorized}.",
                (_stake(book, ref, used - authorized),),
                "Stop trucks on this line, compare its movements with the floor, and tell customs; then "
                "settle this with what you found.",
                settles=True,
            )
        for epoch, account in accounts.items():
            if account.overdrawn and epoch in book.epochs:
                node = book.epochs[epoch].node
                over = account.used + account.returned - account.granted
                yield Case(
                    f"overdrawn:{ref.permit}/{ref.line}:{epoch}",
                    ALARM,
                    f"{node} let out more on line {ref.line} of permit {ref.permit} than it had been lent "
                    f"({log_name(epoch)}).",
                    (_stake(book, ref, over),),
                    f"Compare the movements of {node} on this line with the floor. If its machine was copied "
                    "or put back, write it off; then settle this with what you found.",
                    node,
                    epoch,
                    settles=True,
                )
    for epoch, amounts in stray.items():
        node = book.epochs[epoch].node if epoch in book.epochs else ""
        yield Case(
            f"stray:{epoch}",
            ALARM,
            f"Goods were let out on {len(amounts)} lines that no permit here has ({log_name(epoch)}).",
            _stakes(book, amounts),
            f"Import the permits that are missing. If there are none, compare the movements of {node} with "
            "the floor, and write it off if it makes them up; then settle this with what you found.",
            node,
            epoch,
            settles=True,
        )


def _late(book: CenterBook) -> Iterator[Case]:
    for epoch, first in book.late.items():
        node = book.epochs[epoch].node
        stake = []
        for ref, accounts in book.accounts.lines.items():
            if epoch in accounts and accounts[epoch].used > ZERO:
                stake.append(_stake(book, ref, accounts[epoch].used))
        yield Case(
            f"late:{epoch}",
            ALARM,
            f"{node} sent entries from {first} on of {log_name(epoch)} after that log had been closed, "
            "so a count that closed it may have missed goods. They are stored and charged.",
            tuple(stake[:STAKES_MAX]),
            "Compare the count with these movements. If it was too low, count again; then settle this with "
            "what you found.",
            node,
            epoch,
            settles=True,
        )


def _ahead(book: CenterBook, ahead: Mapping[str, Place]) -> Iterator[Case]:
    for epoch, place in ahead.items():
        if epoch in book.epochs:
            node = book.epochs[epoch].node
            yield Case(
                f"clock-ahead:{epoch}",
                ALARM,
                f"{node} dated entries more than a day ahead of their arrival, first entry {place.seq} of "
                f"{log_name(epoch)}: its clock is wrong, or its entries are made up.",
                (),
                f"Set the clock of {node} and compare its movements with the floor: permits that had ended "
                "or not begun may have been used. Then settle this with what you found.",
                node,
                epoch,
                settles=True,
            )


def _unread(book: CenterBook) -> Iterator[Case]:
    for epoch, known in book.epochs.items():
        if known.unread and not book.accounts.counted(epoch):
            yield Case(
                f"unread:{epoch}",
                CASE,
                f"{known.node} sent entries in {log_name(epoch)} that this center cannot read, so it does "
                "not know what they took of permits.",
                _lent(book, (epoch,)),
                f"Update the center and start it again. If that does not help, count what {known.node} let "
                "out and write this log off.",
                known.node,
                epoch,
            )


# -- what is missing --------------------------------------------------------------------------------------


def _missing(book: CenterBook) -> Iterator[Case]:
    told = set()
    for lack in rollcall.missing(book):
        told.add((lack.kind, lack.epoch))
        yield _OF_KIND[lack.kind](book, lack.node, lack.epoch)
    for node in sorted(book.met):
        for epoch in rollcall.gaps(book, node):
            if ("gap", epoch) not in told:
                yield _gap(book, node, epoch)
    for child in book.epochs.values():
        if child.end is not None and not book.is_closed(child.end.epoch):
            parent = book.epochs.get(child.end.epoch)
            stored = parent.head.seq if parent and parent.node == child.node else 0
            if stored < child.end.seq and ("open", child.end.epoch) not in told:
                yield _tail(book, child.node, child.end, stored)


def _roll(book: CenterBook, _node: str, _epoch: str) -> Case:
    known = ", ".join(sorted(book.roll())) or "none"
    return Case(
        "roll",
        CASE,
        "This center was put back to an older state and the list of docks kept beside its key is lost: "
        "nobody knows which docks there are. Nothing is lent until a person says so.",
        (),
        f"Say which docks were ever let in, also broken and retired ones (known here: {known}): "
        "`zonegate central attest-roll NODE...`.",
    )


def _silent(book: CenterBook, node: str, _epoch: str) -> Case:
    epochs = [epoch for epoch, known in book.epochs.items() if known.node == node]
    return Case(
        f"silent:{node}",
        CASE,
        f"{node} has not reported since this center was put back to an older state. It may hold more of "
        "permits than the center remembers. Nothing is lent until it reports.",
        _lent(book, epochs),
        f"Connect {node} and let it exchange. If it is gone for good, or says that its log is not known here "
        f"and it cannot send the beginning any more, count its goods: `zonegate central retire {node}`.",
        node,
    )


def _open(book: CenterBook, node: str, epoch: str) -> Case:
    return Case(
        f"open:{epoch}",
        CASE,
        f"{log_name(epoch)} of {node} may have gone on after this center was put back to an older state; "
        "no machine that writes it has reported since.",
        _lent(book, (epoch,)),
        f"If the disk of that log is still there, connect it. Otherwise count what {node} let out: "
        f"`zonegate central write-off {node} --epoch {epoch}`.",
        node,
        epoch,
    )


def _gap(book: CenterBook, node: str, epoch: str) -> Case:
    before = _before(book, node, epoch)
    named = "".join(f" --epoch {earlier}" for earlier in before)
    return Case(
        gap_name(epoch),
        CASE,
        f"{node} began {log_name(epoch)} without proof of where its log before ended: its disk or its anchor "
        "was replaced or copied. Entries in between may be lost, and what was lent before stays charged.",
        _lent(book, before),
        f"Count what {node} let out before, make sure that no copy of it runs on, then "
        f"`zonegate central write-off {node}{named} --gap {epoch}`.",
        node,
        epoch,
    )


def _tail(book: CenterBook, node: str, end: Place, stored: int) -> Case:
    return Case(
        f"missing:{end.epoch}",
        CASE,
        f"Entries {stored + 1} to {end.seq} of {log_name(end.epoch)} of {node} were told to people there, "
        "and have not come here.",
        _lent(book, (end.epoch,)),
        f"If the old disk of {node} is still there, connect it: they come by themselves. Otherwise count: "
        f"`zonegate central write-off {node} --epoch {end.epoch}`.",
        node,
        end.epoch,
    )


_OF_KIND: Final = {"roll": _roll, "silent": _silent, "open": _open, "gap": _gap}


# -- what people have to decide ---------------------------------------------------------------------------


def _forgotten(book: CenterBook) -> Iterator[Case]:
    if not book.forgotten:
        return
    amounts: dict[LineRef, Decimal] = {}
    for grant in book.forgotten.values():
        amounts[grant.ref] = amounts.get(grant.ref, ZERO) + grant.quantity
    nodes = ", ".join(sorted({grant.node for grant in book.forgotten.values()}))
    yield Case(
        f"forgotten-grants:{book.own_epochs[-1]}",
        CASE,
        f"Docks ({nodes}) hold quantities of permits that this center had lent before it was put back to an "
        "older state. They are charged again.",
        _stakes(book, amounts),
        "Look for papers that were imported after the backup and import them again; then settle this.",
        settles=True,
    )


def _disputed(book: CenterBook) -> Iterator[Case]:
    for name, dispute in book.disputes.items():
        yield Case(
            f"disputed:{name}",
            CASE,
            f"{dispute.by} objects to a movement of load {dispute.load} at {dispute.node}: {dispute.reason}. "
            "The load is held at every door.",
            (),
            f"Look at the load, then `zonegate central decide {name} stands` or `corrected`.",
            dispute.node,
        )


def _crossed(crossed: Mapping[str, Crossed]) -> Iterator[Case]:
    for load in crossed.values():
        went = "went through all the same" if load.sure else "may have gone through all the same"
        yield Case(
            load.case,
            CASE,
            f"Load {load.load} was stopped at door {load.door} of {load.node} ({load.reason}) and {went}.",
            (),
            "Find the load. If it went through, bring it back or have it put on a permit and scanned; then "
            "settle this with what you found.",
            load.node,
            load.epoch,
            settles=True,
        )


def _restrained(book: CenterBook) -> Iterator[Case]:
    known = book.restraints
    for put in known.suspended.values():
        again = " Docks remembered it; this center had forgotten." if put.again else ""
        yield Case(
            f"suspended:{put.id}",
            CASE,
            f"The zone is suspended by {put.by}: {put.reason}. Every door that knows says STOP.{again}",
            (),
            f"{_unheard(book, put)}When goods may move again, resume the zone: `zonegate central resume`.",
        )
    for hold in known.holds.values():
        if hold.again:
            yield Case(
                f"hold-again:{hold.id}",
                CASE,
                f"Docks remembered a hold that this center had forgotten: {hold.kind}, {hold.reason} "
                f"({hold.by}). It stands again.",
                (),
                "Look whether it still holds, and settle this; or lift it: "
                f"`zonegate central lift-hold {hold.id}`.",
                settles=True,
            )
    for end in book.remembered.ends.values():
        yield Case(
            f"ended-elsewhere:{end.id}",
            CASE,
            f"Docks were told by {end.by} that a suspension or hold has ended, and this center forgot that "
            "when it was put back. It stands here; those docks let goods pass.",
            (),
            "If it has ended, say so again: `zonegate central resume` or `zonegate central lift-hold "
            f"{end.id}`. If not, end it and put it anew.",
        )
    for entry_id, found in book.under_hold.items():
        yield Case(
            f"under-hold:{entry_id}",
            CASE,
            f"{_loads(found)} crossed under a hold at {found.node} ({log_name(found.epoch)}), which did not "
            f"know of it yet: {_restraint(book, found)}.",
            (),
            "Find these loads. Bring back what has left, or tell the agency; then settle this with what you "
            "found.",
            found.node,
            found.epoch,
            settles=True,
        )


def _unheard(book: CenterBook, put: ZoneEvent) -> str:
    """The docks that have not said yet that they heard."""
    unheard = sorted(book.roll() - book.remembered.heard.get(put.id, set()))
    more = f" and {len(unheard) - LOADS_TOLD_MAX} more" if len(unheard) > LOADS_TOLD_MAX else ""
    names = ", ".join(unheard[:LOADS_TOLD_MAX])
    return f"Not heard of it yet: {names}{more}; stop the doors there by hand. " if unheard else ""


def _loads(found: UnderHold) -> str:
    told = ", ".join(found.loads[:LOADS_TOLD_MAX])
    more = f" and {found.count - LOADS_TOLD_MAX} more" if found.count > LOADS_TOLD_MAX else ""
    return f"{found.count} load{'s' if found.count > 1 else ''} ({told}{more})"


def _restraint(book: CenterBook, found: UnderHold) -> str:
    known = book.restraints
    zone = known.suspended.get(found.restraint) or known.past_suspended.get(found.restraint)
    if zone is not None:
        return f"the zone was suspended, {zone.reason}"
    hold = known.holds.get(found.restraint) or known.past_holds.get(found.restraint)
    return f"{hold.kind} hold, {hold.reason}" if hold is not None else f"hold {found.restraint}"


# -- what is at stake -------------------------------------------------------------------------------------


def _before(book: CenterBook, node: str, epoch: str) -> list[str]:
    """The epochs of a node that were met before this one and are not closed."""
    met = book.met.get(node, [])
    earlier = met[: met.index(epoch)] if epoch in met else []
    return [name for name in earlier if not book.is_closed(name)]


def _lent(book: CenterBook, epochs: Iterable[str]) -> tuple[Stake, ...]:
    """What lies lent to some epochs and is not known to be used."""
    wanted = set(epochs)
    amounts: dict[LineRef, Decimal] = {}
    for ref, accounts in book.accounts.lines.items():
        idle = sum((accounts[epoch].idle for epoch in accounts.keys() & wanted), ZERO)
        if idle > ZERO:
            amounts[ref] = idle
    return _stakes(book, amounts)


def _stakes(book: CenterBook, amounts: Mapping[LineRef, Decimal]) -> tuple[Stake, ...]:
    return tuple(_stake(book, ref, quantity) for ref, quantity in sorted(amounts.items())[:STAKES_MAX])


def _stake(book: CenterBook, ref: LineRef, quantity: Decimal) -> Stake:
    line = book.line(ref)
    return Stake(ref.permit, ref.line, quantity, line.unit if line else None)
