# SPDX-License-Identifier: Apache-2.0
"""How figures look on a page: quantities, times, and the bar of a permit line as SVG. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Final

from markupsafe import Markup

_WIDTH: Final = Decimal(220)
_HEIGHT: Final = 14


def quantity(value: Decimal | None) -> str:
    """A quantity with its digits grouped and no idle zeros: 2,500 or 0.25."""
    if value is None:
        return ""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(value: datetime | None, zone: tzinfo) -> str:
    """A time of a time zone, to the second."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if value else ""


def ago(value: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if value is None:
        return "never"
    seconds = max(int((now - value).total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def line_bar(authorized: Decimal, granted: Decimal, used: Decimal) -> Markup:
    """A permit line: used (solid), lent to docks and not used (striped), free (empty), overdrawn (red).

    The whole width is what is authorized, or what is used when that is more.
    """
    whole = max(authorized, used, granted, Decimal(1))
    lent = max(granted - used, Decimal(0))
    within = min(used, authorized)
    parts = [
        ("used", Decimal(0), within),
        ("lent", max(used, Decimal(0)), lent),
        ("over", authorized, max(used - authorized, Decimal(0))),
    ]
    text = (
        f"{quantity(used)} of {quantity(authorized)} used, {quantity(lent)} lent to docks, "
        f"{quantity(authorized - used)} left"
    )
    shapes = Markup("").join(
        Markup('<rect class="{}" fill="url(#stripes)" x="{}" y="0" width="{}" height="{}"/>').format(
            name, _at(start, whole), _at(length, whole), _HEIGHT
        )
        for name, start, length in parts
        if length > 0
    )
    return Markup(
        '<svg class="bar" role="img" width="{}" height="{}" viewBox="0 0 {} {}"><title>{}</title>'
        '<rect class="free" x="0" y="0" width="{}" height="{}"/>{}</svg>'
    ).format(_WIDTH, _HEIGHT, _WIDTH, _HEIGHT, text, _WIDTH, _HEIGHT, shapes)


def _at(value: Decimal, whole: Decimal) -> str:
    return f"{(value / whole * _WIDTH).quantize(Decimal('0.1')):f}"
