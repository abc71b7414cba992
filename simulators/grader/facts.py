# SPDX-License-Identifier: Apache-2.0
"""What an entry says, in the words of the truth file, and the digest of all decisions.

A *fact* is a flat dictionary: type, door, job, load, verdict, reason, quantity, line and what else the type
has. The load is the SSCC, else the Digital Link key, else the printable code of what could not be read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from simulators.grader.evidence import Fact
from simulators.grader.record import Row

MOVEMENTS: Final = ("admission", "withdrawal")
DECISIONS: Final = (*MOVEMENTS, "hold", "stop", "correction")
TOLD: Final = (*DECISIONS, "job", "release")
"""Entries that the truth must explain."""

PUBLISHED: Final = (*TOLD, "alarm")
"""Entries that must reach a subscriber."""

_VERDICTS: Final = {
    "admission": "ACCEPTED",
    "withdrawal": "ACCEPTED",
    "hold": "HOLD",
    "stop": "STOP",
    "correction": "UNDONE",
    "job": "JOB",
}


def fact_of(row: Row) -> Fact:
    """The fact in an entry that the truth must explain."""
    entry = row.read()
    body = _part(entry, "body")
    load, line = _part(body, "load"), _part(body, "use") or _part(body, "line")
    quantity = body.get("quantity", load.get("quantity"))
    named = load.get("sscc") or load.get("key") or _code(_part(body, "read"))
    fact: Fact = {
        "id": row.entry_id,
        "type": row.type,
        "door": entry.get("door"),
        "job": body.get("job"),
        "load": None if row.type == "job" else named,
        "verdict": _VERDICTS.get(row.type),
        "reason": body.get("event") if row.type == "job" else body.get("reason"),
        "quantity": exact(quantity),
        "line": f"{line.get('permit')}/{line.get('line')}" if line else None,
        "gtin": load.get("gtin"),
        "left": exact(body.get("left")),
        "missing": sorted(map(str, body.get("missing") or ())),
    }
    same = ("direction", "owner", "status", "clears", "movement", "counted", "planned", "corrects", "crossed")
    fact |= {name: body.get(name) for name in same}
    if row.type == "correction":
        fact |= {"owner": load.get("owner"), "status": load.get("status")}
    return fact


def _code(read: dict[str, Any]) -> Any:
    """What was read; of a passage that no tag named the code is the passage's own name."""
    code = read.get("code")
    return "no tag" if code and code == _part(read, "passage").get("passage") else code


def exact(quantity: Any) -> str | None:
    """A quantity in one spelling: no exponent, no trailing zeros; what is no number stays as it is."""
    if quantity is None:
        return None
    try:
        text = format(Decimal(str(quantity)), "f")
    except InvalidOperation:
        return str(quantity)
    return text.rstrip("0").rstrip(".") if "." in text else text


def digest(facts: Iterable[Fact]) -> str:
    """SHA-256 over the decisions, without ids and times, in an order of their own."""
    lines = sorted(
        json.dumps([fact[name] for name in _DIGESTED], separators=(",", ":"))
        for fact in facts
        if fact["type"] in DECISIONS
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


_DIGESTED: Final = ("door", "job", "load", "verdict", "reason", "quantity", "line")


def _part(value: dict[str, Any], name: str) -> dict[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}
