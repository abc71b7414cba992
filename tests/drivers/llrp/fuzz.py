# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided bytes for the codec of readers, by atheris (libFuzzer).

    python -m tests.drivers.llrp.fuzz frames -runs=100000

The first argument names the target, what follows is libFuzzer's. `frames` takes two bytes as a message's type
and the rest as its inside, `streams` everything as a reader's stream; what must hold is said in
`tests.drivers.llrp.mutations`. `planted` is the control: it fails as soon as the fuzzer has worked out a
report with a tag in it, which only a search guided by coverage finds. Ends with 0 when nothing
was found; else libFuzzer prints the input and the trace.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import atheris

from tests.fuzzing import fuzz

with atheris.instrument_imports(include=["drivers.llrp"]):
    from drivers.llrp.errors import LlrpError
    from drivers.llrp.reports import ReportDecoder
    from tests.drivers.llrp.mutations import check, check_stream


def _frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">HII", 0x0400 | kind & 0x3FF, 10 + len(body), 1) + body


def frames(data: bytes) -> None:
    """One frame of any type."""
    check(_frame(int.from_bytes(data[:2], "big"), data[2:]))


def streams(data: bytes) -> None:
    """A stream of frames, or of none."""
    check_stream(data)


def planted(data: bytes) -> None:
    """A reader of reports with a bug that only a right tag shows."""
    try:
        reads = ReportDecoder("gate").decode(_frame(61, data), 0)
    except LlrpError:
        return
    if reads:
        raise RuntimeError("planted")


TARGETS: dict[str, Callable[[bytes], None]] = {"frames": frames, "streams": streams, "planted": planted}


if __name__ == "__main__":
    fuzz(TARGETS, Path(__file__).with_name("fuzz.dict"), 400)
