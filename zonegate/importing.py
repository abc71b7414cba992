# SPDX-License-Identifier: Apache-2.0
"""`zonegate import`: takes papers and tables of customs data to the center, all files or none."""

from __future__ import annotations

import argparse

from zonegate import logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate import`."""
    from central import commands

    commands.add_import_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0 when all was imported, 1 with every fault otherwise."""
    from central import commands
    from zonegate.center import given

    logs.set_up("warning")
    return commands.import_files(args, given())
