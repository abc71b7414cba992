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
            f"{amount['quantity']} {account}"
            for account, amount in one["accounts"].items()
            if holds_goods(account)
        ]
        yield f"{one['lot']}  {one['owner']}  {one['product']}  {one['status']}  {', '.join(held)}"
    if not answer["items"]:
        yield "no lot was in the zone's hands then"


def _story(answer: Answer) -> Iterator[str]:
    for one in answer["lots"]:
        yield f"{one['lot']}  {one['owner']}  {one['product']}  {one['status']}"
        for account, amount in one["accounts"].items():
            yield f"  {amount['quantity']} ({amount['customs']} customs units) {account}"
    for made in answer["made"]:
        yield f"{made['of']} went into {made['made']} (entry {made['entry_id']})"
    for row in answer["movements"]:
        late = f"  LATE, happened {row['happened']}" if row["late"] else ""
        paper = f"  {row['permit']}/{row['line']}" if row["permit"] else ""
        yield (
            f"{row['booked']}  {row['account_from']} -> {row['account_to']}  {row['quantity']}{paper}"
            f"  entry {row['entry_id']}{late}"
        )


def _cost(answer: Answer) -> Iterator[str]:
    for one in answer["drawn"]:
        may = "may leave" if one["allowed"] else "MAY NOT LEAVE"
        yield f"{one['lot']}  {one['quantity']}  {may}: {one['ruling']} ({one['section']})"
        for part in one["contains"]:
            yield f"  contains {part['pair']['commercial']} of {part['lot']} ({part['status']})"
    if answer["short"].strip("0.") != "":
        yield f"SHORT: {answer['short']} are not in stock"
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
            ("as-of", {"metavar": "TIME", "help": f"as it stood then: {_WHEN}"}),
            _KNOWN,
            _AFTER,
        ),
        lambda _: "lots",
        _lots,
    ),
    "story": _Look(
        "print a lot's whole story",
        (("lot", {"help": "the zone lot number"}),),
        (_KNOWN, _AFTER),
        lambda args: f"lots/{quote(args.lot, safe='/')}",
        _story,
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
