# SPDX-License-Identifier: Apache-2.0
"""What the EPCIS JSON Schema lets through and we do not: rules on one event, and rules between events.

Every event is checked here before it is published. Pure; knows nothing of our own entries, so that events
of other parties are judged by the same rules.

Source: EPCIS 2.0 and CBV 2.0, the exclusions as CBV's ontology states them; GS1 General Specifications for
check digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from gs1 import CodeError, parse_link
from gs1.links import LINK_ROOT

Event = Mapping[str, Any]

KNOWN_PREFIXES: Final = frozenset({"epcis", "cbv", "gs1", "rdfs", "owl", "xsd", "dcterms"})
"""Prefixes that the standard's own context declares."""


@dataclass(frozen=True, slots=True)
class EventFault:
    """A rule that an event breaks: `code` for programs, `message` for people, `where` the field."""

    code: str
    message: str
    where: str


def event_faults(event: Event, context: Any = ()) -> list[EventFault]:
    """All faults of one event alone. `context` is the document's @context; the event's own is added.

    Codes: check_digit, identity, class_in_epcs, negative_quantity, undeclared_prefix, corrective_ids.
    """
    declared = KNOWN_PREFIXES | _prefixes(context) | _prefixes(event.get("@context"))
    return [
        *_identity_faults(event),
        *_quantity_faults(event),
        *_prefix_faults(event, declared, ""),
        *_declaration_faults(event),
    ]


def correction_faults(correction: Event, original: Event) -> list[EventFault]:
    """Faults of an error declaration beside the event it speaks of. Code: differs."""
    names = (set(correction) | set(original)) - _NOT_THE_FACT
    return [
        EventFault("differs", f"an error declaration repeats its event unchanged, {name} is another", name)
        for name in sorted(names)
        if correction.get(name) != original.get(name)
    ]


def sequence_faults(events: Iterable[Event]) -> list[EventFault]:
    """Faults between events, which may come in any order; those declared not to have occurred do not count.

    Codes: differs, excluded_step, sampled, destroyed. `where` is the object's identity, or the field.
    """
    given = list(events)
    faults = list(_pair_faults(given))
    void = {event["eventID"] for event in given if "errorDeclaration" in event and "eventID" in event}
    told = [event for event in given if "errorDeclaration" not in event and event.get("eventID") not in void]
    told.sort(key=lambda event: _instant(str(event.get("eventTime"))))
    histories: dict[str, list[Event]] = {}
    for event in told:
        for identity in _instances(event):
            histories.setdefault(identity, []).append(event)
    for identity, history in histories.items():
        faults += _history_faults(identity, history)
    return faults


# What an error declaration may have beyond its event, and what may be stamped anew when it is captured.
_NOT_THE_FACT = frozenset({"errorDeclaration", "recordTime", "@context"})

_INSTANCE_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_CLASS_URN = re.compile(r"urn:epc:(class|idpat):")
_WEB = re.compile("https?://", re.IGNORECASE)
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*):(?!//)")
_CURIE_KEYS_THAT_ARE_URIS = frozenset({"urn", "http", "https", "tag", "ni", "did", "data", "mailto"})
# The last word of any spelling: bare, CURIE, web vocabulary or URN.
_LAST_WORD = re.compile(r"(?:BizStep-|ER-)?([A-Za-z_]+)$")

# Primary keys whose Digital Link names one object only with a qualifier or a serial part of its own.
_CLASS_UNLESS_SERIAL = {"01": "21", "8006": "21", "8010": "8011"}
_CLASS_KEY_LENGTH = {"8003": 14, "253": 13, "255": 13}

# A step (left) stands for those on its right; one process says one or the others (CBV 2.0 ontology).
_EXCLUDES = {
    "receiving": frozenset({"arriving", "accepting"}),
    "shipping": frozenset({"staging_outbound", "loading", "departing"}),
    "consigning": frozenset({"staging_outbound", "loading", "departing", "accepting"}),
}
_INBOUND = frozenset({"receiving", "arriving", "unloading"})
_OUTBOUND = frozenset({"shipping", "consigning", "staging_outbound", "loading", "departing"})


def _prefixes(context: Any) -> frozenset[str]:
    parts = context if isinstance(context, Sequence) and not isinstance(context, str) else [context]
    return frozenset(name for part in parts if isinstance(part, Mapping) for name in part)


def _identity_faults(event: Event) -> Iterator[EventFault]:
    parent = event.get("parentID")
    lists = [(name, event.get(name) or ()) for name in _INSTANCE_LISTS]
    lists.append(("parentID", () if parent is None else (parent,)))
    for name, identities in lists:
        for identity in map(str, identities):
            yield from _link_faults(identity, name)
            if name != "parentID" and _is_class(identity):
                yield EventFault(
                    "class_in_epcs",
                    f"{identity[:120]} names a class of goods, expected single objects here; "
                    "a class belongs in a quantity list",
                    name,
                )
    for name in _QUANTITY_LISTS:
        for element in event.get(name) or ():
            yield from _link_faults(str(element.get("epcClass")), name)


def _link_faults(identity: str, where: str) -> Iterator[EventFault]:
    """Faults of a Digital Link; an EPC URN carries no check digit."""
    if not _WEB.match(identity):
        return
    try:
        parse_link(identity)
    except CodeError as error:
        if any(fault.code == "csum" for fault in error.faults):
            yield EventFault("check_digit", f"{identity[:120]}: {error}", where)
        elif identity.startswith(LINK_ROOT + "/"):
            # At GS1's own host all is an identity; elsewhere it may be a private URI, not ours to judge.
            yield EventFault("identity", f"{identity[:120]}: {error}", where)


def _is_class(identity: str) -> bool:
    if _CLASS_URN.match(identity):
        return True
    if not _WEB.match(identity):
        return False
    try:
        elements = dict(parse_link(identity))
    except CodeError:
        return False
    for key, qualifier in _CLASS_UNLESS_SERIAL.items():
        if key in elements:
            return qualifier not in elements
    return any(len(elements.get(key, "")) == length for key, length in _CLASS_KEY_LENGTH.items())


def _quantity_faults(event: Event) -> Iterator[EventFault]:
    for name in _QUANTITY_LISTS:
        for element in event.get(name) or ():
            quantity = element.get("quantity")
            if isinstance(quantity, (int, float, Decimal)) and not quantity >= 0:
                yield EventFault("negative_quantity", f"quantity {quantity}, expected zero or more", name)


def _prefix_faults(value: Any, declared: frozenset[str], where: str) -> Iterator[EventFault]:
    if isinstance(value, Mapping):
        inner = declared | _prefixes(value.get("@context"))
        for key, item in value.items():
            if key == "@context":
                continue
            match = _NAMED.match(key)
            if match and match[1] not in inner and match[1].lower() not in _CURIE_KEYS_THAT_ARE_URIS:
                message = f"prefix {match[1][:40]!r} is declared in no @context"
                yield EventFault("undeclared_prefix", message, where + key[:80])
            yield from _prefix_faults(item, inner, f"{where}{key[:80]}.")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _prefix_faults(item, declared, where)


def _declaration_faults(event: Event) -> Iterator[EventFault]:
    declaration = event.get("errorDeclaration")
    if not isinstance(declaration, Mapping):
        return
    if _word(declaration.get("reason")) == "did_not_occur" and declaration.get("correctiveEventIDs"):
        yield EventFault(
            "corrective_ids",
            "what did not occur has no corrective events; expected the reason incorrect_data, or no ids",
            "errorDeclaration.correctiveEventIDs",
        )


def _pair_faults(events: list[Event]) -> Iterator[EventFault]:
    told = [event for event in events if "errorDeclaration" not in event and "eventID" in event]
    originals = {event["eventID"]: event for event in told}
    for event in events:
        original = originals.get(event.get("eventID"))
        if "errorDeclaration" in event and original is not None:
            yield from correction_faults(event, original)


def _instances(event: Event) -> list[str]:
    return [str(identity) for name in _INSTANCE_LISTS for identity in event.get(name) or ()]


def _history_faults(identity: str, history: list[Event]) -> Iterator[EventFault]:
    """Faults in one object's events, in the order they happened."""
    process: list[str] = []
    sampled = destroyed = False
    for event in history:
        step, action = _word(event.get("bizStep")), event.get("action")
        what = step or "an event"
        if destroyed:
            yield EventFault("destroyed", f"{what} after it was destroyed", identity)
        if sampled and action != "DELETE":
            yield EventFault("sampled", f"{what} after sampling, expected its end of life", identity)
        sampled = step == "sampling" and action != "DELETE"
        destroyed = destroyed or (step == "destroying" and action == "DELETE")
        # A process of arrival ends where one of leaving begins: a returned pallet may arrive again.
        if (step in _OUTBOUND and _INBOUND & set(process)) or (step in _INBOUND and _OUTBOUND & set(process)):
            process = []
        for earlier in process:
            if earlier in _EXCLUDES.get(step, ()) or step in _EXCLUDES.get(earlier, ()):
                message = f"{step} and {earlier} in one process exclude each other"
                yield EventFault("excluded_step", message, identity)
        if step:
            process.append(step)


def _word(value: Any) -> str:
    match = _LAST_WORD.search(str(value or ""))
    return match[1] if match else ""


def _instant(text: str) -> str:
    """A sort key of an RFC 3339 time; what is none sorts as text."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")
    except ValueError:
        return text
