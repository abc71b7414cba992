# SPDX-License-Identifier: Apache-2.0
"""One label is one scan: which of the codes in a picture are labels that were not in view before.

Pure. May not know cameras nor what a label is for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import date

from gs1 import Load, identify

from .decoders import Symbol

__all__ = ["AGREE_NS", "LABELS_MAX", "InView", "raw"]

LABELS_MAX = 1000
"""Labels that are remembered; more than a picture can show at a size that can be read."""

AGREE_NS = 1_000_000_000
"""Pictures that must agree on a code lie no further apart: a label passes a door in some seconds."""


class InView:
    """Remembers which labels are in view. One that was not seen for `gone_ns` has gone; back, it is new.

    A code counts once `agreeing` pictures showed the very same: a code that was read wrong is read wrong in
    another way the next time. Codes that identify the same load are one label, whatever their carrier: a dock
    label often says its SSCC in bars and once more in a matrix.
    """

    def __init__(self, gone_ns: int, agreeing: int = 1) -> None:
        self._gone_ns = gone_ns
        self._agreeing = agreeing
        self._labels: OrderedDict[str | bytes, int] = OrderedDict()  # when each was last seen
        self._codes: OrderedDict[bytes, tuple[int, int]] = (
            OrderedDict()
        )  # in how many pictures, and when last

    def fresh(self, symbols: Iterable[Symbol], view_ns: int, today: date) -> list[Symbol]:
        """Of the codes of one picture, taken at `view_ns`, those of labels that came into view: of each label
        the code that says most.
        """
        labels: dict[str | bytes, Symbol] = {}
        for code, symbol in {raw(symbol): symbol for symbol in symbols}.items():
            if self._agreed(code, view_ns):
                label = _label(code, today)
                if label not in labels or len(symbol.code) > len(labels[label].code):
                    labels[label] = symbol
        return [symbol for label, symbol in labels.items() if self._came(label, view_ns)]

    def clear(self) -> None:
        """Forget all labels: what is seen next is new."""
        self._labels.clear()
        self._codes.clear()

    def _agreed(self, code: bytes, view_ns: int) -> bool:
        if self._agreeing <= 1:
            return True
        times, last_ns = self._codes.pop(code, (0, view_ns))
        times = times + 1 if view_ns - last_ns <= AGREE_NS else 1
        self._codes[code] = (times, view_ns)
        if len(self._codes) > LABELS_MAX:
            self._codes.popitem(last=False)
        return times >= self._agreeing

    def _came(self, label: str | bytes, view_ns: int) -> bool:
        last_ns = self._labels.pop(label, None)
        self._labels[label] = view_ns
        if len(self._labels) > LABELS_MAX:
            self._labels.popitem(last=False)
        return last_ns is None or view_ns - last_ns >= self._gone_ns


def raw(symbol: Symbol) -> bytes:
    """Identifier and code, as a scanner would send them."""
    return (symbol.aim or "").encode("ascii") + symbol.code


def _label(code: bytes, today: date) -> str | bytes:
    found = identify(code, today)
    return found.key if isinstance(found, Load) else code
