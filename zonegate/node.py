# SPDX-License-Identifier: Apache-2.0
"""`zonegate node`: the dock service of one node, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zonegate import __version__, logs

if TYPE_CHECKING:
    from edge.service import Service


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate node`."""
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/zonegate/zonegate.toml"), help="zonegate.toml"
    )
    parser.add_argument(
        "--log", default="info", choices=["debug", "info", "warning", "error"], help="least level"
    )


def run(args: argparse.Namespace) -> int:
    """Serve; 0 when asked to stop, 2 when the configuration cannot be used."""
    from edge.clock import system_clocks
    from edge.config import read_config
    from edge.errors import ConfigError, EdgeError
    from edge.service import Service

    logs.set_up(args.log)
    try:
        config = read_config(args.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    code = 0
    try:
        asyncio.run(_serve(Service(config, system_clocks(), __version__, _say)))
    except* (EdgeError, OSError) as group:
        for fault in group.exceptions:
            print(f"zonegate node: {fault}", file=sys.stderr)
        code = 1
    return code


def _say(line: str) -> None:
    print(line, flush=True)


async def _serve(service: Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service.run(stop)
