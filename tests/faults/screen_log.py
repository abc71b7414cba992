# SPDX-License-Identifier: Apache-2.0
"""What a person in front of a door's screen sees, written down: a program of its own, standard library only.

`python -I screen_log.py URL DOOR LOG` watches the door's events as a browser does, and comes back to them
whenever the dock was away. Each picture is one JSON line in LOG, and on standard output: `event` (snapshot or
door; `lost` when the stream ended), `state`, `reason`, `code`, `position`. Ends when its standard input does.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

SILENCE_S = 5.0  # the dock speaks every 2 s; so long without a word is NO LINK
AGAIN_S = 0.02


def main(url: str, door: str, log: str) -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    where = urlsplit(url)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    linked = False

    def note(line: dict[str, str]) -> None:
        text = json.dumps(line).encode() + b"\n"
        os.write(file, text)
        os.write(1, text)

    while True:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=SILENCE_S)
        try:
            connection.request("GET", f"/events?door={door}")
            answer = connection.getresponse()
            if answer.status == 200:
                for event, data in pictures(answer):
                    linked = True
                    named = {name: str(data[name]) for name in ("state", "reason", "code", "position")}
                    note({"event": event, **named})
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        if linked:
            linked = False
            note({"event": "lost", "state": "NO LINK", "reason": "", "code": "", "position": ""})
        time.sleep(AGAIN_S)


def pictures(answer: http.client.HTTPResponse) -> Iterator[tuple[str, dict[str, object]]]:
    event = ""
    while line := answer.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event in ("snapshot", "door"):
            yield event, json.loads(value)


def end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
