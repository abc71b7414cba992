# SPDX-License-Identifier: Apache-2.0
"""One label is one scan: which of the codes in a picture are labels that were not in view before.

Pure. May not know cameras nor what a label is for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import date

from gs1 import Load, identify

from .decoders import Symbol

__all__ = ["LABELS_MAX", "InView", "raw"]

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

    def fresh(
        self, symbols: Iterable[Symbol], view_ns: int, today: date, is_sure: Callable[[Symbol], bool]
    ) -> list[Symbol]:
        """Of the codes of one picture, taken at `view_ns`, those of labels that came into view: of each label
        the code with the most elements. `is_sure` is asked of those alone; what it is not sure
        of has not been seen.
        """
        labels: dict[str | bytes, tuple[int, Symbol]] = {}
        for code, symbol in {raw(symbol): symbol for symbol in symbols}.items():
            label, elements = _label(code, today)
            if not self._is_in_view(label, view_ns) and not is_sure(symbol):
                continue
            if label not in labels or elements > labels[label][0]:
                labels[label] = elements, symbol
        return [symbol for label, (_, symbol) in labels.items() if not self._see(label, view_ns)]

    def clear(self) -> None:
        """Forget all labels: what is seen next is new."""
        self._last_ns.clear()

    def _is_in_view(self, label: str | bytes, view_ns: int) -> bool:
        last_ns = self._last_ns.get(label)
        return last_ns is not None and view_ns - last_ns < self._gone_ns

    def _see(self, label: str | bytes, view_ns: int) -> bool:
        """Note a label; whether it was in view."""
        known = self._is_in_view(label, view_ns)
        self._last_ns[label] = view_ns
        self._last_ns.move_to_end(label)
        if len(self._last_ns) > LABELS_MAX:
            self._last_ns.popitem(last=False)
        return known


def raw(symbol: Symbol) -> bytes:
    """Identifier and code, as a scanner would send them."""
    return (symbol.aim or "").encode("ascii") + symbol.code


def _label(code: bytes, today: date) -> tuple[str | bytes, int]:
    """What a code is known by, and how many elements it has."""
    found = identify(code, today)
    return (found.key, len(found.elements)) if isinstance(found, Load) else (code, 0)
