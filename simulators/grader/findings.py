# SPDX-License-Identifier: Apache-2.0
"""What the grader can find: one value, four kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOST: Final = "lost"
DUPLICATE: Final = "duplicate"
WRONG: Final = "wrong"
CHAIN: Final = "chain"


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is lost, duplicate, wrong or chain; `about` names the fact; `text` says what and where."""

    kind: str
    about: str
    text: str
