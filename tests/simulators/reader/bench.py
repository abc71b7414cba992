# SPDX-License-Identifier: Apache-2.0
"""A reader on the bench: its messages by hand, its clock turned by hand, what it says in a list."""

from __future__ import annotations

from typing import Any

from drivers.llrp.messages import Message, Parameter, decode, encode
from simulators.reader.device import Device
from simulators.reader.kinds import IMPINJ, ReaderKind
from simulators.reader.sightings import Sighting

OFFSET_US = 1_700_000_000_000_000
"""From the bench's clock, which begins at 0, to the reader's own."""

ALL_EVENTS = (1, 2, 3, 4, 6, 8)


def part(name: str, *inside: Parameter, **fields: Any) -> Parameter:
    """A parameter."""
    return Parameter(name, dict(fields), list(inside))


def rospec(
    number: int = 1,
    *,
    start: Parameter | None = None,
    stop: Parameter | None = None,
    specs: list[Parameter] | None = None,
    report: Parameter | None = None,
    priority: int = 0,
    state: int = 0,
) -> Parameter:
    """A ROSpec over all antennas that reports each tag at once, unless said otherwise."""
    boundary = part(
        "ROBoundarySpec",
        start or part("ROSpecStartTrigger", Trigger=0),
        stop or part("ROSpecStopTrigger", Trigger=0, DurationTriggerValue=0),
    )
    return part(
        "ROSpec",
        boundary,
        *(specs or [aispec()]),
        report or report_spec(),
        ROSpecID=number,
        Priority=priority,
        ROSpecCurrentState=state,
    )


def aispec(
    *antennas: int, stop: Parameter | None = None, antenna: Parameter | None = None, inventory: int = 7
) -> Parameter:
    """An AISpec; `antenna` is an AntennaConfiguration."""
    return part(
        "AISpec",
        stop or part("AISpecStopTrigger", Trigger=0, DurationTriggerValue=0),
        part(
            "InventoryParameterSpec",
            *([antenna] if antenna else []),
            InventoryParameterSpecID=inventory,
            AirProtocolID=1,
        ),
        AntennaIDs=list(antennas) or [0],
    )


def report_spec(trigger: int = 2, n: int = 1, *on: str, vendor: Parameter | None = None) -> Parameter:
    """A ROReportSpec; `on` are the flags of its selector, antenna, strength and count unless said."""
    flags = on or ("EnableAntennaID", "EnablePeakRSSI", "EnableTagSeenCount")
    memory = [flag for flag in flags if flag in ("CRCEnabled", "PCBitsEnabled")]
    inside = [part("C1G2EPCMemorySelector", **dict.fromkeys(memory, True))] if memory else []
    chosen = {flag: True for flag in flags if flag not in memory}
    selector = part("TagReportContentSelector", *inside, **chosen)
    return part("ROReportSpec", selector, *([vendor] if vendor else []), Trigger=trigger, N=n)


def gpi(port: int, *, high: bool, timeout: int = 0) -> Parameter:
    """A GPITriggerValue."""
    return part("GPITriggerValue", Port=port, Event=high, Timeout=timeout)


class Bench:
    """A device whose client and clock are the test. Every message crosses the codec both ways."""

    def __init__(self, kind: ReaderKind = IMPINJ, *, connected: bool = True) -> None:
        self.now_us = 0
        self.said: list[Message] = []
        self.wrote: list[tuple[int, bool]] = []
        self.closed = False
        self._number = 0
        self.device = Device(kind, self._hear, self._close, self._write, OFFSET_US)
        if connected:
            self.connect()

    def connect(self) -> None:
        """The client is there; the greeting is heard and put away."""
        self.device.connect(self.now_us)
        assert self.events("ConnectionAttemptEvent")[0].fields["Event"] == 0
        self.said.clear()

    def ask(self, name: str, *inside: Parameter, version: int = 0, **fields: Any) -> Message:
        """A request; its answer."""
        self.tell(name, *inside, version=version, **fields)
        return next(
            (one for one in self.said if one.id == self._number and "RESPONSE" in one.name), self.said[-1]
        )

    def tell(self, name: str, *inside: Parameter, version: int = 0, **fields: Any) -> None:
        """A message that need not be answered."""
        self._number += 1
        version = version or self.device.version
        message = Message(name, self._number, dict(fields), list(inside), version)
        self.device.take(decode(encode(message)), self.now_us)

    def status(self, name: str, *inside: Parameter, **fields: Any) -> tuple[int, ...]:
        """A request; the chain of numbers in its answer's status: code, then parameter type and code of each
        ParameterError, then field and code of a FieldError.
        """
        return chain(self.ask(name, *inside, **fields))

    def fine(self, name: str, *inside: Parameter, **fields: Any) -> None:
        """A request that must go well."""
        answer = self.ask(name, *inside, **fields)
        assert chain(answer) == (0,), answer

    def run(self, spec: Parameter, *, enable: bool = True) -> None:
        """Add a ROSpec and enable it."""
        self.fine("ADD_ROSPEC", spec)
        if enable:
            self.fine("ENABLE_ROSPEC", ROSpecID=spec.fields["ROSpecID"])

    def want(self, *events: int, hold: bool = False, listen: tuple[int, ...] = ()) -> None:
        """Switch events, holding and inputs on."""
        states = [
            part("EventNotificationState", ReaderEventType=one, NotificationEnabled=True) for one in events
        ]
        ports = [part("GPIPortCurrentState", Port=port, Enabled=True, State=0) for port in listen]
        holding = [part("EventsAndReports", HoldEventsAndReportsUponReconnect=True)] if hold else []
        self.fine("SET_READER_CONFIG", part("ReaderEventNotificationSpec", *states), *ports, *holding)

    def see(self, *epcs: int, antenna: int = 1, dbm: float = -55.0, **more: Any) -> int:
        """Tags with these numbers answer."""
        sightings = [Sighting(epc(number), antenna, round(dbm * 100), **more) for number in epcs]
        return self.device.see(sightings, self.now_us)

    def wait(self, ms: float) -> None:
        """Time goes by."""
        self.now_us += round(ms * 1000)
        self.device.tick(self.now_us)

    def tags(self) -> list[Parameter]:
        """The tag reports that were said."""
        return [
            tag for one in self.said if one.name == "RO_ACCESS_REPORT" for tag in one.every("TagReportData")
        ]

    def numbers(self) -> list[int]:
        """The tags that were reported, by number."""
        return [number_of(tag) for tag in self.tags()]

    def events(self, name: str) -> list[Parameter]:
        """The events of this name that were said."""
        data = [one.first("ReaderEventNotificationData") for one in self.said]
        return [event for one in data if one is not None for event in one.every(name)]

    def _hear(self, message: Message) -> None:
        self.said.append(decode(encode(message)))

    def _close(self) -> None:
        self.closed = True

    def _write(self, port: int, level: bool) -> None:
        self.wrote.append((port, level))


def epc(number: int) -> bytes:
    """The EPC of tag `number`."""
    return number.to_bytes(12, "big")


def number_of(tag: Parameter) -> int:
    """Which tag a report is of."""
    told = tag.first("EPC96") or tag.first("EPCData")
    assert told is not None
    value = told.fields["EPC"]
    assert isinstance(value, bytes)
    return int.from_bytes(value, "big")


def chain(answer: Message) -> tuple[int, ...]:
    """The numbers of an answer's LLRPStatus, from the outside in."""
    status = answer.first("LLRPStatus")
    assert status is not None, answer
    return (_number(status, "Status"), *_inner(status))


def _inner(error: Parameter) -> tuple[int, ...]:
    inside = error.first("ParameterError")
    if inside is not None:
        return _number(inside, "ParameterType"), _number(inside, "ErrorCode"), *_inner(inside)
    field = error.first("FieldError")
    return () if field is None else (_number(field, "FieldIndex"), _number(field, "ErrorCode"))


def _number(parameter: Parameter, name: str) -> int:
    value = parameter.fields[name]
    assert isinstance(value, int)
    return value
