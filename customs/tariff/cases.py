# SPDX-License-Identifier: Apache-2.0
"""Antidumping and countervailing duty: which cases goods fall under, and the deposits they owe."""

from __future__ import annotations

from datetime import date

from customs.law import ANY, AdCvdCase, Found, Law, LawError


class CaseRefused(LawError):
    """A case was named that does not fit the goods, or none was where one may be due."""


def deposits(
    law: Law, origin: str, producer: str | None, numbers: tuple[str, ...], on: date
) -> tuple[Found[AdCvdCase], ...]:
    """The rows of the cases that a line names, for its producer or else for all others (19 CFR 351.211 from
    memory; which cases goods fall under is for people to say: a scope is words, not tariff numbers).

    Raises `CaseRefused` for a case that is not on file on that day, or is not about goods of this origin.
    """
    rows = []
    for number in numbers:
        found = _row(law, number, producer, on)
        if found is None:
            raise CaseRefused(f"Case {number} has no rate on {on} on file. Import its row of that day.")
        if not (ANY in found.row.origins or origin in found.row.origins):
            raise CaseRefused(
                f"Case {number} is about {', '.join(found.row.origins)}, the goods are of {origin}."
            )
        rows.append(found)
    return tuple(rows)


def suspects(law: Law, hts: str | None, origin: str, on: date) -> list[Found[AdCvdCase]]:
    """The cases whose tariff numbers and origins include these goods on a day: for a person to decide on
    (15 CFR 400.14(e); the numbers of a case are for convenience, its words decide: from memory).
    """
    return [found for found in law.every(AdCvdCase, on) if found.row.covers(hts, origin)]


def _row(law: Law, number: str, producer: str | None, on: date) -> Found[AdCvdCase] | None:
    own = None if producer is None else law.one(AdCvdCase, f"{number}/{producer}", on)
    return own or law.one(AdCvdCase, f"{number}/{ANY}", on)
