# SPDX-License-Identifier: Apache-2.0
"""By reason code, how a door comes into the situation of a row of the table of verdicts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from customs.documents import Direction, Permit, PermitLine, Status
from edge.passage import PassageKind
from edge.view import DoorView
from gs1 import gtin_link, sscc_link
from sync.bodies import Dispute, Holdings, Lent, Moved
from sync.restraints import HoldPut, ZoneEvent
from tests.edge.gates import STRANGE, UNSURE, crossed, number_of, passage, unit
from tests.edge.yard import (
    CLOSE,
    GONE,
    HELD,
    NOTICED,
    OTHER_OWNER,
    OWNER,
    START,
    TOOL,
    UNDO,
    UNKNOWN,
    WEEK,
    Papers,
    Yard,
    holding,
    label,
    load_number,
    order,
    pallet,
    settled,
    sscc,
    tools_without_sscc,
)

Situation = Callable[[str], Awaitable[tuple[Yard, DoorView]]]
SITUATIONS: dict[str, Situation] = {}
"""By reason code: brings a door of that direction into the situation of the row."""


def situation(reason: str) -> Callable[[Situation], Situation]:
    def keep(make: Situation) -> Situation:
        SITUATIONS[reason] = make
        return make

    return keep


def opened(way: str, papers: Papers | None = None) -> Yard:
    """A door with an open truck and all papers confirmed."""
    yard = Yard(papers or Papers())
    yard.open(way)
    return yard


async def after(yard: Yard, way: str, *codes: bytes) -> tuple[Yard, DoorView]:
    for code in codes[:-1]:
        await yard.told(way, code)
    return yard, await yard.told(way, codes[-1])


@situation("admitted")
@situation("withdrawn")
async def passes(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 1))


@situation("domestic")
async def domestic(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 3))


@situation("temporary-deposit")
async def temporary_deposit(way: str) -> tuple[Yard, DoorView]:
    yard = Yard(Papers())
    _, view = await after(yard, way, load_number(way, 1))
    assert view.reason == "no-job"
    [hold] = yard.dock.books.state.holds
    await yard.dock.decide(hold, "deposit", "papers follow", "supervisor", "125")
    await settled()
    return yard, yard.dock.door(way)


@situation("already-counted")
async def already_counted(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 1), load_number(way, 2), load_number(way, 1))


@situation("repeat-scan")
async def repeat_scan(way: str) -> tuple[Yard, DoorView]:
    yard, view = await quantity_needed(way)
    assert view.prompt is not None
    await yard.dock.quantity(way, view.prompt.hold, "20", "client-1", "worker")
    return yard, await yard.told(way, label(), seconds=1)


@situation("job-already-open")
async def job_already_open(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, order(f"{way.upper()}-1"))


@situation("nothing-to-undo")
async def nothing_to_undo(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, UNDO)


@situation("nothing-to-close")
async def nothing_to_close(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(Papers()), way, CLOSE)


@situation("unreadable")
async def unreadable(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C100095219990000000014")


@situation("no-goods")
async def no_goods(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C1400ORDER-1")


@situation("parcel")
async def parcel(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C01Z999AA10123456784")


@situation("asset")
async def asset(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C18003095211411234545678")


@situation("place")
async def place(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C14149521141123454")


@situation("no-read")
async def no_read(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await yard.told(way, b"NOREAD", no_read=True)


@situation("no-job")
async def no_job(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(Papers()), way, load_number(way, 1))


@situation("job-unknown")
async def job_unknown(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(Papers()), way, order("NOBODYS"))


@situation("job-wrong-door")
async def job_wrong_door(way: str) -> tuple[Yard, DoorView]:
    other = {"in": "OUT-1", "out": "IN-1"}[way]
    return await after(Yard(Papers()), way, order(other))


@situation("job-open")
async def job_open(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, order(f"{way.upper()}-2"))


@situation("job-closed")
async def job_closed(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, CLOSE, order(f"{way.upper()}-1"))


@situation("seals")
async def seals(way: str) -> tuple[Yard, DoorView]:
    yard = Yard(Papers(seals=("S-1", "S-2")))
    await yard.dock.open_job(way, f"{way.upper()}-1", ("S-1", "broken"), "supervisor")
    assert yard.dock.door(way).reason == "seals", "said at once, before any load"
    return await after(yard, way, load_number(way, 1))


@situation("never-synced")
async def never_synced(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(), way, load_number(way, 1))


@situation("grant-pending")
async def grant_pending(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.dock.have = 0
    return await after(yard, way, load_number(way, 1))


@situation("clock-unsure")
async def clock_unsure(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.time.synchronized = False
    return await after(yard, way, load_number(way, 1))


@situation("update-dock")
async def update_dock(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, Papers(rules=("of-next-year",))), way, load_number(way, 1))


@situation("unknown-load")
async def unknown_load(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(UNKNOWN))


@situation("quantity-needed")
async def quantity_needed(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, label())


@situation("already-in-zone")
async def already_in_zone(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(HELD))


@situation("returned-load")
async def returned_load(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(GONE))


@situation("mixed-lot")
async def mixed_lot(way: str) -> tuple[Yard, DoorView]:
    others = msgspec.structs.replace(
        tools_without_sscc(50), owner=OTHER_OWNER, key=gtin_link(TOOL, "L9"), lot="L9"
    )
    more = (("holdings", Holdings("b" * 32, (Moved(True, others),))),)
    return await after(opened(way, Papers(more=more)), way, label(lot="L9"))


@situation("not-in-zone")
async def not_in_zone(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(NOTICED))


@situation("already-withdrawn")
async def already_withdrawn(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(GONE))


@situation("not-on-permit")
async def not_on_permit(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 4))


@situation("wrong-owner")
async def wrong_owner(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 5))


@situation("permit-not-yet-valid")
async def permit_not_yet_valid(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(valid=(date(2026, 6, 8), date(2026, 6, 14)))
    return await after(opened(way, papers), way, load_number(way, 1))


@situation("permit-expired")
async def permit_expired(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(valid=(date(2026, 5, 25), date(2026, 5, 31)))
    return await after(opened(way, papers), way, load_number(way, 1))


@situation("permit-exhausted")
async def permit_exhausted(way: str) -> tuple[Yard, DoorView]:
    loads = (load_number(way, number) for number in (1, 2, 10))
    return await after(opened(way, Papers(line=250)), way, *loads)


@situation("straddles-limit")
async def straddles_limit(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, Papers(line=140)), way, load_number(way, 1), load_number(way, 2))


@situation("leased-elsewhere")
async def leased_elsewhere(way: str) -> tuple[Yard, DoorView]:
    more = tuple(("lent", Lent(f"P-{side}", "1", {"dock-9": Decimal(1000)})) for side in ("IN", "OUT"))
    return await after(opened(way, Papers(granted=0, more=more)), way, load_number(way, 1))


@situation("disputed")
async def disputed(way: str) -> tuple[Yard, DoorView]:
    load = sscc_link(sscc(int(way == "in") * 100 + 1))
    more = (("dispute", Dispute("0" * 8, "dock-1", load, "counted short", "office")),)
    return await after(opened(way, Papers(more=more)), way, load_number(way, 1))


@situation("wrong-way")
async def wrong_way(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    other = {"in": "out", "out": "in"}[way]
    return yard, await crossed(yard, passage(way, [unit(number_of(way, 1))], way=other))


@situation("not-sure")
async def not_sure(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, [unit(number_of(way, 1))], confidence=UNSURE))


@situation("no-tag")
async def no_tag(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, kind=PassageKind.UNREAD))


@situation("unknown-tags")
async def unknown_tags(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, [STRANGE]))


SUSPENSION = ZoneEvent("suspended", "s-1", "fire inspection", "Dana", START)


def held_back(kind: str = "agency", name: str = "h-1", **scope: Any) -> Papers:
    """The center holds goods."""
    hold = HoldPut(name, kind, "Customs" if kind == "agency" else "", "exam", "Dana", START, **scope)
    return Papers(more=(("hold-put", hold),))


def in_stock(number: int, **dates: date) -> tuple[str, msgspec.Struct]:
    """A pallet of tools in the zone, with the dates that its papers say."""
    load = msgspec.structs.replace(holding(number), **dates)
    return "holdings", Holdings("b" * 32, (Moved(True, load),))


def quota(opens: date | None = None, closes: date | None = None) -> tuple[str, msgspec.Struct]:
    """The outbound permit again, its line of tools under a quota."""
    line = PermitLine("1", TOOL, Status.NPF, Decimal(1000), "EA", Direction.OUT, opens, closes)
    return "permit", Permit("P-OUT", "weekly-entry", OWNER, *WEEK, (line,))


@situation("status-forbids")
async def status_forbids(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, Papers(kind="warehouse")), way, load_number(way, 6))


@situation("expired")
async def expired(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(more=(in_stock(50, expiry=date(2026, 6, 2)),))
    return await after(opened(way, papers), way, pallet(50))


@situation("over-five-years")
async def over_five_years(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(kind="warehouse", more=(in_stock(51, imported=date(2021, 6, 2)),))
    return await after(opened(way, papers), way, pallet(51))


@situation("import-date-missing")
async def import_date_missing(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, Papers(kind="warehouse", more=(in_stock(51),))), way, pallet(51))


@situation("quota-closed")
async def quota_closed(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(more=(quota(opens=date(2026, 6, 4)),))
    return await after(opened(way, papers), way, load_number(way, 1))


@situation("agency-hold")
async def agency_hold(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, held_back(gtin=TOOL)), way, load_number(way, 1))


@situation("quality-hold")
async def quality_hold(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, held_back("quality", gtin=TOOL, lot="L1")), way, load_number(way, 1))


@situation("zone-suspended")
async def zone_suspended(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.send([("zone", SUSPENSION)])
    assert yard.dock.door(way).reason == "zone-suspended", "said at once, without a scan"
    return await after(yard, way, load_number(way, 1))


@situation("interrupted")
async def interrupted(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    closed = passage(way, [unit(number_of(way, 1))], kind=PassageKind.INTERRUPTED)
    return yard, await crossed(yard, closed)


@situation("unjudged")
async def unjudged(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, [unit(number_of(way, 1))], kind=PassageKind.UNJUDGED))


@situation("cannot-record")
async def cannot_record(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.dock.detach()
    assert yard.dock.door(way).reason == "cannot-record", "said at once"
    return await after(yard, way, load_number(way, 1))
