# SPDX-License-Identifier: Apache-2.0
"""Words to systemd: ready, watchdog, stopping (sd_notify(3), one datagram). Silent without a socket."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Send `state`, such as READY=1 or WATCHDOG=1; False when nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(state.encode(), address)
    except OSError:
        return False
    return True


def watchdog_interval_s() -> float | None:
    """Half of what systemd allows between two WATCHDOG=1; None when it does not watch."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return int(usec) / 2_000_000 if usec.isdigit() and int(usec) > 0 else None
