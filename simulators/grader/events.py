# SPDX-License-Identifier: Apache-2.0
"""A subscriber's events held against the entries they tell of. Pure.

Delivery is at least once: an event may come again under its own id, saying the same. A second id for one fact
is a duplicate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from simulators.grader.evidence import Event, Fact, Subscriber
from simulators.grader.facts import MOVEMENTS, PUBLISHED, exact, fact_of
from simulators.grader.findings import DUPLICATE, LOST, WRONG, Finding
from simulators.grader.record import Row


def event_findings(
    subscriber: Subscriber, journal: list[Row], center: list[Row], steps: dict[str, int]
) -> Iterable[Finding]:
    """What a subscriber got, against the entries; `steps` are the steps of the truth by entry id."""
    entries = {row.entry_id: row for row in (*center, *journal)}
    first: dict[str, Event] = {}
    for event in subscriber.events:
        again = first.setdefault(event.event_id, event)
        if _content(again) != _content(event):
            text = f"event {event.event_id} came twice with different content on {event.topic}"
            yield Finding(WRONG, event.event_id, text)
    contents = {_content(event, identified=False) for name, event in first.items() if name in entries}
    for name, event in first.items():
        row = entries.get(name)
        if row is None:
            twice = _content(event, identified=False) in contents
            kind = DUPLICATE if twice else WRONG
            why = "tells an entry's fact a second time" if twice else "is of no entry"
            yield Finding(kind, name, f"event {name} on {event.topic} {why}")
        elif not _tells(event, row):
            yield Finding(WRONG, name, f"event {name} on {event.topic} is not what its entry says")
    # What was never at the dock cannot have been published by it; its being at the center is told elsewhere.
    for row in journal:
        if row.type in PUBLISHED and row.entry_id not in first:
            about = f"step {steps[row.entry_id]}" if row.entry_id in steps else row.entry_id
            yield Finding(LOST, about, f"{row.type} entry {row.entry_id} did not reach the subscriber")


def _content(event: Event, *, identified: bool = True) -> str:
    """An event's content; `identified` False leaves out what names the entry and its place."""
    try:
        message = json.loads(event.payload)
    except ValueError:
        return event.payload
    if not isinstance(message, dict):
        return event.payload
    message.pop("replay", None)  # a resend says of itself that it is one
    if identified:
        return json.dumps(message, sort_keys=True)
    kept = {name: message.get(name) for name in ("type", "time", "subject", "data")}
    if isinstance(kept["data"], dict):
        kept["data"] = {key: value for key, value in kept["data"].items() if key not in ("entry", "eventID")}
    return json.dumps(kept, sort_keys=True)


def _tells(event: Event, row: Row) -> bool:
    """Whether an event stands on its entry's topic, names its entry's hash and place, and says the same."""
    message = json.loads(event.payload)
    fact = fact_of(row)
    levels = event.topic.split("/")
    return (
        len(levels) == 8
        and levels[5:] == [fact["door"], "event", row.type]
        and message.get("recordhash") == row.hash
        and message.get("epoch") == row.epoch
        and message.get("sequence") == f"{row.seq:012d}"
        and _says(message.get("data"), fact)
    )


def _says(data: Any, fact: Fact) -> bool:
    """Whether an event's data agree with its entry: EPCIS for goods, flat names for the rest."""
    if not isinstance(data, dict):
        return False
    if fact["type"] in MOVEMENTS:
        counted = [exact(item.get("quantity")) for item in data.get("quantityList", ())]
        said = (exact(data.get("zg:quantity")), data.get("zg:reason"), counted)
        return said == (fact["quantity"], fact["reason"], [fact["quantity"]])
    if fact["type"] in ("hold", "stop"):
        line = f"{data['permit']}/{data['line']}" if data.get("permit") else None
        said_refusal = (data.get("job"), data.get("reason"), exact(data.get("quantity")), line)
        return said_refusal == (fact["job"], fact["reason"], fact["quantity"], fact["line"])
    if fact["type"] == "job":
        said_job = (data.get("job"), data.get("event"), sorted(data.get("missing") or ()))
        return said_job == (fact["job"], fact["reason"], fact["missing"])
    return True
