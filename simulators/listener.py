# SPDX-License-Identifier: Apache-2.0
"""An independent subscriber: writes down everything that is published below `zonegate/v1/`.

Run as `python -m simulators.listener`; says "ready" on standard output once the broker has taken its
subscription and ends on SIGTERM or SIGINT. Its session outlives its connection, so that nothing is missed
while the broker restarts. Knows nothing of what the messages mean.

Each line of its log is one message: `at` (UTC), `topic`, `retain`, `dup`, `payload` (text).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

TOPICS: Final = "zonegate/v1/#"

_SESSION_S: Final = 24 * 3600
_KEEPALIVE_S: Final = 10


def main(arguments: list[str] | None = None) -> int:
    """Listen until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulators.listener", description=__doc__)
    parser.add_argument("--broker", required=True, help="mqtt://127.0.0.1:1883")
    parser.add_argument("--log", type=Path, required=True, help="file to append to (JSON lines)")
    parser.add_argument("--client-id", default="example-listener", help="names the lasting session")
    options = parser.parse_args(arguments)
    url = urlsplit(options.broker)
    if url.scheme != "mqtt" or not url.hostname:
        parser.error(f"--broker is {options.broker!r}, expected mqtt://HOST:PORT")
    with options.log.open("a", encoding="utf-8") as log:
        return _listen(url.hostname, url.port or 1883, options.client_id, log)


def _listen(host: str, port: int, client_id: str, log: IO[str]) -> int:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
    client.reconnect_delay_set(min_delay=1, max_delay=1)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's is not annotated
    properties.SessionExpiryInterval = _SESSION_S

    def subscribe(_: mqtt.Client, __: Any, ___: Any, reason: ReasonCode, ____: Any) -> None:
        if not reason.is_failure:
            client.subscribe(TOPICS, qos=1)

    def ready(_: mqtt.Client, __: Any, ___: int, reasons: list[ReasonCode], ____: Any) -> None:
        if not any(reason.is_failure for reason in reasons):
            print("ready", flush=True)  # noqa: T201 - the word is the protocol

    def write(_: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        # paho acknowledges after this returns: what the broker may forget stands in the file.
        line = {
            "at": datetime.now(UTC).isoformat(),
            "topic": message.topic,
            "retain": message.retain,
            "dup": message.dup,
            "payload": message.payload.decode("utf-8", "replace"),
        }
        log.write(json.dumps(line) + "\n")
        log.flush()

    def end(*_: object) -> None:
        client.disconnect()

    client.on_connect, client.on_subscribe, client.on_message = subscribe, ready, write
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    client.connect(host, port, keepalive=_KEEPALIVE_S, clean_start=False, properties=properties)
    client.loop_forever(retry_first_connection=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
