# SPDX-License-Identifier: Apache-2.0
"""`zonegate`: one command a job. Only the chosen command's module is imported, so that help is quick.

Each command's module has `add_arguments(parser)` and `run(args) -> int`. Exit 0 fine, 1 a finding,
2 usage.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from zonegate import __version__

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "node": ("run the dock service of one node", "zonegate.node"),
    "central": ("run the center, enrol a node, rebuild the books", "zonegate.center"),
    "import": ("import papers and tables of customs data at the center", "zonegate.importing"),
    "demo": ("play the example zone on simulated hardware", "zonegate.demo"),
    "doctor": ("look at this machine and configuration, and say what to mend", "zonegate.doctor"),
    "verify": ("check a journal's chain, and name the first bad entry", "zonegate.verify"),
    "explain": ("judge an entry again from what was known then", "zonegate.explain"),
    "replay": ("judge a gate's stored passages again, also by other settings", "zonegate.replay"),
    "llrp": ("print what RFID readers say", "zonegate.llrp"),
    "decode": ("say what a scanned code is", "zonegate.decode"),
    "label": ("print labels for logistic units and zone lots", "zonegate.label"),
    "db": ("look into a journal, read-only", "zonegate.inspect"),
    "simulate": ("play docks and a center through every fault in memory", "zonegate.simulate"),
    "token": ("replace a node's token for its screens", "zonegate.token"),
}


def build_parser(names: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser with the arguments of `names`; other commands are listed without theirs."""
    parser = argparse.ArgumentParser(
        prog="zonegate", description="Puts a customs-controlled warehouse's dock doors on the books."
    )
    parser.add_argument("--version", action="version", version=f"zonegate {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (text, module) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name in names:
            importlib.import_module(module).add_arguments(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in given if not word.startswith("-")), "")
    args = build_parser([name]).parse_args(given)
    run = importlib.import_module(COMMANDS[args.command][1]).run
    try:
        code = int(run(args))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of the pipe has seen enough, as `| head` has; what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main())
