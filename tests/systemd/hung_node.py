# SPDX-License-Identifier: Apache-2.0
"""A planted node whose disk hangs when it is told to: its writing thread stands still for ever.

`python -m tests.systemd.hung_node node --config FILE`; it hangs once the file ZONEGATE_HANG is there.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import edge.journal
from edge.writer import Writer
from zonegate.cli import main


class Hangs(Writer):
    """A disk that stops answering."""

    def commit(self, batch: Any) -> None:
        wait_if_told()
        super().commit(batch)

    def idle(self) -> Any:
        wait_if_told()
        return super().idle()


def wait_if_told() -> None:
    if Path(os.environ["ZONEGATE_HANG"]).exists():
        threading.Event().wait()


if __name__ == "__main__":
    edge.journal.Writer = Hangs  # type: ignore[attr-defined]
    sys.exit(main())
