# SPDX-License-Identifier: Apache-2.0
"""Balances of postings, as of a time and as known on one; what must hold of them; their bytes for a cut.

Every balance is a sum of postings with `booked` at most `as_of` and `known` at most `known_on`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from customs.known import Known
from customs.ledger.facts import Posting, holds_goods
from customs.ledger.quantities import NOTHING, Pair


class Account(NamedTuple):
    """What a balance is of: an account, and whose goods of which lot stand on it."""

    owner: str
    product: str
    status: str
    lot: str
    account: str


def balances(
    postings: Iterable[Posting], as_of: datetime | None = None, known_on: Known | None = None
) -> dict[Account, Pair]:
    """Balances that are not zero."""
    sums: dict[Account, Pair] = defaultdict(lambda: NOTHING)
    for posting in postings:
        if (as_of is None or posting.booked <= as_of) and (known_on is None or posting.known <= known_on):
            queue = posting.queue
            whose = (queue.owner, queue.product, queue.status.value, posting.lot)
            sums[Account(*whose, posting.source)] -= posting.pair
            sums[Account(*whose, posting.to)] += posting.pair
    return {account: pair for account, pair in sums.items() if pair}


def faults(sums: Mapping[Account, Pair]) -> list[str]:
    """What is wrong with balances, a sentence each: a lot whose accounts do not sum to zero in both units,
    goods in the zone's hands below zero (19 CFR 146.21(a)).
    """
    found: list[str] = []
    lots: dict[tuple[str, str, str, str], Pair] = defaultdict(lambda: NOTHING)
    for account, pair in sums.items():
        lots[account[:4]] += pair
        if holds_goods(account.account) and (pair.commercial < 0 or pair.customs < 0):
            found.append(f"{account} stands below zero: {pair.commercial} and {pair.customs}")
    found += [f"the accounts of {lot} sum to {pair}, not to zero" for lot, pair in lots.items() if pair]
    return sorted(found)


def canonical(sums: Mapping[Account, Pair], until: datetime) -> bytes:
    """Balances as bytes, the same for the same balances for ever: a line each, in order, quantities without
    needless zeros. What a cut's digest is taken of.
    """
    lines = [until.astimezone(UTC).isoformat()]
    lines += [
        "\t".join((*account, plain(pair.commercial), plain(pair.customs)))
        for account, pair in sorted(sums.items())
    ]
    return ("\n".join(lines) + "\n").encode()


def digest(sums: Mapping[Account, Pair], until: datetime) -> str:
    """SHA-256 of `canonical`, in hex."""
    return hashlib.sha256(canonical(sums, until)).hexdigest()


def plain(value: Decimal) -> str:
    """A quantity in digits, without exponent and without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
