# SPDX-License-Identifier: Apache-2.0
"""Goods that are not wholly in: in suspense until their papers come, or picked up and not yet there. What
stands so at any two times, since when and how long it may; and the cases that come of it.

Suspense: 19 CFR 146.22(c), 146.35. On the way: 146.40. Reads only; knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from central.ledger_queries import PAGE, Item, Ledger, Page, calendar, key_of, token
from central.ownlog import OwnLog
from central.queries import query
from customs.documents import Direction, LineRef
from customs.law import Law
from customs.ledger.facts import IN_TRANSIT, STOCK
from customs.us.deadlines import discrepancy_due, papers_due, suspense_ends
from customs.us.statuses import ADMITTING
from gs1.printable import printable
from sync.cases import CASE, Case, settled_of
from sync.center import CenterBook
from sync.restraining import LOAD_CHARACTERS_MAX

if TYPE_CHECKING:
    from central.law import CustomsData

TOLD_MAX: Final = 50
"""Cases of one kind told at once, the oldest: where there are more, they have one cause."""

_ZERO: Final = Decimal(0)
_SUSPENSE: Final = "SUSPENSE-"
_ENTRY_ID: Final = 36

IN_SUSPENSE: Final = "in-suspense:"
SUSPENSE_OVER: Final = "suspense-over:"
NOT_ARRIVED: Final = "not-arrived:"
ARRIVED_OVER: Final = "arrived-over:"


class Waiting:
    """Answers for one center."""

    def __init__(self, own: OwnLog, ledger: Ledger, data: CustomsData) -> None:
        self._own = own
        self._ledger = ledger
        self._data = data

    # -- lists -------------------------------------------------------------------------------------

    async def suspense(
        self,
        after: str | None = None,
        as_of: datetime | None = None,
        known_on: datetime | None = None,
        *,
        owner: str = "",
        product: str = "",
    ) -> Page:
        """Deposits of which something is in suspense: how many days by then, and the last day on which their
        paper may come.
        """
        page = await self._ledger.lots(
            after, as_of, known_on, owner=owner, product=product, status="SUSPENSE"
        )
        told = await self._deposits([item["lot"] for item in page.items])
        zone = await calendar(self._own)
        today = (as_of or self._own.clocks.utc()).astimezone(zone).date()
        items = []
        for item in page.items:
            amount = item["accounts"].get(STOCK)
            if amount is None:
                continue
            deposit = told.get(item["lot"], {})
            since: datetime = deposit["occurred_at"] if deposit else item["first_booked"]
            day = since.astimezone(zone).date()
            items.append(
                {
                    "lot": item["lot"],
                    "owner": item["owner"],
                    "product": item["product"],
                    "unit": item["unit"],
                    "quantity": amount.quantity,
                    "customs": amount.customs,
                    "since": since,
                    "days": (today - day).days,
                    "last_day": suspense_ends(day),
                    "over": today > suspense_ends(day),
                    **{name: deposit.get(name) for name in ("entry_id", "node", "door", "key", "sscc")},
                }
            )
        return Page(items, page.next)

    async def in_transit(
        self,
        after: str | None = None,
        as_of: datetime | None = None,
        known_on: datetime | None = None,
    ) -> Page:
        """Goods on their way by the document that they were picked up under: since when, and the day by which
        its papers reach the port.
        """
        (first,) = key_of(after, (0,))
        rows = await self._rows("waiting_ways", first, as_of, PAGE + 1)
        ways = {(row["owner"], row["product"], row["status"], row["place"]): row for row in rows[:PAGE]}
        balances = await self._ledger.at_queues([row["queue"] for row in rows[:PAGE]], as_of, known_on)
        law = await self._law()
        zone = await calendar(self._own)
        today = (as_of or self._own.clocks.utc()).astimezone(zone).date()
        items = []
        for way, row in ways.items():
            amount = balances.get(way)
            if amount is None or not amount.quantity:
                continue
            day = row["since"].astimezone(zone).date()
            due = papers_due(day, law)
            items.append(
                {
                    "document": row["place"].removeprefix(IN_TRANSIT),
                    **{name: row[name] for name in ("owner", "product", "status", "since", "entry_id")},
                    "quantity": amount.quantity,
                    "customs": amount.customs,
                    "days": (today - day).days,
                    "papers_due": due,
                    "over": today > due,
                }
            )
        await self._ledger.say_units(items)
        return Page(items, token(rows[PAGE - 1]["queue"]) if len(rows) > PAGE else None)

    # -- cases -------------------------------------------------------------------------------------

    async def cases(self) -> list[Case]:
        """What stands open, by days of the zone's calendar."""
        async with self._own.lock:
            book = await self._own.book()
            settled = set(book.settled)
            papered = _papered(book)
        zone = await calendar(self._own)
        found = [
            *await self._in_suspense(settled, zone),
            *await self._over_their_papers(papered),
            *await self._not_arrived(settled, zone),
            *await self._arrived_over(),
        ]
        return [case for case in found if case.name not in settled]

    async def _in_suspense(self, settled: set[str], zone: tzinfo) -> list[Case]:
        """Deposits whose paper may not come any more."""
        today = self._own.clocks.utc().astimezone(zone).date()
        before = datetime(today.year, today.month, today.day, tzinfo=zone)
        before -= suspense_ends(today) - today
        names = settled_of(settled, IN_SUSPENSE)
        found = []
        for row in await self._rows("waiting_long", before, names, TOLD_MAX):
            day = row["since"].astimezone(zone).date()
            at = f"at door {row['door']} of {row['node']}, load {_told(row['sscc'] or row['key'])}"
            owner = _told(row["owner"]) or "an unknown owner"
            what = (
                f"{row['quantity']:f} of {_told(row['product'])} of {owner} are in suspense since {day}"
                f"{', ' + at if row['door'] else ''}. A complete 214 was due by {suspense_ends(day)} "
                "(19 CFR 146.35(e))."
            )
            step = (
                "If the permit has come, import it and admit them: `zonegate central admit`. Otherwise the "
                "goods go to general order: tell the port, and settle this with what was done."
            )
            found.append(_case(f"{IN_SUSPENSE}{row['lot']}", what, step, row["node"] or ""))
        return found

    async def _over_their_papers(self, papered: Mapping[tuple[str, str], tuple[str, Decimal]]) -> list[Case]:
        """Goods that stay in suspense after their papers came, which no line has room for."""
        if not papered:
            return []
        rows = await self._rows("waiting_of", *map(list, zip(*papered, strict=True)))
        found = []
        for row in rows:
            ref, room = papered[row["owner"], row["product"]]
            if row["quantity"] <= room:
                continue
            over = row["quantity"] - room
            what = (
                f"{over:f} of {_told(row['product'])} of {_told(row['owner'])} came beyond their papers: "
                f"{row['quantity']:f} are in suspense, and admission lines such as {ref} have {room:f} left."
            )
            step = (
                "Count them, and report the discrepancy (19 CFR 146.22(b), 146.37(c)). When a paper covers "
                "them, import it and admit them; or settle this with what was done."
            )
            found.append(_case(f"{SUSPENSE_OVER}{ref}:{over:f}", what, step))
        return found[:TOLD_MAX]

    async def _not_arrived(self, settled: set[str], zone: tzinfo) -> list[Case]:
        """What was picked up and has not come by the day on which its papers are due."""
        now = self._own.clocks.utc()
        names = settled_of(settled, NOT_ARRIVED)
        rows = await self._rows("waiting_on_the_way", now - timedelta(days=1), names, TOLD_MAX)
        law = await self._law() if rows else None
        found = []
        for row in rows:
            day = row["since"].astimezone(zone).date()
            if law is None or now.astimezone(zone).date() <= papers_due(day, law):
                continue
            what = (
                f"{row['quantity']:f} of {_told(row['product'])} of {_told(row['owner'])} were picked up on "
                f"{day} as {_told(row['lot'])} and have not arrived."
            )
            step = (
                f"Look for them. A shortage is reported by {discrepancy_due(day)} (19 CFR 146.37(c)(2)); "
                "what was never fetched is taken back: `zonegate central undo-pick-up "
                f"{row['fact'][:_ENTRY_ID]}`."
            )
            found.append(_case(f"{NOT_ARRIVED}{row['fact']}:{row['n']}", what, step))
        return found

    async def _arrived_over(self) -> list[Case]:
        """What arrived beyond what was picked up."""
        found = []
        for row in await self._rows("waiting_over", TOLD_MAX):
            document = row["place"].removeprefix(IN_TRANSIT)
            what = (
                f"{row['quantity']:f} of {_told(row['product'])} of {_told(row['owner'])} in {row['status']} "
                f"were admitted on {document} beyond what was picked up."
            )
            step = (
                "Count them. If the pick-up was more, say so: `zonegate central pick-up`, with its instant; "
                "otherwise report the overage (19 CFR 146.37(c)) and settle this with what was found."
            )
            name = f"{ARRIVED_OVER}{document}:{row['product']}:{row['status']}:{row['quantity']:f}"
            found.append(_case(name, what, step))
        return found

    # -- how ---------------------------------------------------------------------------------------

    async def _deposits(self, lots: list[str]) -> dict[str, Item]:
        """The movements by which goods were deposited, by their lot."""
        ids = {lot.removeprefix(_SUSPENSE): lot for lot in lots if lot.startswith(_SUSPENSE)}
        if not ids:
            return {}
        rows = await self._rows("waiting_deposits", [name for name in ids if len(name) == _ENTRY_ID])
        return {ids[row["entry_id"]]: row for row in rows}

    async def _law(self) -> Law:
        async with self._own.database.session() as connection:
            return (await self._data.law_book(connection)).at()

    async def _rows(self, name: str, *arguments: Any) -> list[Item]:
        own = self._own
        async with own.database.session() as connection:
            rows = await connection.fetch(query(name), own.tenant, own.zone, *arguments)
        return [dict(row) for row in rows]


def _papered(book: CenterBook) -> dict[tuple[str, str], tuple[str, Decimal]]:
    """Goods that were admitted out of suspense, by owner and product: the line, and what all admission lines
    for such goods have left.
    """
    found: dict[tuple[str, str], tuple[str, Decimal]] = {}
    for ref in sorted(ref for ref, quantity in book.accounts.admitted.items() if quantity):
        permit, line = book.permits.get(ref.permit), book.line(ref)
        if permit is not None and line is not None:
            found[permit.owner, line.product] = (str(ref), _ZERO)
    if not found:
        return {}
    for permit in book.permits.values():
        if permit.kind not in ADMITTING:
            continue
        for line in permit.lines:
            goods = (permit.owner, line.product)
            if goods in found and line.direction is Direction.IN:
                named, room = found[goods]
                used = book.accounts.used(LineRef(permit.number, line.line))
                found[goods] = (named, room + max(line.quantity - used, _ZERO))
    return found


def _case(name: str, what: str, step: str, node: str = "") -> Case:
    return Case(name, CASE, what, (), step, node, settles=True)


def _told(text: str) -> str:
    return printable(text.encode(), LOAD_CHARACTERS_MAX)
