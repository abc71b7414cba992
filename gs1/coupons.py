# SPDX-License-Identifier: Apache-2.0
"""The inner form of North American coupon codes, AI (8110) and AI (8112). Knows one value's text.

Sources: GS1 US, North American Coupon Application Guideline Using GS1 DataBar Expanded Symbols (8110); GS1 AI
(8112) Coupon Data Specification. A digit before a field tells its length, often less an offset.
"""

from __future__ import annotations

from collections.abc import Callable

from .findings import Finding, company_prefix_finding, date_finding, digits_finding
from .printable import shown

__all__ = ["coupon_finding", "positive_offer_finding"]


def coupon_finding(text: str) -> Finding:
    """What is wrong with the value of AI (8110); None when nothing is."""
    return _finding(text, _read_coupon)


def positive_offer_finding(text: str) -> Finding:
    """What is wrong with the value of AI (8112); None when nothing is."""
    return _finding(text, _read_positive_offer)


class _BreachError(Exception):
    def __init__(self, position: int, words: str) -> None:
        super().__init__(words)
        self.finding = (position, words)


class _Cursor:
    """Takes the fields of `text` in turn; raises _BreachError where one is missing, short or not allowed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def take(self, count: int, name: str) -> str:
        field = self.text[self.position : self.position + count]
        if len(field) < count:
            words = f"{name} of {len(field)} digits, expected {count}"
            raise _BreachError(self.position, words)
        self.position += count
        return field

    def code(self, name: str, allowed: str) -> str:
        at = self.position
        digit = self.take(1, name)
        if digit not in allowed:
            raise _BreachError(at, f"{name} {digit}, expected one of {', '.join(allowed)}")
        return digit

    def sized(self, name: str, lengths: str, offset: int) -> str:
        """A field behind the digit that tells its length less `offset`."""
        size = int(self.code(f"length of the {name}", lengths))
        return self.take(size + offset, name)

    def company_prefix(self, name: str, lengths: str) -> None:
        at = self.position + 1
        wrong = company_prefix_finding(self.sized(name, lengths, 6))
        if wrong is not None:
            raise _BreachError(at, wrong[1])

    def date(self, name: str) -> str:
        at = self.position
        field = self.take(6, name)
        wrong = date_finding(field, form="YYMMDD", day_zero=False)
        if wrong is not None:
            raise _BreachError(at + wrong[0], f"{name} with {wrong[1]}")
        return field

    def option(self, digit: str) -> bool:
        """Whether the optional field that `digit` announces comes next; its digit is taken."""
        here = self.text.startswith(digit, self.position)
        self.position += here
        return here

    def end(self) -> None:
        rest = self.text[self.position :]
        if rest:
            raise _BreachError(self.position, f"{shown(rest)} behind the last field, expected nothing")


def _finding(text: str, read: Callable[[_Cursor], None]) -> Finding:
    wrong = digits_finding(text) if text else None
    if wrong is not None:
        return wrong
    try:
        read(_Cursor(text))
    except _BreachError as breach:
        return breach.finding
    return None


def _read_coupon(cursor: _Cursor) -> None:
    cursor.company_prefix("company prefix", "0123456")
    cursor.take(6, "offer code")
    cursor.sized("save value", "12345", 0)
    _read_purchase(cursor, "first")
    if cursor.option("1"):
        cursor.code("additional purchase rule", "0123")
        _read_purchase(cursor, "second")
        _read_purchase_prefix(cursor, "second")
    if cursor.option("2"):
        _read_purchase(cursor, "third")
        _read_purchase_prefix(cursor, "third")
    expires = cursor.date("expiration date") if cursor.option("3") else None
    if cursor.option("4"):
        at = cursor.position
        starts = cursor.date("start date")
        if expires is not None and starts > expires:
            raise _BreachError(at, f"start date {starts}, expected none after the expiration date {expires}")
    if cursor.option("5"):
        cursor.sized("serial number", "0123456789", 6)
    if cursor.option("6"):
        cursor.company_prefix("retailer's company prefix or GLN", "1234567")
    if cursor.option("9"):
        cursor.code("save value code", "01256")
        cursor.code("item that the save value applies to", "012")
        cursor.take(1, "store coupon flag")
        cursor.code("do-not-multiply flag", "01")
    cursor.end()


def _read_purchase(cursor: _Cursor, which: str) -> None:
    cursor.sized(f"{which} purchase requirement", "12345", 0)
    cursor.code(f"{which} purchase requirement code", "012349")
    cursor.take(3, f"{which} purchase family code")


def _read_purchase_prefix(cursor: _Cursor, which: str) -> None:
    # 9 stands for the coupon's own company prefix, which is not repeated.
    if not cursor.option("9"):
        cursor.company_prefix(f"{which} purchase company prefix", "0123456")


def _read_positive_offer(cursor: _Cursor) -> None:
    cursor.code("format code", "01")
    cursor.sized("funder", "0123456", 6)
    cursor.take(6, "offer code")
    cursor.sized("serial number", "0123456789", 6)
    cursor.end()
