# SPDX-License-Identifier: Apache-2.0
"""The commands that look into the zone's ledger: `zonegate central lots` and its like.

Each asks the center, as the acts do, for what its page shows, and prints it as lines or, with --json, as it
came: one page, and how to see the next.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from central.acts import ask, desk
from central.config import CentralConfig
from central.given import Given
from customs.ledger.facts import holds_goods

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Look:
    """A command: its arguments, the path that it asks, how its answer is told."""

    help: str
    words: tuple[tuple[str, dict[str, Any]], ...]
    options: tuple[tuple[str, dict[str, Any]], ...]
    path: Callable[[argparse.Namespace], str]
    tell: Callable[[Answer], Iterator[str]]


def add_looks(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[argparse.ArgumentParser]:
    """The parsers of all looks."""
    made = []
    for name, look in _LOOKS.items():
        parser = acts.add_parser(name, help=look.help)
        for word, settings in look.words:
            parser.add_argument(word, **settings)
        for option, settings in look.options:
            parser.add_argument(f"--{option}", **settings)
        parser.add_argument("--json", action="store_true", help="print the answer as it came")
        made.append(parser)
    return made


def is_look(name: str | None) -> bool:
    """Whether a command is one of these."""
    return name in _LOOKS


async def do_look(config: CentralConfig, args: argparse.Namespace, given: Given) -> int:
    """Ask the center and print what it answers; 0."""
    look = _LOOKS[args.act]
    names = [option.replace("-", "_") for option, _ in look.options]
    asked = {name: value for name in names if (value := getattr(args, name)) is not None}
    path = look.path(args)
    if asked:
        path += ("&" if "?" in path else "?") + urlencode(asked)
    async with desk(config, given) as session:
        answer = await ask(session, "GET", path)
    if args.json:
        print(msgspec.json.encode(answer).decode(), file=given.out)
        return 0
    for line in look.tell(answer):
        print(line, file=given.out)
    if answer.get("next"):
        print(f"more: --after {answer['next']}", file=given.out)
    return 0


def _lots(answer: Answer) -> Iterator[str]:
    for one in answer["items"]:
        held = [
            f"{_much(amount['quantity'], one)} {account}"
            for account, amount in one["accounts"].items()
            if holds_goods(account)
        ]
        places = ", ".join(
            f"{_much(quantity, one)} at {place}" for place, quantity in sorted((one["places"] or {}).items())
        )
        stands = f"; {places}" if places else ""
        yield f"{one['lot']}  {one['owner']}  {one['product']}  {one['status']}  {', '.join(held)}{stands}"
    if not answer["items"]:
        yield "no lot was in the zone's hands then"


def _story(answer: Answer) -> Iterator[str]:
    for one in answer["lots"]:
        yield f"{one['lot']}  {one['owner']}  {one['product']}  {one['status']}"
        for account, amount in one["accounts"].items():
            yield f"  {_much(amount['quantity'], one)} ({amount['customs']} customs units) {account}"
        for place, quantity in sorted(one["places"].items()):
            yield f"  {_much(quantity, one)} stand at {place}"
    for made in answer["made"]:
        yield f"{made['of']} went into {made['made']} (entry {made['entry_id']})"
    for row in answer["movements"]:
        late = f"  LATE, happened {row['happened']}" if row["late"] else ""
        paper = f"  {row['permit']}/{row['line']}" if row["permit"] else ""
        paper += f"  at {', '.join(row['places'])}" if row["places"] else ""
        yield (
            f"{row['booked']}  {row['account_from']} -> {row['account_to']}"
            f"  {_much(row['quantity'], row)}{paper}  entry {row['entry_id']}{late}"
        )


def _many(number: int, what: str) -> str:
    """So many of something: 1 day, 2 days."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _much(digits: str, of: Answer) -> str:
    """A quantity with its unit, where that is on file."""
    return f"{digits} {of['unit']}" if of.get("unit") else digits


def _plain(digits: str) -> str:
    """A quantity's digits without idle zeros."""
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _trace(answer: Answer) -> Iterator[str]:
    forward = answer["way"] == "into"
    for row in answer["gone"]:
        yield f"{_much(row['quantity'], answer)} of {answer['lot']} {_left(row)}"
    for one in answer["lots"]:
        pad = "  " * one["depth"]
        inside = _much(_plain(one["contained"]["commercial"]), answer if forward else one)
        if forward:
            goods = f"{pad}{one['lot']}  {one['product']}  {one['status']}"
            yield f"{goods}  contains {inside} of {answer['lot']}"
            for row in one["gone"]:
                told = f"with {_much(_plain(row['contained']['commercial']), answer)} of {answer['lot']}"
                yield f"{pad}  {_much(row['quantity'], one)} {_left(row)}, {told}"
            continue
        papers = one["papers"]
        of = f"{papers['document']} line {papers['line']}" if papers else "no paper on file"
        if one["came"]:
            of = f"work order {one['order']}" if one["order"] else "change of status"
        yield f"{pad}{one['lot']}  {one['product']}  {one['status']}  {inside} in {answer['lot']}  {of}"
    if not answer["lots"]:
        yield "it went into no other lot" if forward else "it is made of no other lot"
    if not answer["whole"]:
        yield "there are more lots, which are not followed"


def _left(gone: Answer) -> str:
    line = f"/{gone['line']}" if gone["line"] else ""
    return f"{gone['account']} on {gone['document']}{line}" if gone["document"] else str(gone["account"])


def _suspense(answer: Answer) -> Iterator[str]:
    for one in answer["items"]:
        due = f"due by {one['last_day']}" + (", PASSED" if one["over"] else "")
        load = one["sscc"] or one["key"] or one["lot"]
        yield (
            f"{load}  {one['owner'] or 'owner not known'}  {one['product']}  {_much(one['quantity'], one)}"
            f"  {_many(one['days'], 'day')}  {due}"
        )
    if not answer["items"]:
        yield "nothing was in suspense then"


def _in_transit(answer: Answer) -> Iterator[str]:
    for one in answer["items"]:
        due = f"papers due by {one['papers_due']}" + (", PASSED" if one["over"] else "")
        yield (
            f"{one['document']}  {one['owner']}  {one['product']}  {one['status']}"
            f"  {_much(one['quantity'], one)}  {_many(one['days'], 'day')}  {due}  entry {one['entry_id']}"
        )
    if not answer["items"]:
        yield "nothing was on its way then"


def _locations(answer: Answer) -> Iterator[str]:
    for one in answer["items"]:
        loads = _many(one["loads"], "load") if one["loads"] else "no loads"
        closed = "  CLOSED" if one["closed"] else ""
        yield f"{one['name']}  {loads}{closed}  {one['description']}".rstrip()
    if not answer["items"]:
        yield "no location is declared, and nothing is in the zone"


def _location(answer: Answer) -> Iterator[str]:
    if answer["closed"]:
        yield f"CLOSED since {answer['closed']['since']}  entry {answer['closed']['entry_id']}"
    for one in answer["items"]:
        goods = f"{one['owner']}  {one['product']}  {one['status']}  lot {one['lot']}"
        yield f"{one['load']}  {_much(one['quantity'], one)}  {goods}"
    if not answer["items"]:
        yield "nothing stood there then"


def _load(answer: Answer) -> Iterator[str]:
    for one in answer["stands"]:
        goods = f"{one['owner']}  {one['product']}  {one['status']}"
        yield f"{one['place']}  {_much(one['quantity'], one)}  {goods}"
    if not answer["stands"]:
        yield "it was not in the zone then"
    for row in answer["moves"]:
        yield (
            f"{row['happened']}  {row['place_from']} -> {row['place_to']}  {_much(row['quantity'], row)}"
            f"  entry {row['entry_id']}"
        )
    for row in answer["absent"]:
        yield f"{row['happened']}  put away at {row['place_to']} and NOT THERE  entry {row['entry_id']}"


def _cost(answer: Answer) -> Iterator[str]:
    for one in answer["drawn"]:
        may = "may leave" if one["allowed"] else "MAY NOT LEAVE"
        yield f"{one['lot']}  {_much(one['quantity'], one)}  {may}: {one['ruling']} ({one['section']})"
        for part in one["contains"]:
            yield f"  contains {_much(part['pair']['commercial'], part)} of {part['lot']} ({part['status']})"
    if answer["short"].strip("0.") != "":
        yield f"SHORT: {_much(answer['short'], answer)} are not in stock"
    if answer["refused"]:
        yield f"not computed: {answer['refused']}"
    if answer["finding"]:
        told = "REPORT IT" if answer["finding"]["report"] else "record it"
        yield f"{told}: {answer['finding']['because']} ({answer['finding']['section']})"
    found = answer["computed"]
    if found is None:
        return
    for why in found["explanation"]:
        yield f"  {why['rounded']}  {why['text']}  ({why['section']})"
    yield f"duty {found['duty']}, fees {found['fee']}, in all {found['total']} USD"


def _search(answer: Answer) -> Iterator[str]:
    for one in answer["items"]:
        yield f"{one['kind']}  {one['word']}" + (f"  {one['ref']}" if one["ref"] != one["word"] else "")
    if not answer["items"]:
        yield "nothing is named so"


def _products(answer: Answer) -> Iterator[str]:
    for one in answer["items"]:
        yield f"{one['gtin']}  {one['owner']}  HTSUS {one['hts']}  origin {one['origin']}"
        for row in one["law"]:
            mark = "" if row["mark"] == "read" else f" [{row['mark']}]"
            held = f"from {row['valid_from']}"
            yield f"  {row['kind']} {row['name']}: {row['rate']}, {held}; {row['source']}{mark}"


_WHEN: Final = "a time such as 2026-06-08T17:30, of the zone unless it has an offset"
_AFTER: Final = ("after", {"metavar": "NEXT", "help": "what the page before named"})
_AS_OF: Final = ("as-of", {"metavar": "TIME", "help": f"as it stood then: {_WHEN}"})
_KNOWN: Final = ("known-on", {"metavar": "TIME", "help": f"as it was known then: {_WHEN}"})
_STATUS: Final = {"choices": ["PF", "NPF", "D", "ZR", "SUSPENSE"], "help": "in this zone status"}

_LOOKS: Final[dict[str, _Look]] = {
    "lots": _Look(
        "print lots and what of them is in the zone, now or at any time",
        (),
        (
            ("owner", {"help": "of this owner"}),
            ("product", {"help": "of this product (GTIN-14)"}),
            ("status", _STATUS),
            ("location", {"help": "of which something stands at this location"}),
            _AS_OF,
            _KNOWN,
            _AFTER,
        ),
        lambda _: "lots",
        _lots,
    ),
    "locations": _Look(
        "print places in the zone, and how many loads stand there",
        (),
        (_AFTER,),
        lambda _: "locations",
        _locations,
    ),
    "location": _Look(
        "print what stands at a location, now or at any time",
        (("location", {"help": "its name"}),),
        (_AS_OF, _KNOWN, _AFTER),
        lambda args: f"locations/{quote(args.location, safe='')}",
        _location,
    ),
    "load": _Look(
        "print where a load stands, now or at any time, and what moved it",
        (("load", {"help": "its SSCC, or the key that docks know it under"}),),
        (_AS_OF, _KNOWN, _AFTER),
        lambda args: f"loads/{quote(args.load, safe='')}",
        _load,
    ),
    "story": _Look(
        "print a lot's whole story",
        (("lot", {"help": "the zone lot number"}),),
        (_KNOWN, _AFTER),
        lambda args: f"lots/{quote(args.lot, safe='/')}",
        _story,
    ),
    "trace": _Look(
        "print all lots that a lot went into, or is made of, with their papers",
        (("lot", {"help": "the zone lot number"}),),
        (
            (
                "way",
                {"choices": ["into", "of"], "help": "what it went into (as it is unsaid), or is made of"},
            ),
            ("owner", {"help": "where the name stands for goods of several owners"}),
            ("product", {"help": "where it stands for several products (GTIN-14)"}),
            _AFTER,
        ),
        lambda args: f"trace/{quote(args.lot, safe='/')}",
        _trace,
    ),
    "cost": _Look(
        "print what a withdrawal would cost: lots, duty, fees, with their sections",
        (),
        (
            ("owner", {"required": True, "help": "whose goods"}),
            ("product", {"required": True, "help": "which product (GTIN-14)"}),
            ("quantity", {"required": True, "help": "how many would leave"}),
            ("status", _STATUS),
            ("to", {"help": "consumption (as it is unsaid), canada, mexico, export, warehouse, ..."}),
            ("on", {"metavar": "DAY", "help": "the entry's day; today as it is unsaid"}),
        ),
        lambda _: "cost",
        _cost,
    ),
    "suspense": _Look(
        "print what is in suspense, since when, and until when its papers may come",
        (),
        (
            ("owner", {"help": "of this owner"}),
            ("product", {"help": "of this product (GTIN-14)"}),
            _AS_OF,
            _KNOWN,
            _AFTER,
        ),
        lambda _: "suspense",
        _suspense,
    ),
    "in-transit": _Look(
        "print what the operator picked up and has not arrived, and when its papers are due",
        (),
        (_AS_OF, _KNOWN, _AFTER),
        lambda _: "in-transit",
        _in_transit,
    ),
    "search": _Look(
        "find lots, papers, products, owners, trucks, orders, loads, entries by name",
        (("text", {"help": "the name, or its beginning"}),),
        (_AFTER,),
        lambda args: f"search?q={quote(args.text, safe='')}",
        _search,
    ),
    "products": _Look(
        "print what products are to customs on a day, and the rows of law that concern them",
        (),
        (("on", {"metavar": "DAY", "help": "the day; today as it is unsaid"}), _AFTER),
        lambda _: "customs-products",
        _products,
    ),
}
