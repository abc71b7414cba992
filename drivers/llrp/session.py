# SPDX-License-Identifier: Apache-2.0
"""One connection to a reader, from its greeting to its end, as a state machine. Pure: messages and the time
go in, messages and findings come out. Opens nothing, waits for nothing, and sees no tag: reports go past it.

Times are microseconds of this machine's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from drivers.errors import LinkLost, Retryable
from drivers.llrp.capabilities import text, whole
from drivers.llrp.clock import ReaderClock
from drivers.llrp.commissioning import Commission, Script, Unanswered, commission, gpo
from drivers.llrp.messages import Message, Parameter
from drivers.llrp.pins import Inputs, Outputs
from drivers.llrp.refusals import Refusal, refusal_in, success
from drivers.llrp.rospec import ROSPEC_ID
from drivers.llrp.settings import ReaderSettings
from drivers.read import InputChange

__all__ = [
    "MISSED_MAX",
    "ReaderFault",
    "Session",
    "TurnsFault",
    "jump_sentence",
    "no_greeting",
    "refused_greeting",
]

MISSED_MAX: Final = 3
"""Keepalives in a row that may fail to come: one may be lost in a switch that starts anew, three are not."""

_ANSWERED_BY: Final = {
    "GET_READER_CAPABILITIES",
    "GET_READER_CONFIG",
    "SET_READER_CONFIG",
    "GET_SUPPORTED_VERSION",
    "SET_PROTOCOL_VERSION",
    "IMPINJ_ENABLE_EXTENSIONS",
    "DELETE_ACCESSSPEC",
    "DELETE_ROSPEC",
    "ADD_ROSPEC",
    "ENABLE_ROSPEC",
    "START_ROSPEC",
    "GET_ROSPECS",
    "CLOSE_CONNECTION",
}

_ACTIVE: Final = 2  # CurrentState of a ROSpec: 0 disabled, 1 inactive, 2 active
_ERRANDS_MAX: Final = 8
_FIRST_PROBE_US: Final = 2_000_000
_STOOD_MAX: Final = 3
_OUTBOX_MAX: Final = 64
_ATTEMPT_WORDS: Final = {
    1: "the reader has a connection of its own making: switch its reader-initiated connection off",
    2: "another program is connected to this reader, which takes only one: end that program (after a broken "
    "line it may be our own former connection; then the reader lets go by itself)",
    3: "the reader does not take the connection and does not say why: restart it",
}


class ReaderFault(Retryable):
    """The reader answers, but not so that it can be used; the text says why and what to do."""


class TurnsFault(ReaderFault):
    """The reader took an inventory with pallets first and does not go on with it; all at once it may."""


@dataclass(slots=True)
class _Errand:
    """A request under way beside the script: its name, and which outputs it sets."""

    name: str
    due_us: int
    ports: tuple[int, ...] = ()


@dataclass(slots=True)
class Findings:
    """What came out since it was last asked: edges of inputs that count, and sentences worth telling once."""

    inputs: list[InputChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Session:
    """Drives one connection. `faults` are what is wrong with the reader now, a word and a sentence each.

    All methods that take the time may raise ReaderFault or LinkLost, after which the connection is of no use.
    """

    def __init__(
        self,
        settings: ReaderSettings,
        clock: ReaderClock,
        inputs: Inputs,
        outputs: Outputs,
        now_us: int,
        *,
        negotiate: bool = True,
    ) -> None:
        self.found = Commission()
        self.faults: dict[str, str] = {}
        self.ready = False
        self._negotiate = negotiate
        self._settings = settings
        self._clock = clock
        self._inputs = inputs
        self._outputs = outputs
        self._findings = Findings()
        self._outbox: list[Message] = []
        self._script: Script | None = None
        self._asked: Message | None = None  # by the script
        self._asked_due_us = now_us + _us(settings.answer_s)
        self._errands: dict[int, _Errand] = {}
        self._unsaid: set[int] = set()  # outputs that changed while too many errands were under way
        self._unanswered: set[int] = set()  # ids of what is asked without an answer being due
        self._last_id = 0
        self._heard_us = now_us
        self._reported_us = now_us
        self._probe_us: int | None = None
        self._ended = False  # the reader said that the inventory ended
        self._restarted = False
        self._stood = 0  # probes in a row that found an inventory in turns at rest
        self._quiet = False  # for so long that it was told

    # -- what goes in -----------------------------------------------------------------------------

    def take(self, message: Message, now_us: int) -> None:
        """A message of the reader's arrived."""
        self._heard_us = now_us
        if message.name == "KEEPALIVE":
            self._send(Message("KEEPALIVE_ACK", message.id, version=self.found.version))
        elif message.name == "READER_EVENT_NOTIFICATION":
            for data in message.every("ReaderEventNotificationData"):
                self._take_event(data, now_us)
        # A reader numbers what it says by itself as it likes, so the name has to fit as well.
        elif self._asked is not None and _answers(message, self._asked.id, self._asked.name):
            self._take_answer(message, now_us)
        elif (errand := self._errands.get(message.id)) and _answers(message, message.id, errand.name):
            self._end_errand(self._errands.pop(message.id), message, now_us)
        elif message.name == "ERROR_MESSAGE" and message.id not in self._unanswered:
            self._findings.notes.append(str(refusal_in("a message", message)))

    def reported(self, now_us: int) -> None:
        """A report of tags arrived."""
        self._heard_us = self._reported_us = now_us
        self._restarted = False
        if self.found.plan is not None and self.found.plan.restarts:
            self._stood = 0  # one that should go on by itself may have been started by us
        if self._quiet:
            self._quiet = False
            self._findings.notes.append("tags are read again")

    def tick(self, now_us: int) -> None:
        """Do what is due; called at `deadline_us`, and after everything that waited has been taken in."""
        self.tick_pins(now_us)
        if self._asked_due_us <= now_us:
            self._take_silence(now_us)
        for number in [number for number, errand in self._errands.items() if errand.due_us <= now_us]:
            self._forget(self._errands.pop(number))
        if self.overdue(now_us):
            seconds = (now_us - self._heard_us) / 1e6
            raise LinkLost(
                f"the reader has been silent for {seconds:.0f} s and missed {MISSED_MAX} keepalives"
            )
        if self._probe_us is not None and self._probe_us <= now_us:
            self._probe(now_us)

    def tick_pins(self, now_us: int) -> None:
        """As `tick`, for inputs and outputs alone; also while what waited is still being taken in."""
        self._findings.inputs += self._inputs.tick(now_us)
        self._watch_flaps()
        self.show(self._outputs.tick(now_us), now_us)

    def has_read(self, at_us: int) -> bool:
        """A tag was read at `at_us`, in a report that is being taken in; whether an input counts by that."""
        changes = self._inputs.rested(at_us)
        self._findings.inputs += changes
        return bool(changes)

    def show(self, ports: list[int], now_us: int) -> None:
        """Bring these outputs to the reader, as soon as it can take them."""
        if not ports or not self.found.outputs_open:
            return  # all of them go out when it can
        if len(self._errands) >= _ERRANDS_MAX:
            self._unsaid.update(ports)  # only the last level matters
            return
        levels = self._outputs.levels
        wanted = {port: levels[port] for port in ports}
        self._run_errand(gpo(wanted), now_us, tuple(wanted))

    def overdue(self, now_us: int) -> bool:
        """Whether the reader would be given up for dead by now."""
        return self.found.keeps_alive and now_us >= self._dead_us

    # -- what comes out ---------------------------------------------------------------------------

    @property
    def deadline_us(self) -> int:
        """When `tick` is due at the latest."""
        moments = [self._inputs.deadline_us, self._outputs.deadline_us, self._probe_us]
        moments += [errand.due_us for errand in self._errands.values()]
        moments.append(self._asked_due_us if self._asked_due_us < _NEVER else None)
        moments.append(self._dead_us if self.found.keeps_alive else None)
        return min((moment for moment in moments if moment is not None), default=_NEVER)

    @property
    def asks_version(self) -> bool:
        """Whether the reader has been asked for its version and has not answered yet."""
        return self._asked is not None and self._asked.name == "GET_SUPPORTED_VERSION"

    def outgoing(self) -> list[Message]:
        """What is to be sent, in order; empties the list."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def findings(self) -> Findings:
        """What was found since the last call."""
        findings, self._findings = self._findings, Findings()
        return findings

    def farewell(self) -> list[Message]:
        """The last words: outputs to their safe levels, then the end of the connection."""
        safe = self._outputs.safe
        words = [gpo(safe)] if safe and self.found.outputs_open else []
        words.append(Message("CLOSE_CONNECTION"))
        return [self._number(word) for word in words]

    def sentence(self) -> str:
        """The reader, and how it is set up, for a person."""
        return f"{self.found.can}; {self.found.plan}" if self.found.plan else str(self.found.can)

    # -- the script -------------------------------------------------------------------------------

    def _begin(self, now_us: int) -> None:
        self._script = commission(self.found, self._settings, negotiate=self._negotiate)
        self._advance(None, now_us)

    def _advance(self, answer: Message | Exception | None, now_us: int) -> None:
        """Go on with the script until it waits for an answer or is at its end."""
        assert self._script is not None
        was_open = self.found.outputs_open
        try:
            while True:
                if isinstance(answer, Exception):
                    message = self._script.throw(answer)
                else:
                    message = self._script.send(answer)  # type: ignore[arg-type]
                if self.found.outputs_open and not was_open:
                    was_open = True
                    self._outputs.tick(now_us)  # while there was no connection nobody let levels end
                    self.show(list(self._outputs.ports), now_us)
                # At once: an edge that comes while the script goes on is newer.
                for port, high in sorted(self.found.levels.items()):
                    self._findings.inputs += self._inputs.edge(port, high, now_us, now_us)
                self.found.levels = {}
                message = self._number(message)
                self._send(message)
                if message.name in _ANSWERED_BY:
                    self._asked = message
                    self._asked_due_us = now_us + _us(self._settings.answer_s)
                    return
                self._unanswered.add(message.id)
                answer = Message(message.name)
        except StopIteration:
            self._end_script(now_us)
        except (Refusal, Unanswered) as error:
            raise ReaderFault(str(error)) from error

    def _end_script(self, now_us: int) -> None:
        self._asked, self._asked_due_us = None, _NEVER
        self.ready = True
        assert self.found.plan is not None
        self.faults.update(self.found.lacks)
        for word in _MINOR:
            if word in self.faults:
                self._findings.notes.append(self.faults.pop(word))
        for number, doubt in enumerate(self.found.plan.doubts):
            self.faults[f"doubt-{number}"] = doubt
        for antenna in self.found.plan.antennas:
            # A reader that says of every antenna that it is not there cannot tell.
            if any(self.found.now.connected.values()) and self.found.now.connected.get(antenna) is False:
                self._lose_antenna(antenna)
        self._reported_us = now_us
        self._probe_us = now_us + min(_FIRST_PROBE_US, _us(self._settings.probe_s))

    def _take_answer(self, message: Message, now_us: int) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None
        self._advance(message if success(message) else refusal_in(asked.name, message), now_us)

    def _take_silence(self, now_us: int) -> None:
        seconds = f"{self._settings.answer_s:g} s"
        if self._script is None:
            raise ReaderFault(no_greeting(self._settings.answer_s))
        asked, self._asked = self._asked, None
        assert asked is not None
        self._unanswered.add(asked.id)  # should it come late
        self._advance(Unanswered(f"the reader did not answer {asked.name} within {seconds}"), now_us)

    # -- errands ----------------------------------------------------------------------------------

    def _run_errand(self, message: Message, now_us: int, ports: tuple[int, ...] = ()) -> None:
        message = self._number(message)
        self._errands[message.id] = _Errand(message.name, now_us + _us(self._settings.answer_s), ports)
        self._send(message)

    def _end_errand(self, errand: _Errand, answer: Message, now_us: int) -> None:
        if errand.name == "GET_ROSPECS":
            self._judge_probe(answer, now_us)
        elif errand.name == "START_ROSPEC" and not success(answer):
            raise ReaderFault(f"connected, no events: {refusal_in('START_ROSPEC', answer)}")
        for port in errand.ports:
            if success(answer):
                self.faults.pop(f"output-{port}", None)
            else:
                self.faults[f"output-{port}"] = f"output {port}: {refusal_in(errand.name, answer)}"
        if self._unsaid:
            ports, self._unsaid = sorted(self._unsaid), set()
            self.show(ports, now_us)

    def _forget(self, errand: _Errand) -> None:
        seconds = f"{self._settings.answer_s:g} s"
        if errand.name in ("GET_ROSPECS", "START_ROSPEC"):
            raise ReaderFault(f"the reader did not answer {errand.name} within {seconds}")
        for port in errand.ports:
            self.faults[f"output-{port}"] = f"output {port}: the reader did not answer within {seconds}"

    # -- is it alive, does it read ----------------------------------------------------------------

    @property
    def _dead_us(self) -> int:
        return self._heard_us + MISSED_MAX * _us(self._settings.keepalive_s) + _us(1.0)

    def _probe(self, now_us: int) -> None:
        """While nothing is reported, ask whether the inventory runs: a reader may be connected and idle."""
        every_us = _us(self._settings.probe_s if self.found.keeps_alive else self._settings.keepalive_s)
        self._probe_us = now_us + every_us
        # A lamp that may show what is no longer so is set until the reader takes it.
        self.show([port for port in self._outputs.ports if f"output-{port}" in self.faults], now_us)
        ended, self._ended = self._ended, False
        quiet_us = now_us - self._reported_us
        if quiet_us >= _us(self._settings.quiet_s) and not self._quiet:
            self._quiet = True
            minutes = quiet_us / 60e6
            self._findings.notes.append(
                f"connected and its inventory runs, but no tag was read for {minutes:.0f} min"
            )
        if ended or not self.found.keeps_alive or quiet_us >= min(every_us, _FIRST_PROBE_US):
            self._run_errand(Message("GET_ROSPECS"), now_us)

    def _judge_probe(self, answer: Message, now_us: int) -> None:
        if not success(answer):
            return  # it answers: that is life, and all it is willing to say
        ours = next((spec for spec in answer.every("ROSpec") if whole(spec, "ROSpecID") == ROSPEC_ID), None)
        if ours is None:
            raise ReaderFault(
                "connected, no events: our inventory is gone from the reader; setting it up again"
            )
        if whole(ours, "ROSpecCurrentState") == _ACTIVE:
            self._restarted = False
            self._stood = 0
            return
        turns = self.found.plan.turns if self.found.plan else None
        if turns is not None:
            self._stood += 1
            if self._stood >= _STOOD_MAX or self._restarted:
                raise TurnsFault(
                    "connected, no events: the reader took an inventory with pallets first and does not go "
                    "on with it; setting it up to hear everybody at once"
                )
            if turns.every_ms is not None:
                # It rests between two runs; some periods and a third later it does not.
                self._probe_us = now_us + _us(turns.every_ms * 13 / 3000)
                return
        if self._restarted:
            raise ReaderFault(
                "connected, no events: the reader's inventory does not run; setting it up again"
            )
        self._restarted = True
        self._findings.notes.append("connected, no events: the reader's inventory stands still; starting it")
        self._run_errand(Message("START_ROSPEC", 0, {"ROSpecID": ROSPEC_ID}), now_us)
        self._probe_us = now_us + _FIRST_PROBE_US

    # -- events -----------------------------------------------------------------------------------

    def _take_event(self, data: Parameter, now_us: int) -> None:
        stamp = data.first("UTCTimestamp") or data.first("Uptime")
        stamp_us = whole(stamp, "Microseconds") if stamp is not None else None
        for event in data.parameters:
            match event.name:
                case "ConnectionAttemptEvent":
                    self._take_greeting(whole(event, "Event"), stamp_us, now_us)
                case "ConnectionCloseEvent":
                    raise LinkLost("the reader ended the connection; somebody may have told it to")
                case "GPIEvent":
                    at_us = self._clock.place(stamp_us, now_us) if stamp_us is not None else now_us
                    high = bool(event.fields.get("Event"))
                    self._findings.inputs += self._inputs.edge(whole(event, "Port"), high, at_us, now_us)
                    self._watch_flaps()
                case "AntennaEvent":
                    self._take_antenna(whole(event, "AntennaID"), whole(event, "Event") == 1)
                case "ROSpecEvent":
                    ours = whole(event, "ROSpecID") == ROSPEC_ID and whole(event, "Event") != 0
                    if ours and self.ready and not (self.found.plan and self.found.plan.restarts):
                        # It ended or was preempted, though nothing was to end it.
                        self._ended, self._probe_us = True, now_us
                case "ReportBufferLevelWarningEvent":
                    self._findings.notes.append(
                        f"the reader's buffer is {whole(event, 'PercentFull')} % full: reads may be lost soon"
                    )
                case "ReportBufferOverflowErrorEvent":
                    self._findings.notes.append("the reader's buffer overflowed: reads were lost")
                case "ReaderExceptionEvent":
                    self._findings.notes.append(f'the reader says: "{text(event, "Message")}"')
                case _:
                    pass

    def _take_greeting(self, status: int, stamp_us: int | None, now_us: int) -> None:
        if self._script is not None:
            if status == 4:
                self._findings.notes.append("another program tried to connect to this reader and was refused")
            return
        if status != 0:
            raise ReaderFault(refused_greeting(status))
        if stamp_us is not None:
            jumps = self._clock.jumps
            self._clock.greet(stamp_us, now_us)
            if self._clock.jumps > jumps:
                self._findings.notes.append(jump_sentence(self._clock.jump_us))
        self._begin(now_us)

    def _take_antenna(self, antenna: int, connected: bool) -> None:
        if self.found.plan is not None and antenna not in self.found.plan.antennas:
            return
        if connected:
            self.faults.pop(f"antenna-{antenna}", None)
        elif antenna <= 255:
            self._lose_antenna(antenna)

    def _lose_antenna(self, antenna: int) -> None:
        self.faults[f"antenna-{antenna}"] = f"antenna {antenna} is not connected: check its cable and plugs"

    def _watch_flaps(self) -> None:
        for port in self._settings.inputs:
            if port in self._inputs.flapping:
                self.faults[f"input-{port}"] = f"input {port} flaps: check the eye's plug and alignment"
            else:
                self.faults.pop(f"input-{port}", None)

    # -- sending ----------------------------------------------------------------------------------

    def _number(self, message: Message) -> Message:
        self._last_id = self._last_id % 0xFFFFFFFF + 1
        message.id = self._last_id
        message.version = max(message.version, self.found.version)
        return message

    def _send(self, message: Message) -> None:
        if len(self._outbox) >= _OUTBOX_MAX:
            raise ReaderFault(f"{_OUTBOX_MAX} messages wait to be sent: the reader sends and does not listen")
        self._outbox.append(message)


def no_greeting(within_s: float) -> str:
    """What to tell when nothing came after connecting."""
    return f"connected, but no greeting came within {within_s:g} s: is this the port of an LLRP reader?"


def refused_greeting(status: int) -> str:
    """What to tell of a ConnectionAttemptEvent that is no success (LLRP 1.0.1 section 13.2.6.11)."""
    return _ATTEMPT_WORDS.get(status, f"the reader refused the connection (status {status})")


def jump_sentence(jump_us: int) -> str:
    """What to tell of a jump of the reader's clock."""
    way = "ahead" if jump_us > 0 else "back"
    return f"the reader's clock was put {way} by {abs(jump_us) / 1e6:.1f} s; its reads are placed by ours"


def _answers(message: Message, number: int, asked: str) -> bool:
    return message.id == number and message.name in (f"{asked}_RESPONSE", "ERROR_MESSAGE")


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


_NEVER: Final = 2**62
_MINOR: Final = ("present", "prompt", "debounce", "extensions", "hold", "turns")
"""What a reader may lack and still do all that a gate needs."""
