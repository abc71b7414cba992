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

__all__ = ["LABELS_MAX", "InView"]

LABELS_MAX = 1000
"""Labels that are remembered; more than a picture can show at a size that can be read."""


class InView:
    """Remembers which labels are in view. One that was not seen for `gone_ns` has gone; back, it is new.

    Codes that identify the same load are one label, whatever their carrier: a dock label often says its SSCC
    in bars and once more in a matrix.
    """

    def __init__(self, gone_ns: int) -> None:
        self._gone_ns = gone_ns
        self._last_ns: OrderedDict[str | bytes, int] = OrderedDict()

    def fresh(self, symbols: Iterable[Symbol], view_ns: int, today: date) -> list[Symbol]:
        """Of the codes of one picture, taken at `view_ns`, those of labels that came into view: of each label
        the code that says most.
        """
        labels: dict[str | bytes, Symbol] = {}
        for symbol in symbols:
            label = _label(symbol, today)
            if label not in labels or len(symbol.code) > len(labels[label].code):
                labels[label] = symbol
        return [symbol for label, symbol in labels.items() if self._note(label, view_ns)]

    def clear(self) -> None:
        """Forget all labels: what is seen next is new."""
        self._last_ns.clear()

    def _note(self, label: str | bytes, view_ns: int) -> bool:
        last_ns = self._last_ns.get(label)
        self._last_ns[label] = view_ns
        self._last_ns.move_to_end(label)
        if len(self._last_ns) > LABELS_MAX:
            self._last_ns.popitem(last=False)
        return last_ns is None or view_ns - last_ns >= self._gone_ns


def _label(symbol: Symbol, today: date) -> str | bytes:
    found = identify(raw(symbol), today)
    return found.key if isinstance(found, Load) else raw(symbol)


def raw(symbol: Symbol) -> bytes:
    """Identifier and code, as a scanner would send them."""
    return (symbol.aim or "").encode("ascii") + symbol.code
