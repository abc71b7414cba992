# SPDX-License-Identifier: Apache-2.0
"""`zonegate central`: runs the center, or acts at it: enrols nodes, tells cases, backs up, restores.

Hands the anchor and the clocks to `central`, which makes neither itself.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zonegate import logs

if TYPE_CHECKING:
    from central.given import Given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate central`."""
    from central import commands

    commands.add_central_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the center, or the act that was asked for."""
    from central import commands

    logs.set_up("warning" if args.act else "info")
    return commands.run_central(args, given())


def given() -> Given:
    """The anchor and the clocks of this machine."""
    from central.given import Given
    from edge.anchor import Anchor
    from edge.clock import system_clocks
    from edge.errors import EdgeError

    return Given(Anchor, system_clocks(), (EdgeError,))
