# SPDX-License-Identifier: Apache-2.0
"""What is asked of a reader after it has taken the connection, in which order, and what is done without.

Pure: a generator that yields each message to send and is handed its answer; a Refusal or Unanswered is thrown
in where the reader refused or kept silent. Runs whole on every connection, for a reader may have been
restarted, or used by somebody else, in between. What a gate can do without is done without, and told.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from drivers.llrp.capabilities import Capabilities, Present, read_capabilities, read_present, whole
from drivers.llrp.messages import Fields, Message, Parameter
from drivers.llrp.refusals import Refusal
from drivers.llrp.rospec import ROSPEC_ID, Plan, in_turns, inventory, plan
from drivers.llrp.settings import ReaderSettings

__all__ = ["EVENTS", "Commission", "Script", "Unanswered", "commission", "config", "gpo", "hello"]

EVENTS = {1: "inputs", 2: "inventory", 3: "its buffer", 4: "exceptions", 8: "antennas"}
"""ReaderEventType of EventNotificationState (LLRP 1.0.1 section 13.2.5.1): those we hear. Frequency hops
(0) would be many times all the rest together."""

_INVENTORY_EVENTS = 2
_ALL = 0
_INPUTS = 9  # RequestedData of GET_READER_CONFIG
_V1_1 = 2


class Unanswered(Exception):
    """The reader did not answer in time."""


@dataclass(slots=True)
class Commission:
    """What came out so far. `lacks` maps a word to a sentence on what the reader could not be brought to do;
    `levels` are those of the inputs as the reader just told them, to be taken out; `outputs_open` says that
    outputs may be set from now on, `keeps_alive` that the reader sends keepalives.
    """

    version: int = 1
    can: Capabilities = field(default_factory=Capabilities)
    now: Present = field(default_factory=Present)
    plan: Plan | None = None
    lacks: dict[str, str] = field(default_factory=dict)
    levels: dict[int, bool] = field(default_factory=dict)
    outputs_open: bool = False
    keeps_alive: bool = False


Script = Generator[Message, Message, None]
"""Yields what to send; is sent the answer, or at once an empty one where none is due."""


def hello(found: Commission, *, negotiate: bool) -> Script:
    """Agree on the version, and learn what the reader can do and how it is set up."""
    if negotiate:
        yield from _negotiate(found)
    answer = yield Message("GET_READER_CAPABILITIES", 0, {"ReaderCapabilitiesRequestedData": _ALL}, [])
    found.can = read_capabilities(answer)
    try:
        found.now = read_present((yield _ask_config(_ALL)))
    except Refusal as refusal:
        # Some readers answer only for what they have; the tables of capabilities suffice then.
        found.lacks["present"] = f"it does not tell how it is set up ({refusal})"


def commission(found: Commission, settings: ReaderSettings, *, negotiate: bool = True) -> Script:
    """The whole of it, up to a running inventory. Raises Refusal where nothing is left to fall back to."""
    yield from hello(found, negotiate=negotiate)
    found.plan = plan(settings, found.can, found.now, found.version)
    # Lamp and horn first: what they show is older than the connection.
    found.outputs_open = True
    # What the reader kept while we were away goes with its old inventory, so it is fetched before.
    yield Message("ENABLE_EVENTS_AND_REPORTS", 0, {}, [])
    if found.can.impinj:
        yield from _extend(found)
    yield from _configure(found, settings, found.plan)
    yield from _watch_inputs(found, settings)
    yield from _take_inventory(found, found.plan)
    yield Message("ENABLE_EVENTS_AND_REPORTS", 0, {}, [])


def config(*parts: Parameter) -> Message:
    """SET_READER_CONFIG with these parameters, all else left as it is."""
    return Message("SET_READER_CONFIG", 0, {"ResetToFactoryDefaults": False}, list(parts))


def gpo(levels: dict[int, bool]) -> Message:
    """Set these outputs."""
    return config(*(Parameter("GPOWriteData", {"Port": port, "Data": on}) for port, on in levels.items()))


def _negotiate(found: Commission) -> Script:
    """The question came with LLRP 1.1: a reader of 1.0.1 does not know it and says so; then 1.0.1 it is."""
    try:
        answer = yield Message("GET_SUPPORTED_VERSION", 0, {}, [], _V1_1)
        if min(whole(answer, "MaxSupportedVersion"), _V1_1) < _V1_1:
            return
        if whole(answer, "CurrentVersion") != _V1_1:
            yield Message("SET_PROTOCOL_VERSION", 0, {"TargetVersion": _V1_1}, [], _V1_1)
        found.version = _V1_1
    except (Refusal, Unanswered):
        found.version = 1


def _extend(found: Commission) -> Script:
    yield from _try(
        found, "extensions", "Impinj's extensions", Message("IMPINJ_ENABLE_EXTENSIONS", 0, {}, [])
    )


def _configure(found: Commission, settings: ReaderSettings, chosen: Plan) -> Script:
    """Each by itself, so that one that is refused takes no other with it."""
    period_ms = round(settings.keepalive_s * 1000)
    keepalive = Parameter("KeepAliveSpec", {"Trigger": 1, "Interval": period_ms})
    found.keeps_alive = yield from _try(found, "keepalive", "keepalives", config(keepalive))
    # An inventory that the clock starts anew would tell of it some times a second, and fill the buffer of a
    # reader that keeps events while there is no connection.
    wanted = {kind: not (chosen.restarts and kind == _INVENTORY_EVENTS) for kind in EVENTS}
    states = [
        Parameter("EventNotificationState", {"ReaderEventType": kind, "NotificationEnabled": on})
        for kind, on in wanted.items()
    ]
    yield from _try(found, "events", "events", config(Parameter("ReaderEventNotificationSpec", {}, states)))
    if found.can.holds:
        hold = Parameter("EventsAndReports", {"HoldEventsAndReportsUponReconnect": True})
        yield from _try(found, "hold", "keeping reads while there is no connection", config(hold))
    else:
        found.lacks["hold"] = "it cannot keep reads while there is no connection"
    if found.can.impinj:
        prompt = Parameter("ImpinjReportBufferConfiguration", {"ReportBufferMode": 1})
        yield from _try(found, "prompt", "reports without delay", config(prompt))


def _watch_inputs(found: Commission, settings: ReaderSettings) -> Script:
    if not settings.inputs:
        return
    ports = [
        Parameter("GPIPortCurrentState", {"Port": port, "Enabled": True, "State": 0})
        for port in settings.inputs
    ]
    yield from _try(found, "inputs", "its inputs", config(*ports))
    if found.can.impinj:
        # Short of our own debouncing, so that the reader sends less and still never hides an edge from us.
        period_ms = max(1, round(settings.debounce_s * 500))
        rests = [
            Parameter(
                "ImpinjGPIDebounceConfiguration", {"GPIPortNum": port, "GPIDebounceTimerMSec": period_ms}
            )
            for port in settings.inputs
        ]
        yield from _try(found, "debounce", "debouncing its inputs (we do it all the same)", config(*rests))
    try:
        # Only now: a port that was off has no level, and its events begin with the next edge.
        told = read_present((yield _ask_config(_INPUTS))).inputs
    except Refusal as refusal:
        found.lacks["levels"] = f"it does not tell the levels of its inputs ({refusal})"
        told = found.now.inputs
    found.levels = {port: high for port, high in told.items() if high is not None}


def _take_inventory(found: Commission, chosen: Plan) -> Script:
    yield from _clear()
    if chosen.turns is not None and (yield from _take_turns(found, chosen)):
        return
    if chosen.at_once:
        found.lacks["turns"] = f"it hears everybody at once, not pallets first: {chosen.at_once}"
    choices = inventory(chosen)
    refused: Refusal | None = None
    for given_up, message in choices:
        try:
            yield message
        except Refusal as refusal:
            refused = refused or refusal
            continue
        if given_up:
            found.lacks["radio"] = f"it runs without {given_up} ({refused})"
        break
    else:
        assert refused is not None, "an inventory has at least two forms"
        raise refused
    yield Message("ENABLE_ROSPEC", 0, {"ROSpecID": ROSPEC_ID}, [])


def _take_turns(found: Commission, chosen: Plan) -> Generator[Message, Message, bool]:
    """Pallets first; whether the reader took it. One that keeps silent over it is not asked twice either."""
    try:
        yield in_turns(chosen)
        yield Message("ENABLE_ROSPEC", 0, {"ROSpecID": ROSPEC_ID}, [])
    except (Refusal, Unanswered) as refusal:
        found.plan = replace(chosen, turns=None)
        found.lacks["turns"] = f"it hears everybody at once, not pallets first ({refusal})"
        yield from _clear()  # it may be there, and only not be enabled
        return False
    return True


def _clear() -> Script:
    """Delete what anybody left on the reader."""
    for name in ("DELETE_ACCESSSPEC", "DELETE_ROSPEC"):
        fields: Fields = {"AccessSpecID" if "ACCESS" in name else "ROSpecID": 0}
        try:
            yield Message(name, 0, fields, [])
        except Refusal:
            continue  # a reader with none to delete may refuse; one that keeps its own will refuse ours


def _try(found: Commission, key: str, what: str, message: Message) -> Generator[Message, Message, bool]:
    try:
        yield message
    except Refusal as refusal:
        found.lacks[key] = f"it does without {what} ({refusal})"
        return False
    return True


def _ask_config(what: int) -> Message:
    # Antenna and ports 0: all of them.
    fields: Fields = {"AntennaID": 0, "RequestedData": what, "GPIPortNum": 0, "GPOPortNum": 0}
    return Message("GET_READER_CONFIG", 0, fields, [])
