# SPDX-License-Identifier: Apache-2.0
"""People suspend the zone and hold goods, at the center: each act is an entry that goes down to every dock.

What docks do with it, and what is found of those that could not know yet, is `sync.restraints` and
`sync.restraining`. Knows no HTTP.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec

from central.errors import Denied
from central.ownlog import OwnLog
from central.people import Name, Note, People, Written
from gs1 import check_digit, sscc_link
from sync.center import CenterBook
from sync.decisions import Draft
from sync.restraints import (
    AGENCY,
    HOLDS_MAX,
    KINDS,
    RESUMED,
    SUSPENDED,
    HoldLifted,
    HoldPut,
    Put,
    ZoneEvent,
)

AGENCY_LENGTH_MAX: Final = 20
"""A door says it in one line: "{agency} holds this load."."""

ENDED_MAX: Final = 50
"""Of what has ended a page shows so much; the record has all."""

Agency = Annotated[str, msgspec.Meta(max_length=AGENCY_LENGTH_MAX, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Named = Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class Suspend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Suspend the zone: every door says STOP. `reason` stands on the doors' screens."""

    reason: Note
    by: Name


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The zone is not suspended any more; `note` says what was found."""

    note: Note
    by: Name


class PutHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold goods. `kind` is agency or quality; what is left empty of `owner`, `gtin`, `lot` and `load` is not
    asked. `load` is an SSCC, or a load's key as the inventory names it.
    """

    kind: str
    reason: Note
    by: Name
    agency: Agency = ""
    owner: Named = ""
    gtin: Named = ""
    lot: Named = ""
    load: Named = ""


class LiftHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hold has ended; `hold` is its id."""

    hold: Name
    note: Note
    by: Name


class Standing(msgspec.Struct, frozen=True):
    """What keeps goods where they are now."""

    suspended: tuple[ZoneEvent, ...]
    holds: tuple[HoldPut, ...]


class Ended(msgspec.Struct, frozen=True):
    """A suspension or hold that has ended, and when."""

    put: Put
    at: datetime


class Restraining:
    """The acts of one center."""

    def __init__(self, own: OwnLog, people: People) -> None:
        self._own = own
        self._people = people

    async def suspend(self, order: Suspend) -> list[Written]:
        """Every door says STOP as soon as its dock hears of it."""
        now, name = self._named()

        def draft(book: CenterBook) -> list[Draft]:
            standing = book.restraints.suspension
            if standing is not None:
                raise Denied(409, f"the zone is suspended already: {standing.reason}", "Resume it first.")
            return [("zone", ZoneEvent(SUSPENDED, name, order.reason, order.by, now))]

        return await self._people.act(draft)

    async def resume(self, order: Resume) -> list[Written]:
        """The doors go on as soon as their docks hear of it. All that suspended the zone ends."""
        now = self._own.clocks.utc()

        def draft(book: CenterBook) -> list[Draft]:
            if not book.restraints.suspended:
                missing = "" if book.may_lend() else "; docks that have not reported yet may know more"
                raise Denied(409, f"the zone is not suspended, as far as is known here{missing}", "Nothing.")
            return [
                ("zone", ZoneEvent(RESUMED, each, order.note, order.by, now))
                for each in book.restraints.suspended
            ]

        return await self._people.act(draft)

    async def put_hold(self, order: PutHold) -> list[Written]:
        """Goods that fit stop at every door as soon as its dock hears of it."""
        now, name = self._named()
        hold = _hold(order, name, now)

        def draft(book: CenterBook) -> list[Draft]:
            if len(book.restraints.holds) >= HOLDS_MAX:
                raise Denied(
                    409, f"{HOLDS_MAX} holds stand already", "Lift some, or hold by product and lot."
                )
            return [("hold-put", hold)]

        return await self._people.act(draft)

    async def lift_hold(self, order: LiftHold) -> list[Written]:
        """Goods move again as soon as the docks hear of it, unless another hold stands on them."""
        now = self._own.clocks.utc()

        def draft(book: CenterBook) -> list[Draft]:
            if order.hold not in book.restraints.holds:
                raise Denied(404, f"no hold {order.hold[:40]!r} stands", "Look in /api/v1/restraints.")
            return [("hold-lifted", HoldLifted(order.hold, order.by, order.note, now))]

        return await self._people.act(draft)

    async def standing(self) -> Standing:
        """What stands now."""

        def look(book: CenterBook) -> Standing:
            known = book.restraints
            return Standing(tuple(known.suspended.values()), tuple(known.holds.values()))

        return await self._people.look(look)

    async def ended(self) -> list[Ended]:
        """What has ended, the newest first, up to ENDED_MAX."""

        def look(book: CenterBook) -> list[Ended]:
            known = book.restraints
            past: list[Put] = [*known.past_suspended.values(), *known.past_holds.values()]
            return [Ended(put, known.ended[put.id]) for put in past]

        found = await self._people.look(look)
        return sorted(found, key=lambda one: one.at, reverse=True)[:ENDED_MAX]

    def _named(self) -> tuple[datetime, str]:
        """Now, and a new name for what begins."""
        return self._own.clocks.utc(), self._own.clocks.entry_id()


def _hold(order: PutHold, name: str, now: datetime) -> HoldPut:
    """The hold that a person means. Denied (400) where it means nothing, or everything."""
    if order.kind not in KINDS:
        raise Denied(400, f"the kind is {order.kind[:40]!r}", f"Say {' or '.join(KINDS)}.")
    owner, gtin, lot, load = (
        said.strip() or None for said in (order.owner, order.gtin, order.lot, order.load)
    )
    if owner is None and gtin is None and load is None:
        step = "Name an owner, a product or a load; to stop everything, suspend the zone."
        raise Denied(400, "the hold names no goods", step)
    if lot is not None and gtin is None:
        raise Denied(400, f"the lot {lot[:40]!r} has no product", "Name the product too: lots are its own.")
    if gtin is not None and not _is_right(gtin, 14):
        raise Denied(
            400, f"{gtin[:40]!r} is no GTIN", "Write its 14 digits; a shorter one gets zeros before."
        )
    if load is not None and load.isdigit():
        if not _is_right(load, 18):
            raise Denied(400, f"{load[:40]!r} is no SSCC", "Write its 18 digits, as on the label.")
        load = sscc_link(load)
    agency = order.agency.strip() or "Customs" if order.kind == AGENCY else order.agency.strip()
    return HoldPut(name, order.kind, agency, order.reason, order.by, now, owner, gtin, lot, load)


def _is_right(text: str, length: int) -> bool:
    if not (len(text) == length and text.isascii() and text.isdigit()):
        return False
    return check_digit(text[:-1]) == text[-1]
