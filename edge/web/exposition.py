# SPDX-License-Identifier: Apache-2.0
"""The node's figures in Prometheus' text format 0.0.4. Knows no figure by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(metrics: Mapping[str, Any], helps: Mapping[str, str]) -> str:
    """`metrics` as `Desk.metrics` gives them; a name that ends in _total is a counter, any other a gauge."""
    lines: list[str] = []
    for name, value in sorted(metrics.items()):
        if name in helps:
            lines.append(f"# HELP {name} {_escaped(helps[name])}")
        lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
        samples = value if isinstance(value, list) else [({}, value)]
        lines += [f"{name}{_labels(labels)} {_number(number)}" for labels, number in samples]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return (
        "{" + ",".join(f'{key}="{_escaped(text, quoted=True)}"' for key, text in sorted(labels.items())) + "}"
    )


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quoted else text


def _number(value: Any) -> str:
    number = float(value)
    if math.isfinite(number):
        return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)
    return "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
