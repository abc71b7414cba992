# SPDX-License-Identifier: Apache-2.0
"""What a code turned out to be. Values only: no rule, no way to read a code."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import Fault

__all__ = ["Control", "Fault", "Identity", "Load", "Unknown", "WorkOrder"]


@dataclass(frozen=True, slots=True)
class Load:
    """Goods that a code identifies, every rule of GS1 that we know of kept.

    `kind` is "sscc" (one logistic unit) or "gtin" (a class of goods, with a lot, or one of them by serial).
    `key` is the canonical Digital Link of the identity on https://id.gs1.org, its path keys only:
    `/00/<sscc>` or `/01/<gtin>[/10/<lot>][/21/<serial>]`; two codes of the same goods have the same key.
    `elements` are all application identifiers with their values, in the order read. `gtin` is that of the
    goods (01), or of what a logistic unit contains (02); always 14 digits. `count` is AI 37 (units contained)
    or AI 30 (items in a variable measure); zero can be printed and is kept.
    """

    kind: str
    key: str
    elements: tuple[tuple[str, str], ...]
    sscc: str | None = None
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    count: int | None = None


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
    """A code that identifies nothing here. `text` is the code made printable and bounded, `faults` say
    why.
    """

    text: str
    faults: tuple[Fault, ...]


Identity = Load | WorkOrder | Control | Unknown
