# SPDX-License-Identifier: Apache-2.0
"""The commands by which people move goods on the zone's books, and pin them: see `central.acts`."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote

from central.act import Act
from customs.documents import Status
from customs.ledger.elections import Method


def _goods(args: argparse.Namespace) -> dict[str, Any]:
    names = ("number", "owner", "product", "status", "quantity", "lot", "note", "by", "happened")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


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


_DOCUMENT: Final = (("document", {"help": "the permit's number"}), _HAPPENED, _NOTE)


def _of_document(args: argparse.Namespace) -> dict[str, Any]:
    names = ("document", "note", "by", "happened")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


LEDGER_ACTS: Final[dict[str, Act]] = {
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
