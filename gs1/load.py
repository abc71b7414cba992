# SPDX-License-Identifier: Apache-2.0
"""What a code turned out to be. Values only: no rule, no way to read a code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .errors import Fault

__all__ = [
    "ASSETS",
    "GOODS",
    "PLACES",
    "Control",
    "Fault",
    "Load",
    "Measure",
    "TagRead",
    "Unknown",
    "WorkOrder",
]

GOODS = frozenset(("sscc", "gtin", "itip", "cpid", "plate", "part"))
"""Kinds of `Load` that are goods: what a door may admit and let out."""

ASSETS = frozenset(("grai", "giai"))
"""Kinds that goods travel in or that move them: pallets, crates, trucks."""

PLACES = frozenset(("gln", "pgln"))
"""Kinds that are a place or a party."""


@dataclass(frozen=True, slots=True)
class TagRead:
    """A tag as a reader reports it: its EPC bank and, where known, the protocol control word (16 bits)."""

    epc: bytes
    pc: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One weight or dimension: its application identifier, the amount with the decimals that the label
    states, and the unit as UN/CEFACT Recommendation 20 names it (KGM, MTR, LTR ...).
    """

    ai: str
    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Load:
    """What a code identifies, every rule that we know of kept.

    `kind`: "sscc" (one logistic unit), "gtin" (a class of goods, with a lot, or one of them by serial),
    "itip" (a piece of one), "cpid" (a component), "plate" (a licence plate of ISO/IEC 15459), "part" (a part
    number of its supplier) are goods; "grai" and "giai" assets; "gln" and "pgln" a place and a party; "gdti",
    "gcn", "gsrn", "gsrnp", "ginc", "gsin", "gmn", "refno" what else has a GS1 key; "epc" a tag whose scheme
    has no GS1 key.

    `key` is what the books know it by: two codes of the same goods have the same key, whatever the carrier.
    It is the canonical Digital Link on https://id.gs1.org of the key and its qualifiers; for one item of a
    GTIN it names GTIN and serial alone, which are its whole identity, so that a label that adds the lot and a
    tag that cannot are one. Where GS1 has no key it begins with `zg:`, or is the tag's own EPC URI.
    `identity` is the canonical Digital Link with every qualifier, None where GS1 has no key.

    `elements` are all application or data identifiers with their values, in the order read. `gtin` is that of
    the goods (01), or of what a logistic unit contains (02); always 14 digits. `count` is AI 37 (units
    contained) or AI 30 (items in a variable measure); zero can be printed and is kept. Dates are AI 17, 15,
    11 and 13; `origin` is the country (ISO 3166-1 numeric) of AI 422 or 426, on a label of data identifiers
    that of 4L (two letters), `subdivision` AI 427, `processed` the countries of AI 423 to 425. `part` and
    `supplier` are a supplier's own. `faults` is empty unless the reading was lenient.
    """

    kind: str
    key: str
    elements: tuple[tuple[str, str], ...]
    sscc: str | None = None
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    count: int | None = None
    identity: str | None = None
    expiry: date | None = None
    best_before: date | None = None
    produced: date | None = None
    packed: date | None = None
    measures: tuple[Measure, ...] = ()
    origin: str | None = None
    subdivision: str | None = None
    processed: tuple[str, ...] = ()
    part: str | None = None
    supplier: str | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def is_goods(self) -> bool:
        """Whether this names goods, and not an asset, a place or a paper."""
        return self.kind in GOODS


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A dock label `ZG1:J:<job>:<check>`: open this door job. `job` is 1-24 of A-Z, 0-9 and hyphen."""

    job: str


@dataclass(frozen=True, slots=True)
class Control:
    """A dock label `ZG1:C:<command>:<check>`; `command` is UNDO, CLOSE or CANCEL."""

    command: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A code that identifies nothing here. `text` is the code made printable and bounded, `faults` say why;
    `elements` are those that could be read all the same, for a person who looks into it.
    """

    text: str
    faults: tuple[Fault, ...]
    elements: tuple[tuple[str, str], ...] = ()
