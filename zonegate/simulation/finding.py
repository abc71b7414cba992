# SPDX-License-Identifier: Apache-2.0
"""What a schedule shows that must not be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold; `kind` is what it counts as in the report."""

    invariant: str
    kind: str
    sentence: str
