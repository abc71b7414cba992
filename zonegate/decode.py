# SPDX-License-Identifier: Apache-2.0
"""`zonegate decode`: what a scanned code is, as one JSON object a line."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from gs1.identify import identify
from gs1.load import Control, Load, Unknown, WorkOrder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate decode`."""
    parser.add_argument(
        "scan", nargs="+", help="a code as scanned; write GS as \\x1d, an AIM identifier first"
    )


def run(args: argparse.Namespace) -> int:
    """0 when every code is known, 1 when one is not."""
    answers = [decode(_bytes(scan)) for scan in args.scan]
    for answer in answers:
        print(json.dumps(answer, ensure_ascii=False))
    return 0 if all(answer["ok"] for answer in answers) else 1


def decode(code: bytes) -> dict[str, Any]:
    """One code: `ok`, what it is, and for an unknown one every fault."""
    match identify(code):
        case Load() as load:
            return {"ok": True, "kind": load.kind, "identity": load.key, "elements": dict(load.elements)}
        case WorkOrder(job):
            return {"ok": True, "kind": "work-order", "job": job}
        case Control(command):
            return {"ok": True, "kind": "control", "command": command}
        case Unknown(text, faults):
            return {
                "ok": False,
                "kind": "unknown",
                "text": text,
                "errors": [asdict(fault) for fault in faults],
            }


def _bytes(scan: str) -> bytes:
    return scan.replace("\\x1d", "\x1d").encode("utf-8", "surrogateescape")
