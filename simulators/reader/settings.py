# SPDX-License-Identifier: Apache-2.0
"""A reader's settings and pins: what GET_READER_CONFIG tells and SET_READER_CONFIG changes.

A message with anything wrong in it changes nothing (section 15). Source: LLRP 1.1, sections 13 and 14.2.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from drivers.llrp.messages import Message, Parameter
from simulators.reader.checks import check_antenna_configuration, check_report_spec
from simulators.reader.kinds import ReaderKind
from simulators.reader.refusals import Code, Place, Refused, number_in

__all__ = ["Event", "Settings"]

_LOW, _HIGH = 0, 1
_KEEPALIVE_PERIODIC: Final = 1
_REQUESTS_MAX: Final = 11
_GAIN: Final = 600
"""Antennas of 6 dBi, in 1/100."""

_EVENTS: Final = {1: 8, 2: 9}


class Event:
    """Numbers of the events that a client can switch (14.2.5.1)."""

    HOPPING, GPI, ROSPEC, BUFFER, EXCEPTION, SURVEY, AISPEC, AISPEC_DETAILS, ANTENNA, LOOP = range(10)


class Settings:
    """Of one reader. Ports and antennas count from 1."""

    def __init__(self, kind: ReaderKind, reader_id: bytes) -> None:
        self._kind = kind
        self._reader_id = reader_id
        self.levels = dict.fromkeys(range(1, kind.inputs + 1), False)
        self.outputs = dict.fromkeys(range(1, kind.outputs + 1), False)
        self.connected = dict.fromkeys(range(1, kind.antennas + 1), True)
        self.changes = 0
        self.reset()

    def reset(self) -> None:
        """Factory defaults; pins stay as they are."""
        kind = self._kind
        self.events = dict.fromkeys(range(_EVENTS[kind.version] + 1), False)
        self.listening = dict.fromkeys(range(1, kind.inputs + 1), False)
        self.antennas = {antenna: self._default_antenna(antenna) for antenna in range(1, kind.antennas + 1)}
        self.report = _default_report()
        self.access_report = Parameter("AccessReportSpec", {"Trigger": 0})
        self.keepalive_ms = 0
        self.holds = False

    def get(self, request: Message) -> list[Parameter]:
        """What GET_READER_CONFIG asks for. Raises Refused."""
        wanted = number_in(request, "RequestedData")
        if wanted > _REQUESTS_MAX:
            raise Refused.of_field(
                1, f"RequestedData is {wanted}, expected 0 to {_REQUESTS_MAX}", Code.A_OUT_OF_RANGE
            )
        antenna = number_in(request, "AntennaID")
        told: list[Parameter] = []
        for number, part in (
            (1, [Parameter("Identification", {"IDType": 0, "ReaderID": self._reader_id})]),
            (2, list(self._properties(antenna, wanted in (0, 2)))),
            (3, list(self._chosen(self.antennas, antenna, wanted in (0, 3)))),
            (5, [self._event_spec()]),
            (4, [self.report]),
            (6, [self.access_report]),
            (7, [Parameter("LLRPConfigurationStateValue", {"LLRPConfigurationState": self.changes})]),
            (8, [self._keepalive()]),
            (9, list(self._inputs(number_in(request, "GPIPortNum"), wanted in (0, 9)))),
            (10, list(self._outputs(number_in(request, "GPOPortNum"), wanted in (0, 10)))),
            (11, [self._hold()] if self._kind.holds else []),
        ):
            if wanted in (0, number):
                told += part
        return told

    def set(self, request: Message) -> list[tuple[int, bool]]:
        """Do what SET_READER_CONFIG says; the outputs written, port and level. Raises Refused."""
        places = [Place(parameter) for parameter in request.parameters]
        for place in places:
            self._check(place)
        if request.fields.get("ResetToFactoryDefaults"):
            self.reset()
        written = [output for place in places for output in self._apply(place)]
        self.changes += 1
        return written

    def wants(self, event: int) -> bool:
        """Whether the client has switched this event on."""
        return self.events.get(event, False)

    def _check(self, place: Place) -> None:
        name = place.parameter.name
        if name == "GPOWriteData" and place["Port"] not in self.outputs:
            raise place.refuse_field("Port", _ports(self.outputs))
        if name == "GPIPortCurrentState" and place["Port"] not in self.levels:
            raise place.refuse_field("Port", _ports(self.levels))
        if name == "AntennaConfiguration":
            check_antenna_configuration(self._kind, place)
        if name == "ROReportSpec":
            check_report_spec(self._kind, place)
        if name == "KeepAliveSpec" and place["Trigger"] > _KEEPALIVE_PERIODIC:
            raise place.refuse_field("Trigger", "0 or 1")
        if name == "AntennaProperties":
            raise place.refuse(Code.P_UNSUPPORTED_PARAMETER, "antenna properties are told, not set")
        if name == "EventsAndReports" and not self._kind.holds:
            raise place.refuse(Code.P_UNSUPPORTED_PARAMETER, "this reader holds nothing back")
        if name == "ReaderEventNotificationSpec":
            for state in place.every("EventNotificationState"):
                if state["ReaderEventType"] not in self.events:
                    raise state.refuse_field("ReaderEventType", f"0 to {max(self.events)}")

    def _apply(self, place: Place) -> Iterator[tuple[int, bool]]:
        parameter = place.parameter
        if parameter.name == "GPOWriteData":
            self.outputs[place["Port"]] = bool(place["Data"])
            yield place["Port"], bool(place["Data"])
        elif parameter.name == "GPIPortCurrentState":
            self.listening[place["Port"]] = bool(place["Enabled"])
        elif parameter.name == "AntennaConfiguration":
            for antenna in [place["AntennaID"]] if place["AntennaID"] else list(self.antennas):
                self.antennas[antenna] = Parameter(
                    parameter.name, {"AntennaID": antenna}, parameter.parameters
                )
        elif parameter.name == "ROReportSpec":
            self.report = parameter
        elif parameter.name == "AccessReportSpec":
            self.access_report = parameter
        elif parameter.name == "KeepAliveSpec":
            self.keepalive_ms = place["Interval"] if place["Trigger"] else 0
        elif parameter.name == "EventsAndReports":
            self.holds = bool(place["HoldEventsAndReportsUponReconnect"])
        elif parameter.name == "ReaderEventNotificationSpec":
            for state in place.every("EventNotificationState"):
                self.events[state["ReaderEventType"]] = bool(state["NotificationEnabled"])

    def _default_antenna(self, antenna: int) -> Parameter:
        kind = self._kind
        transmitter = {
            "HopTableID": min(kind.hop_tables, default=0),
            "ChannelIndex": 0 if kind.hops else 1,
            "TransmitPowerIndex": max(kind.powers),
        }
        command = Parameter(
            "C1G2InventoryCommand",
            {"TagInventoryStateAware": False},
            [
                Parameter("C1G2RFControl", {"RFModeID": kind.modes[0].identifier, "Tari": 0}),
                Parameter("C1G2SingulationControl", {"Session": 1, "TagPopulation": 32, "TagTransitTime": 0}),
            ],
        )
        return Parameter(
            "AntennaConfiguration",
            {"AntennaID": antenna},
            [
                Parameter("RFReceiver", {"ReceiverSensitivityIndex": 1}),
                Parameter("RFTransmitter", dict(transmitter)),
                command,
            ],
        )

    def _properties(self, antenna: int, wanted: bool) -> Iterator[Parameter]:
        told = {
            number: Parameter(
                "AntennaProperties",
                {"AntennaConnected": connected, "AntennaID": number, "AntennaGain": _GAIN},
            )
            for number, connected in self.connected.items()
        }
        return self._chosen(told, antenna, wanted)

    def _chosen(self, told: dict[int, Parameter], antenna: int, wanted: bool) -> Iterator[Parameter]:
        if wanted and antenna > self._kind.antennas:
            raise Refused.of_field(0, f"AntennaID is {antenna}, expected 0 to {self._kind.antennas}")
        return (one for number, one in told.items() if antenna in (0, number))

    def _event_spec(self) -> Parameter:
        states = [
            Parameter("EventNotificationState", {"ReaderEventType": event, "NotificationEnabled": on})
            for event, on in self.events.items()
        ]
        return Parameter("ReaderEventNotificationSpec", {}, states)

    def _keepalive(self) -> Parameter:
        return Parameter(
            "KeepAliveSpec", {"Trigger": int(self.keepalive_ms > 0), "Interval": self.keepalive_ms}
        )

    def _inputs(self, port: int, wanted: bool) -> Iterator[Parameter]:
        if wanted and port and port not in self.levels:
            raise Refused.of_field(2, f"GPIPortNum is {port}, expected {_ports(self.levels)}")
        for number, level in self.levels.items():
            if port in (0, number):
                fields = {
                    "Port": number,
                    "Enabled": self.listening[number],
                    "State": _HIGH if level else _LOW,
                }
                yield Parameter("GPIPortCurrentState", dict(fields))

    def _outputs(self, port: int, wanted: bool) -> Iterator[Parameter]:
        if wanted and port and port not in self.outputs:
            raise Refused.of_field(3, f"GPOPortNum is {port}, expected {_ports(self.outputs)}")
        for number, level in self.outputs.items():
            if port in (0, number):
                yield Parameter("GPOWriteData", {"Port": number, "Data": level})

    def _hold(self) -> Parameter:
        return Parameter("EventsAndReports", {"HoldEventsAndReportsUponReconnect": self.holds})


def _default_report() -> Parameter:
    """Tags at the end of a ROSpec, with antenna, strength, times and count."""
    on = ("AntennaID", "PeakRSSI", "FirstSeenTimestamp", "LastSeenTimestamp", "TagSeenCount")
    selector = Parameter("TagReportContentSelector", {f"Enable{name}": True for name in on})
    return Parameter("ROReportSpec", {"Trigger": 2, "N": 0}, [selector])


def _ports(ports: dict[int, bool]) -> str:
    return f"1 to {len(ports)}" if ports else "none: this reader has no such port"
