# SPDX-License-Identifier: Apache-2.0
"""docs/integrate/asyncapi.yaml as a judge of what is published: by the topic, then by its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import fastjsonschema
import yaml

from tests.source import ROOT


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docs/integrate/asyncapi.yaml").read_text())
    return loaded


@cache
def _judge(schema: str) -> Callable[[Any], Any]:
    root = {"$ref": schema, "components": document()["components"]}
    compiled: Callable[[Any], Any] = fastjsonschema.compile(root, use_default=False)
    return compiled


def channel_of(topic: str) -> str:
    """The one channel whose address the topic fits."""
    found = [
        name
        for name, channel in document()["channels"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[a-z0-9_-]{1,40}", channel["address"]), topic)
    ]
    # device-x is no other channel's fixed level, so one topic never fits two.
    assert len(found) == 1, f"{topic} fits {found or 'no channel'}"
    (name,) = found
    return str(name)


def judge(topic: str, payload: bytes) -> None:
    """Raise unless the payload is what the document says of its topic."""
    channel = document()["channels"][channel_of(topic)]
    (reference,) = (message["$ref"] for message in channel["messages"].values())
    message = document()["components"]["messages"][reference.rsplit("/", 1)[1]]
    _judge(message["payload"]["$ref"])(json.loads(payload, parse_float=Decimal))
