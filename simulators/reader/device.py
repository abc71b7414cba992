# SPDX-License-Identifier: Apache-2.0
"""A reader without its cable: messages in, messages out, tags and pins from the world around it.

Sans I/O: it is told the time with every call, in microseconds of one monotonic clock, and `due_us` says when
it wants to be told again. Source: LLRP 1.0.1 and 1.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Final

from drivers.llrp.messages import Message, Parameter
from simulators.reader.checks import check_rospec
from simulators.reader.kinds import ReaderKind, capabilities
from simulators.reader.refusals import Code, Place, Refused, number_in, success
from simulators.reader.reports import Outgoing
from simulators.reader.rospecs import RoSpecs
from simulators.reader.settings import Event, Settings
from simulators.reader.sightings import Contents, Selection, Sighting

__all__ = ["ANOTHER_ATTEMPT", "CLIENT_EXISTS", "CONNECTED", "Device", "connection_attempt"]

CONNECTED, CLIENT_EXISTS, ANOTHER_ATTEMPT = 0, 2, 4
"""What a ConnectionAttemptEvent says (14.2.6.11)."""

_MISSED_MAX: Final = 3
"""Keepalives in a row that a client may leave without an answer before its connection is given up."""

_CAPABILITIES_MAX: Final = 4
_READERS_OWN: Final = ("RO_ACCESS_REPORT", "READER_EVENT_NOTIFICATION", "KEEPALIVE", "CLIENT_REQUEST_OP")
_READER_ID: Final = bytes.fromhex("001625fffe123456")


class Device:
    """One reader. `write` takes what it says to its client, `closed` tells that it ends the connection
    itself, `wrote` gets each write to an output: port, level.

    `offset_us` makes its own clock out of the time that it is told: UTC, or uptime where it has no UTC clock.
    """

    def __init__(
        self,
        kind: ReaderKind,
        write: Callable[[Message], None],
        closed: Callable[[], None],
        wrote: Callable[[int, bool], None],
        offset_us: int,
    ) -> None:
        self.kind = kind
        self.clock_offset_us = offset_us
        self.settings = Settings(kind, _READER_ID)
        self.rospecs = RoSpecs(kind, self)
        self.outgoing = Outgoing(
            self._write_out,
            self._stamp,
            kind.buffer_tags,
            lambda: kind.warns and self.settings.wants(Event.BUFFER),
        )
        self.connected = self.extended = False
        self.version = 1
        self.keepalives_missed = 0
        self._write = write
        self._closed = closed
        self._wrote = wrote
        self._negotiated = False
        self._keepalive_us: int | None = None
        self._channel = 0
        self._said: dict[str, object] = {}
        self._now_us = 0

    # The client's side

    def connect(self, now_us: int) -> None:
        """A client is there: greet it."""
        self._now_us = now_us
        self.connected, self.version, self._negotiated = True, 1, False
        self.keepalives_missed = 0
        self._said.clear()
        self.outgoing.holding = self.settings.holds
        self.outgoing.send("READER_EVENT_NOTIFICATION", [connection_attempt(CONNECTED, self._stamp())])
        self._keepalive_us = self._next_keepalive(now_us)

    def disconnect(self, now_us: int) -> None:
        """The connection is gone, for whatever reason."""
        self._now_us = now_us
        self.connected = False
        self._keepalive_us = None
        self.outgoing.holding = True
        if not self.kind.keeps_specs:
            self.rospecs.delete(0, now_us)
            self.settings.reset()
            self.extended = False
        if not self.settings.holds:
            self.outgoing.forget()

    def refuse_another(self, now_us: int) -> Parameter:
        """Somebody else tries to connect: tell the client that is there. What the other one is told."""
        self._now_us = now_us
        self.outgoing.send("READER_EVENT_NOTIFICATION", [connection_attempt(ANOTHER_ATTEMPT, self._stamp())])
        return connection_attempt(CLIENT_EXISTS, self._stamp())

    def take(self, request: Message, now_us: int) -> None:
        """Do what the client says, and answer."""
        self._now_us = now_us
        if not self._speaks(request):
            status = Refused("this version is not spoken here", Code.M_UNSUPPORTED_VERSION).status
            self._write(Message("ERROR_MESSAGE", request.id, {}, [status], request.version))
            return
        act = self._ACTS.get(request.name)
        if act is None:
            known = request.name.endswith("_RESPONSE") or request.name in _READERS_OWN
            code = Code.M_UNEXPECTED_MESSAGE if known else Code.M_UNSUPPORTED_MESSAGE
            self.complain(request.id, f"{request.name} is nothing that this reader does", code)
            return
        try:
            answer = act(self, request)
        except Refused as refused:
            answer = [refused.status]
        if answer is not None:
            fields = {}
            if request.name == "GET_SUPPORTED_VERSION":
                fields = {"CurrentVersion": self.version, "MaxSupportedVersion": self.kind.version}
            self._write(
                Message(f"{request.name}_RESPONSE", request.id, dict(fields), answer, request.version)
            )
        if request.name == "CLOSE_CONNECTION":
            self._closed()

    def complain(self, message_id: int, sentence: str, code: Code) -> None:
        """An ERROR_MESSAGE, for what has no answer of its own."""
        self._write(Message("ERROR_MESSAGE", message_id, {}, [Refused(sentence, code).status], self.version))

    # The world's side

    def see(self, sightings: Iterable[Sighting], now_us: int) -> int:
        """Tags answered; how many of them an active ROSpec took."""
        taken = 0
        for sighting in sightings:
            at_us = now_us if sighting.at_us is None else sighting.at_us
            self.tick(at_us)
            if not self.settings.connected.get(sighting.antenna):
                continue
            if self.rospecs.active is not None:
                self._hop(sighting.channel)
            taken += self.rospecs.see(sighting, at_us)
        return taken

    def set_input(self, port: int, high: bool, now_us: int) -> None:
        """Something pulls an input up or down. KeyError for a port that is not there."""
        self.tick(now_us)
        if self.settings.levels[port] == high:
            return
        self.settings.levels[port] = high
        if not self.settings.listening[port]:
            return
        if self.settings.wants(Event.GPI):
            self._tell(Parameter("GPIEvent", {"Port": port, "Event": high}))
        self.rospecs.input_changed(port, high, now_us)

    def set_antenna(self, antenna: int, connected: bool, now_us: int) -> None:
        """A cable comes off, or on again. KeyError for an antenna that is not there."""
        self.tick(now_us)
        if self.settings.connected[antenna] == connected:
            return
        self.settings.connected[antenna] = connected
        if self.settings.wants(Event.ANTENNA):
            self._tell(Parameter("AntennaEvent", {"Event": int(connected), "AntennaID": antenna}))

    def fail(self, sentence: str, now_us: int) -> None:
        """Something within breaks: a ReaderExceptionEvent, where the client wants these."""
        self.tick(now_us)
        if self.settings.wants(Event.EXCEPTION):
            self._tell(Parameter("ReaderExceptionEvent", {"Message": sentence}))

    def hang_up(self, now_us: int) -> None:
        """End the connection in good order, unasked."""
        self._now_us = now_us
        self.outgoing.holding = False
        self.outgoing.event(Parameter("ConnectionCloseEvent", {}))
        self._closed()

    @property
    def due_us(self) -> int | None:
        """When `tick` is to be called next."""
        moments = [moment for moment in (self._keepalive_us, self.rospecs.due_us) if moment is not None]
        return min(moments, default=None)

    def tick(self, now_us: int) -> None:
        """Let happen what is due."""
        self._now_us = max(now_us, self._now_us)
        self.rospecs.tick(now_us)
        while self._keepalive_us is not None and self._keepalive_us <= now_us:
            if self.keepalives_missed >= _MISSED_MAX:
                self._keepalive_us = None
                self.hang_up(now_us)
                return
            self.keepalives_missed += 1
            self.outgoing.send("KEEPALIVE", [])
            self._keepalive_us = self._next_keepalive(self._keepalive_us)

    # What ROSpecs do (rospecs.Outlet)

    def rospec_event(self, kind: int, rospec: int, preempting: int) -> None:
        """A ROSpec started (0), ended (1) or was preempted (2)."""
        if self.settings.wants(Event.ROSPEC):
            fields = {"Event": kind, "ROSpecID": rospec, "PreemptingROSpecID": preempting}
            self._tell(Parameter("ROSpecEvent", dict(fields)))

    def spec_event(self, rospec: int, spec_index: int) -> None:
        """An AISpec ended."""
        if self.settings.wants(Event.AISPEC) or self.settings.wants(Event.AISPEC_DETAILS):
            fields = {"Event": 0, "ROSpecID": rospec, "SpecIndex": spec_index}
            self._tell(Parameter("AISpecEvent", dict(fields)))

    def loop_event(self, rospec: int, loops: int) -> None:
        """A ROSpec begins its specs again."""
        if self.settings.wants(Event.LOOP):
            self._tell(Parameter("SpecLoopEvent", {"ROSpecID": rospec, "LoopCount": loops}))

    def report(self, tags: list[Parameter], *, keep: bool) -> None:
        """Tag reports are ready; `keep`: until the client asks."""
        if self.connected or self.settings.holds:
            self.outgoing.tags(tags, keep=keep)

    def default_report(self) -> Parameter:
        """The ROReportSpec of a ROSpec that has none."""
        return self.settings.report

    def contents(self, spec: Parameter) -> Contents:
        """How a report of this ROReportSpec is written."""
        return Contents(Selection.of(spec), self.kind.utc, self._said if self.kind.terse else None)

    def offset_us(self) -> int:
        """From the clock that comes in to the reader's own."""
        return self.clock_offset_us

    # Within

    def _speaks(self, request: Message) -> bool:
        if request.name in ("GET_SUPPORTED_VERSION", "SET_PROTOCOL_VERSION") and not self._negotiated:
            return request.version == 2 <= self.kind.version
        return request.version == self.version

    def _hop(self, channel: int) -> None:
        if channel != self._channel and self.kind.hops and self.settings.wants(Event.HOPPING):
            table = min(self.kind.hop_tables)
            self._tell(Parameter("HoppingEvent", {"HopTableID": table, "NextChannelIndex": channel}))
        self._channel = channel

    def _stamp(self) -> Parameter:
        name = "UTCTimestamp" if self.kind.utc else "Uptime"
        return Parameter(name, {"Microseconds": self._now_us + self.clock_offset_us})

    def _tell(self, event: Parameter) -> None:
        if self.connected or self.settings.holds:
            self.outgoing.event(event)

    def _write_out(self, message: Message) -> None:
        if self.connected:
            message.version = self.version
            self._write(message)

    def _next_keepalive(self, after_us: int) -> int | None:
        interval_ms = self.settings.keepalive_ms
        return after_us + interval_ms * 1_000 if self.connected and interval_ms else None

    # The acts of a client

    def _get_version(self, _: Message) -> list[Parameter]:
        return [success()]

    def _set_version(self, request: Message) -> list[Parameter]:
        wanted = number_in(request, "TargetVersion")
        if self._negotiated:
            raise Refused("the version was agreed before", Code.M_UNEXPECTED_MESSAGE)
        if not 1 <= wanted <= self.kind.version:
            raise Refused(f"version {wanted} is not spoken here", Code.M_UNSUPPORTED_VERSION)
        self.version, self._negotiated = wanted, True
        return [success()]

    def _get_capabilities(self, request: Message) -> list[Parameter]:
        wanted = number_in(request, "ReaderCapabilitiesRequestedData")
        if wanted > _CAPABILITIES_MAX:
            raise Refused.of_field(
                0, f"RequestedData is {wanted}, expected 0 to {_CAPABILITIES_MAX}", Code.A_OUT_OF_RANGE
            )
        return [success(), *capabilities(self.kind, wanted)]

    def _get_config(self, request: Message) -> list[Parameter]:
        return [success(), *self.settings.get(request)]

    def _set_config(self, request: Message) -> list[Parameter]:
        for parameter in request.parameters:
            self._check_vendor(parameter)
        for port, level in self.settings.set(request):
            self._wrote(port, level)
        self._keepalive_us = self._next_keepalive(self._now_us)
        self.keepalives_missed = 0
        return [success()]

    def _check_vendor(self, parameter: Parameter) -> None:
        if parameter.name == "Custom" or (parameter.name.startswith("Impinj") and not self.extended):
            raise Place(parameter).refuse(Code.P_UNKNOWN_PARAMETER, f"{parameter.name} is not known here")

    def _add_rospec(self, request: Message) -> list[Parameter]:
        rospec = request.first("ROSpec")
        if rospec is None:
            missing = Place(Parameter("ROSpec", {}))
            raise missing.refuse(Code.P_MISSING_PARAMETER, "ADD_ROSPEC came without ROSpec")
        place = Place(rospec)
        check_rospec(self.kind, place, extended=self.extended)
        self.rospecs.add(place, self._now_us)
        self.settings.changes += 1
        return [success()]

    def _change_rospec(self, request: Message) -> list[Parameter]:
        number = number_in(request, "ROSpecID")
        act = request.name.removesuffix("_ROSPEC").lower()
        getattr(self.rospecs, act)(number, self._now_us)
        self.settings.changes += act == "delete"
        return [success()]

    def _get_rospecs(self, _: Message) -> list[Parameter]:
        return [success(), *(rospec.parameter() for rospec in self.rospecs)]

    def _add_access(self, _: Message) -> list[Parameter]:
        raise Refused(
            "this reader only takes inventory: it does no access to tags", Code.M_UNSUPPORTED_MESSAGE
        )

    def _change_access(self, request: Message) -> list[Parameter]:
        number = number_in(request, "AccessSpecID")
        if number != 0:
            raise Refused.of_field(0, f"there is no AccessSpec {number}")
        return [success()]

    def _get_access(self, _: Message) -> list[Parameter]:
        return [success()]

    def _get_report(self, _: Message) -> None:
        self.rospecs.ask_report(self._now_us)
        if not self.outgoing.drain(events=False):
            self.outgoing.send("RO_ACCESS_REPORT", [])

    def _enable_events(self, request: Message) -> None:
        if not self.kind.holds:
            self.complain(request.id, "this reader holds nothing back", Code.M_UNSUPPORTED_MESSAGE)
            return
        self.outgoing.holding = False
        self.outgoing.drain(events=True)

    def _acknowledge(self, _: Message) -> None:
        self.keepalives_missed = 0

    def _close(self, _: Message) -> list[Parameter]:
        return [success()]

    def _extend(self, request: Message) -> list[Parameter] | None:
        if not self.kind.impinj:
            self.complain(request.id, f"{request.name} is another vendor's", Code.M_UNSUPPORTED_MESSAGE)
            return None
        self.extended = True
        return [success()]

    def _ignore(self, _: Message) -> None:
        """Nothing is said to an ERROR_MESSAGE, and nothing was asked of the client."""

    _ACTS: ClassVar[Mapping[str, Callable[[Device, Message], list[Parameter] | None]]] = {
        "GET_SUPPORTED_VERSION": _get_version,
        "SET_PROTOCOL_VERSION": _set_version,
        "GET_READER_CAPABILITIES": _get_capabilities,
        "GET_READER_CONFIG": _get_config,
        "SET_READER_CONFIG": _set_config,
        "ADD_ROSPEC": _add_rospec,
        "DELETE_ROSPEC": _change_rospec,
        "START_ROSPEC": _change_rospec,
        "STOP_ROSPEC": _change_rospec,
        "ENABLE_ROSPEC": _change_rospec,
        "DISABLE_ROSPEC": _change_rospec,
        "GET_ROSPECS": _get_rospecs,
        "ADD_ACCESSSPEC": _add_access,
        "DELETE_ACCESSSPEC": _change_access,
        "ENABLE_ACCESSSPEC": _change_access,
        "DISABLE_ACCESSSPEC": _change_access,
        "GET_ACCESSSPECS": _get_access,
        "GET_REPORT": _get_report,
        "ENABLE_EVENTS_AND_REPORTS": _enable_events,
        "KEEPALIVE_ACK": _acknowledge,
        "CLOSE_CONNECTION": _close,
        "IMPINJ_ENABLE_EXTENSIONS": _extend,
        "IMPINJ_SAVE_SETTINGS": _extend,
        "ERROR_MESSAGE": _ignore,
        "CLIENT_REQUEST_OP_RESPONSE": _ignore,
    }


def connection_attempt(status: int, stamp: Parameter) -> Parameter:
    """The ReaderEventNotificationData that says how an attempt to connect went."""
    event = Parameter("ConnectionAttemptEvent", {"Event": status})
    return Parameter("ReaderEventNotificationData", {}, [stamp, event])
