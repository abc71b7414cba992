# SPDX-License-Identifier: Apache-2.0
"""What a command of people at the center is: how its words become a request, and how the answer is told."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Act:
    """A command: what it asks for, how its arguments become the request, how its answer is told, and whether
    that is a finding.
    """

    help: str
    arguments: tuple[tuple[str, dict[str, Any]], ...]
    method: str
    path: Callable[[argparse.Namespace], str]
    order: Callable[[argparse.Namespace], dict[str, Any] | None]
    tell: Callable[[dict[str, Any]], str]
    is_finding: Callable[[dict[str, Any]], bool] = lambda _: False
