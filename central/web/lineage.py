# SPDX-License-Identifier: Apache-2.0
"""The picture of a dock's logs as SVG: one row a log, each under the one that it continues. Pure.

State is told by word and shape, never by color alone; what is missing is hatched and said in figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from central.web.docks import CLOSED, COUNTED, GOING_ON, LEFT, LogView

_WIDTH: Final = 1180
_ROW: Final = 54
_STEP: Final = 30
_DEPTH_MAX: Final = 8
"""Steps to the right; deeper logs stay there, so that their figures keep their room."""

_BAR_AT: Final = 480
_BAR: Final = 340
_MAYBE: Final = 60

_SHAPES: Final = {
    GOING_ON: '<path class="mark-go" d="M-7-8 9 0-7 8z"/>',
    CLOSED: '<rect class="mark-closed" x="-8" y="-8" width="16" height="16" rx="2"/>'
    '<path class="mark-tick" d="M-4.500 0-1 4 5-4"/>',
    COUNTED: '<circle class="mark-closed" r="9"/><path class="mark-tick" d="M-4-5v10M0-5v10M4-5v10"/>',
    LEFT: '<path class="mark-left" d="M0-10 10 0 0 10-10 0z"/><path class="mark-ask" d="M0-5v6M0 4v1.500"/>',
}


def picture(node: str, logs: Sequence[LogView]) -> Markup:
    """The logs of a dock, one row each; a screen reader hears the rows as a list of sentences."""
    rows = {log.log.epoch: row for row, log in enumerate(logs)}
    parts = []
    for row, log in enumerate(logs):
        # A log that names no parent follows the one before it with a gap between.
        at = rows.get(log.log.parent.epoch, -1) if log.log.parent else row - 1
        parts.append(_link(log, row, logs[at] if at >= 0 else None, at))
    parts += [_row(log, row) for row, log in enumerate(logs)]
    height = _ROW * len(logs)
    told = "; ".join(_sentence(log) for log in logs)
    return Markup(
        '<svg class="logs" role="img" width="{}" height="{}" viewBox="0 0 {} {}"><title>{}</title>{}</svg>'
    ).format(_WIDTH, height, _WIDTH, height, f"Logs of {node}: {told}", Markup("").join(parts))


def shape(state: str) -> Markup:
    """The shape of a state, for a legend."""
    return Markup(
        '<svg class="shape" width="22" height="22" viewBox="-11 -11 22 22" aria-hidden="true">{}</svg>'
    ).format(
        Markup(_SHAPES[state])  # noqa: S704 - a constant of this module
    )


def _left(log: LogView) -> int:
    return 14 + _STEP * min(log.depth, _DEPTH_MAX)


def _middle(row: int) -> int:
    return row * _ROW + _ROW // 2


def _link(log: LogView, row: int, before: LogView | None, at: int) -> Markup:
    """The line from the log that this one continues, in row `at`, solid when that one's end is proven."""
    if log.proven is None:
        return Markup("")
    kind = "proven" if log.proven else "unproven"
    x, y = _left(log), _middle(row)
    if before is None:
        return Markup('<path class="{}" d="M{} {}V{}"/>').format(kind, x, y - _ROW // 2, y - 13)
    start, top = _left(before), _middle(at) + 13
    if start == x:
        return Markup('<path class="{}" d="M{} {}V{}"/>').format(kind, x, top, y - 13)
    return Markup('<path class="{}" d="M{} {}V{}H{}"/>').format(kind, start, top, y, x - 13)


def _row(log: LogView, row: int) -> Markup:
    x, y = _left(log), _middle(row)
    mark = Markup(_SHAPES[log.state])  # noqa: S704 - a constant of this module
    name = Markup('{}. {} <tspan class="word">{}</tspan>').format(log.number, log.name, log.state)
    return Markup("").join(
        (
            Markup('<g transform="translate({} {})">{}</g>').format(x, y, mark),
            _text("log", x + 18, y - 3, name),
            _text("how", x + 18, y + 14, _how(log)),
            _bar(log, y),
            _text("log", _BAR_AT + _BAR + 14, y - 3, _figures(log)),
            _text("how", _BAR_AT + _BAR + 14, y + 14, _signed(log)),
        )
    )


def _bar(log: LogView, y: int) -> Markup:
    whole = max(log.told, 1)
    # Even one missing entry is seen.
    stored = min(round(_BAR * log.stored / whole), _BAR - 6) if log.missing else _BAR
    if log.unbounded and not log.missing:
        stored = _BAR - _MAYBE
        return _box("here", "", _BAR_AT, y, stored) + _box("maybe", "", _BAR_AT + stored, y, _MAYBE)
    here = _box("here", "", _BAR_AT, y, stored)
    return here + _box("gone", "url(#gone)", _BAR_AT + stored, y, _BAR - stored) if log.missing else here


def _box(kind: str, fill: str, x: int, y: int, width: int) -> Markup:
    filled = Markup(' fill="{}"').format(fill) if fill else Markup("")
    return Markup('<rect class="{}"{} x="{}" y="{}" width="{}" height="14"/>').format(
        kind, filled, x, y - 7, width
    )


def _text(kind: str, x: int, y: int, text: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, x, y, text)


def _figures(log: LogView) -> str:
    if log.unbounded and not log.missing:
        return f"{log.stored:,} stored, more may exist"
    if not log.missing:
        return f"{log.stored:,} stored, none missing"
    return f"{log.stored:,} of {log.told:,} stored, {log.missing:,} missing"


def _signed(log: LogView) -> str:
    return f"signed by the dock up to {log.log.signed:,}" if log.log.signed else "not signed yet"


def _how(log: LogView) -> str:
    if log.proven is None:
        return "the first log of this dock" if log.number == 1 else "follows no log known here"
    if log.proven:
        return "continues; the end before is proven"
    return "a gap before it, counted" if log.gap == "counted" else "a gap before it: its end is not proven"


def _sentence(log: LogView) -> str:
    return f"{log.number}, {log.name}, {log.state}, {_how(log)}, {_figures(log)}, {_signed(log)}"
