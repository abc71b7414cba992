# SPDX-License-Identifier: Apache-2.0
"""The commands by which people move goods on the zone's books, and pin them: see `central.acts`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from central.act import Act
from central.errors import SetupError
from customs.documents import Status
from customs.ledger.elections import Method

LIST_CHARACTERS_MAX: Final = 400_000
"""Characters of a scanned list that is piped in: as many lines as an act may have, each as long as it may."""


def _given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Of these arguments those that were given."""
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _goods(args: argparse.Namespace) -> dict[str, Any]:
    return _given(args, "number", "owner", "product", "status", "quantity", "lot", "note", "by", "happened")


def _written(answer: dict[str, Any]) -> str:
    return "\n".join(f"{one['type']} is entry {one['seq']} of the center's log" for one in answer["written"])


def _cut_line(answer: dict[str, Any]) -> str:
    return f"cut {answer['number']} up to {answer['until']}: {answer['digest']}"


def _pinned(answer: dict[str, Any]) -> str:
    word = "the books say the same" if answer["equal"] else "OTHER BOOKS: the record or they were changed"
    return f"{_cut_line(answer)}\n{word}"


_NOTE: Final = ("--note", {"required": True, "help": "what was found, or why"})
_HAPPENED: Final = (
    "--happened",
    {"metavar": "TIME", "help": "when it happened, as 2026-06-01T12:00:00Z; now when it is left out"},
)
_STATUSES: Final = [status.value for status in Status]
_GOODS: Final = (
    ("number", {"help": "the paper's number, which names the lot as well"}),
    ("--owner", {"required": True, "help": "whose goods"}),
    ("--product", {"required": True, "metavar": "GTIN", "help": "what they are"}),
    ("--status", {"required": True, "choices": _STATUSES, "help": "their zone status"}),
    ("--quantity", {"required": True, "help": "how much, in the product's unit"}),
    ("--lot", {"help": "of this zone lot; else of the layers in line"}),
    _HAPPENED,
    _NOTE,
)
_LOADS: Final = (
    "--load",
    {"action": "append", "default": [], "metavar": "LOAD", "help": "a whole load, by SSCC or key"},
)


def _part(help_: str, *words: str) -> tuple[str, dict[str, Any]]:
    return "--part", {"action": "append", "default": [], "nargs": len(words), "metavar": words, "help": help_}


def _loads(args: argparse.Namespace) -> list[dict[str, str]]:
    parts = [dict(zip(("load", "quantity", "onto"), part, strict=False)) for part in args.part]
    return [*({"load": load} for load in args.load), *parts]


def _put_away(args: argparse.Namespace) -> dict[str, Any]:
    said = _given(args, "to", "source", "quantity", "note", "happened", "by")
    return {**said, "scanned": [*args.scanned, *(_lines(args.list) if args.list else ())]}


def _lines(name: str) -> list[str]:
    """Lines of a file that was scanned into, or of the standard input."""
    try:
        text = sys.stdin.read(LIST_CHARACTERS_MAX) if name == "-" else Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"--list {name} cannot be read: {error}") from error
    return text.split("\n")


def _location(args: argparse.Namespace) -> dict[str, Any]:
    return _given(args, "name", "note", "by", "happened")


_DOCUMENT: Final = (("document", {"help": "the permit's number"}), _HAPPENED, _NOTE)


def _of_document(args: argparse.Namespace) -> dict[str, Any]:
    return _said(args)


def _said(args: argparse.Namespace, *more: str) -> dict[str, Any]:
    return _given(args, "document", "note", "by", "happened", *more)


LEDGER_ACTS: Final[dict[str, Act]] = {
    "admit": Act(
        "admit goods in suspense under a line of the permit that has come",
        (
            ("document", {"help": "the permit's number"}),
            ("line", {"help": "its line"}),
            ("--quantity", {"help": "how much, where no load is named or the loads are to be checked by it"}),
            _LOADS,
            _part("so much of a load, and the label that it gets", "LOAD", "QUANTITY", "LABEL"),
            _HAPPENED,
            _NOTE,
        ),
        "POST",
        lambda _: "admit",
        lambda args: {**_said(args, "line", "quantity"), "loads": _loads(args)},
        _written,
    ),
    "undo-admission": Act(
        "say that an admission out of suspense never was",
        (("admitted", {"metavar": "ENTRY", "help": "the id of its entry"}), _HAPPENED, _NOTE),
        "POST",
        lambda _: "undo-admission",
        lambda args: _given(args, "admitted", "note", "by", "happened"),
        _written,
    ),
    "pick-up": Act(
        "say that the operator itself picked goods up in the district: they are admitted from then on",
        (
            ("document", {"help": "the direct-delivery permit's number"}),
            (
                "--line",
                {
                    "action": "append",
                    "required": True,
                    "nargs": 2,
                    "metavar": ("LINE", "QUANTITY"),
                    "help": "so much of a line",
                },
            ),
            ("--approval", {"required": True, "help": "the port director's approval of direct delivery"}),
            ("--owned", {"action": "store_true", "help": "the operator owns or buys the goods"}),
            ("--stable", {"action": "store_true", "help": "the goods are known well in advance"}),
            ("--examined", {"action": "store_true", "help": "customs looks at such goods first"}),
            _HAPPENED,
            _NOTE,
        ),
        "POST",
        lambda _: "pick-up",
        lambda args: {
            **_said(args, "approval", "owned", "stable", "examined"),
            "goods": [{"line": line, "quantity": quantity} for line, quantity in args.line],
        },
        _written,
    ),
    "undo-pick-up": Act(
        "say that a pick-up never was",
        (("pick_up", {"metavar": "ENTRY", "help": "the id of its entry"}), _HAPPENED, _NOTE),
        "POST",
        lambda _: "undo-pick-up",
        lambda args: _given(args, "pick_up", "note", "by", "happened"),
        _written,
    ),
    "status-change": Act(
        "give goods in the zone another zone status, as a lot of their own",
        (
            *_GOODS,
            ("--becomes", {"required": True, "choices": _STATUSES, "help": "the status they get"}),
            ("--authority", {"default": "", "help": "the port director's decision, where one is needed"}),
            _LOADS,
            _part("so much of a load, and the label that it gets", "LOAD", "QUANTITY", "LABEL"),
        ),
        "POST",
        lambda _: "status-change",
        lambda args: {
            **_goods(args),
            "becomes": args.becomes,
            "authority": args.authority,
            "loads": _loads(args),
        },
        _written,
    ),
    "adjust": Act(
        "put a count or a casualty on the books: found above zero, short below",
        (
            *_GOODS,
            ("--destroyed", {"action": "store_true", "help": "the goods are gone for good"}),
            _LOADS,
            _part("so much of a load is missing, or was found on it", "LOAD", "QUANTITY"),
        ),
        "POST",
        lambda _: "adjust",
        lambda args: {**_goods(args), "destroyed": args.destroyed, "loads": _loads(args)},
        _written,
    ),
    "accept-entry": Act(
        "say that the customs entry of a permit was accepted: its goods are legally out",
        _DOCUMENT,
        "POST",
        lambda _: "accept-entry",
        _of_document,
        _written,
    ),
    "reject-entry": Act(
        "say that it was rejected or cancelled: what is left of its goods is back",
        _DOCUMENT,
        "POST",
        lambda _: "reject-entry",
        _of_document,
        _written,
    ),
    "elect": Act(
        "say how goods that left are attributed from an instant on",
        (
            ("owner", {"help": "whose goods"}),
            ("method", {"choices": [method.value for method in Method], "help": "how"}),
            ("--product", {"metavar": "GTIN", "help": "only this product"}),
            ("--since", {"required": True, "metavar": "TIME", "help": "from then on; it is still to come"}),
            ("--authority", {"required": True, "help": "the ruling or the page of the manual"}),
        ),
        "POST",
        lambda _: "elect",
        lambda args: {
            "owner": args.owner,
            "method": args.method,
            "product": args.product,
            "since": args.since,
            "authority": args.authority,
            "by": args.by,
        },
        _written,
    ),
    "declare-location": Act(
        "say that goods may be put at a location from now on",
        (
            ("name", {"help": "its name, as on its label"}),
            ("--description", {"default": "", "help": "what people call it"}),
        ),
        "POST",
        lambda _: "declare-location",
        lambda args: {"name": args.name, "description": args.description, "by": args.by},
        _written,
    ),
    "put-away": Act(
        "say where loads stand now: a place, then its loads, as they were scanned",
        (
            ("scanned", {"nargs": "*", "help": "labels of places, each before its loads; else from --list"}),
            (
                "--list",
                {"metavar": "FILE", "help": "a file of labels, one a line; - reads what is piped in"},
            ),
            ("--to", {"metavar": "LOCATION", "default": "", "help": "where the first loads stand"}),
            (
                "--source",
                {"metavar": "LOCATION", "default": "", "help": "of one load, what stood there alone"},
            ),
            ("--quantity", {"help": "of one load only so much"}),
            ("--note", {"default": "", "help": "for the record"}),
            _HAPPENED,
        ),
        "POST",
        lambda _: "put-away",
        _put_away,
        _written,
    ),
    "correct-put-away": Act(
        "say where loads were put that an earlier put-away told wrongly, at its instant",
        (
            ("put_away", {"metavar": "ENTRY", "help": "the id of its entry"}),
            ("--load", {"default": "", "help": "of this load alone; else of all that it told of"}),
            ("--to", {"metavar": "LOCATION", "default": "", "help": "where they were put; else nowhere"}),
            ("--quantity", {"help": "of one load only so much"}),
            _NOTE,
        ),
        "POST",
        lambda _: "correct-put-away",
        lambda args: _given(args, "put_away", "load", "to", "quantity", "note", "by"),
        _written,
    ),
    "close-location": Act(
        "say that nothing more is put away at a location",
        (
            ("name", {"help": "its name"}),
            ("--staying", {"type": int, "default": 0, "help": "how many loads stand there and stay (none)"}),
            _HAPPENED,
            _NOTE,
        ),
        "POST",
        lambda _: "close-location",
        lambda args: {"staying": args.staying, **_location(args)},
        _written,
    ),
    "open-location": Act(
        "say that goods may be put away at a closed location again",
        (("name", {"help": "its name"}), _HAPPENED, _NOTE),
        "POST",
        lambda _: "open-location",
        _location,
        _written,
    ),
    "cut": Act(
        "pin the books up to an instant, for ever",
        (
            ("number", {"help": "the cut's number"}),
            ("--until", {"required": True, "metavar": "TIME", "help": "the last instant in it"}),
        ),
        "POST",
        lambda _: "cuts",
        lambda args: {"number": args.number, "until": args.until, "by": args.by},
        _cut_line,
    ),
    "cuts": Act(
        "print the cuts that are pinned",
        (),
        "GET",
        lambda _: "cuts",
        lambda _: None,
        lambda answer: "\n".join(map(_cut_line, answer["items"])) or "nothing is pinned",
    ),
    "verify-cut": Act(
        "make a cut's bytes anew from the books and compare",
        (("number", {"help": "the cut's number"}),),
        "GET",
        lambda args: f"cuts/{quote(args.number, safe='')}",
        lambda _: None,
        _pinned,
        lambda answer: not answer["equal"],
    ),
}
