# SPDX-License-Identifier: Apache-2.0
"""`zonegate token`: replaces the token of a node's supervisor or of one door screen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate token`."""
    parser.add_argument("--store", type=Path, required=True, help="the node's store folder")
    parser.add_argument("holder", help='"supervisor" or "door.<id>"')


def run(args: argparse.Namespace) -> int:
    """Print the new token once; the old one and its sessions end when the node starts again."""
    from edge.web.access import Access, AccessError

    try:
        print(Access(args.store / "access.json").renew(args.holder).token)
    except AccessError as error:
        print(f"zonegate token: {error}", file=sys.stderr)
        return 1
    return 0
