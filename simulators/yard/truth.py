# SPDX-License-Identifier: Apache-2.0
"""The truth file: what was physically done at the doors, and what it must have come to.

JSON lines, each written through to the file at once: a `script` line, one `step` line for each thing done,
an `end` line. What was not done is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulators.yard.scenario import Scenario
from simulators.yard.story import Step


class TruthFile:
    """Writes one play's truth to `path`; `now` gives aware times."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def begin(self, scenario: Scenario) -> None:
        """Name the script."""
        self._write(
            {
                "kind": "script",
                "script": scenario.script,
                "seed": scenario.seed,
                "today": scenario.today.isoformat(),
            }
        )

    def step(
        self,
        step: Step,
        scans: int,
        *,
        sent: bool,
        answered: bool | None,
        passage: dict[str, Any] | None = None,
    ) -> None:
        """Tell a step that is done: `scans` triggers pulled; `answered` is None when nobody looked.

        `sent` False: the label was before the scanner's window, and nothing came over the wire. `passage` is
        what was driven through a gate, and what its driver saw.
        """
        self._write(
            {
                "kind": "step",
                "step": step.number,
                "door": step.door,
                "act": step.act,
                "note": step.note,
                "code": step.code.decode("latin-1"),
                "scans": scans,
                "sent": sent,
                "answered": answered,
                "expect": list(step.expect),
                "passage": passage,
                "order": step.order.truth() if step.order else None,
            }
        )

    def end(self, **figures: Any) -> None:
        """Close the play."""
        self._write({"kind": "end", **figures})

    def _write(self, row: dict[str, Any]) -> None:
        at = self._now().astimezone(UTC).isoformat()
        self._file.write(json.dumps({"at": at, **row}, sort_keys=True) + "\n")
        self._file.flush()
