# SPDX-License-Identifier: Apache-2.0
"""``./dev bench [NAME] [ARGUMENTS]``: one measurement, or all of them in turn.

A measurement is a module ``bench_NAME`` beside this one with ``main(arguments) -> exit code``; with
``--json`` it prints one JSON object on one line. The exit code is 0 when every goal was met.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["-h"], ["--help"]):
        print(f"usage: ./dev bench [NAME] [--json]\n\nmeasurements: {', '.join(NAMES)}")
        return 0
    chosen = NAMES
    if arguments and not arguments[0].startswith("-"):
        if arguments[0] not in NAMES:
            print(f"no measurement {arguments[0]!r}, there are: {', '.join(NAMES)}", file=sys.stderr)
            return 2
        chosen, arguments = arguments[:1], arguments[1:]
    codes = [import_module(f"tests.benchmarks.bench_{name}").main(arguments) for name in chosen]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
