# SPDX-License-Identifier: Apache-2.0
"""The dock's own labels: `ZG1:J:<job>:<check>` opens a job, `ZG1:C:<command>:<check>` gives a command.

Both directions of one format; the check is ISO/IEC 7064 MOD 37,36 over the job or command without its
hyphens. May not know whether such a job exists or whether the command makes sense now.
"""

from __future__ import annotations

import re

from .check import check_character
from .errors import CodeError, Fault
from .load import Control, WorkOrder
from .printable import shown

__all__ = ["COMMANDS", "ORDER_PREFIX", "control_code", "parse_order", "work_order_code"]

COMMANDS = ("UNDO", "CLOSE", "CANCEL")
ORDER_PREFIX = "ZG1:"


def work_order_code(job: str) -> str:
    """The text to print for a door job of 1-24 characters A-Z, 0-9 and hyphen, one of them no hyphen.

    Raises CodeError when `job` is anything else.
    """
    return _written("J", _checked_job(job))


def control_code(command: str) -> str:
    """The text to print for UNDO, CLOSE or CANCEL. Raises CodeError for any other command."""
    return _written("C", _checked_command(command))


def parse_order(text: str) -> WorkOrder | Control:
    """What a dock label says. Raises CodeError when form, job, command or check character is wrong."""
    parts = text.split(":", 4)
    if len(parts) != 4 or parts[0] != "ZG1" or parts[1] not in ("J", "C"):
        raise _refused("order_form", f"{shown(text)}, expected ZG1:J:job:check or ZG1:C:command:check")
    _, letter, body, check = parts
    order = WorkOrder(_checked_job(body)) if letter == "J" else Control(_checked_command(body))
    expected = _check(body)
    if check != expected:
        message = f"check character {shown(check)}, expected {expected}: print the label again"
        raise _refused("order_check", message)
    return order


_JOB = re.compile("(?=-*[A-Z0-9])[A-Z0-9-]{1,24}")


def _checked_job(job: str) -> str:
    if not _JOB.fullmatch(job):
        raise _refused("order_job", f"job {shown(job)}, expected 1 to 24 of A-Z, 0-9 and hyphen")
    return job


def _checked_command(command: str) -> str:
    if command not in COMMANDS:
        raise _refused("order_command", f"command {shown(command)}, expected one of {', '.join(COMMANDS)}")
    return command


def _written(letter: str, body: str) -> str:
    return f"{ORDER_PREFIX}{letter}:{body}:{_check(body)}"


def _check(body: str) -> str:
    return check_character(body.replace("-", ""))


def _refused(code: str, message: str) -> CodeError:
    return CodeError(Fault(code, message))
