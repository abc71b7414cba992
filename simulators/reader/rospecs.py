# SPDX-License-Identifier: Apache-2.0
"""The life of ROSpecs: disabled, inactive, active; what starts them, what ends them, what they report.

One is active at a time; where the reader knows priorities, a more urgent one preempts it. An immediate start
trigger fires when its ROSpec is enabled, once. Pure: microseconds come in. Source: LLRP 1.1, sections 6,
11.1, 11.2 and 14.2.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol

from drivers.llrp.messages import Parameter
from simulators.reader.kinds import ReaderKind
from simulators.reader.refusals import Code, Place, Refused
from simulators.reader.reports import Report
from simulators.reader.sightings import Contents, Frame, Sighting

__all__ = ["Outlet", "RoSpec", "RoSpecs", "State"]

_IMMEDIATE, _PERIODIC, _GPI = 1, 2, 3
_STOP_DURATION, _STOP_GPI = 1, 2
_SPEC_TAGS: Final = 3
_ATTEMPT_US: Final = 100_000
"""How long one attempt to see all tags takes here; the standard leaves it to the reader."""

_STARTED, _ENDED, _PREEMPTED = 0, 1, 2


class State(IntEnum):
    """CurrentState of a ROSpec."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class Outlet(Protocol):
    """Where the ROSpecs' doings go."""

    def rospec_event(self, kind: int, rospec: int, preempting: int) -> None:
        """A ROSpec started (0), ended (1) or was preempted (2)."""
        ...

    def spec_event(self, rospec: int, spec_index: int) -> None:
        """An AISpec ended."""
        ...

    def loop_event(self, rospec: int, loops: int) -> None:
        """A ROSpec begins its specs again."""
        ...

    def report(self, tags: list[Parameter], *, keep: bool) -> None:
        """Tag reports are ready; `keep`: until the client asks."""
        ...

    def default_report(self) -> Parameter:
        """The ROReportSpec of a ROSpec that has none."""
        ...

    def contents(self, spec: Parameter) -> Contents:
        """How a report of this ROReportSpec is written."""
        ...

    def offset_us(self) -> int:
        """From the clock that comes in to the reader's own."""
        ...


@dataclass(slots=True)
class RoSpec:
    """One ROSpec and when it starts next by itself."""

    place: Place
    state: State = State.DISABLED
    due_us: int | None = None

    @property
    def number(self) -> int:
        """Its ROSpecID."""
        return self.place["ROSpecID"]

    @property
    def specs(self) -> list[Place]:
        """Its AISpecs, in order."""
        return list(self.place.every("AISpec"))

    def start(self) -> Place:
        """Its start trigger."""
        return self.place.need("ROBoundarySpec").need("ROSpecStartTrigger")

    def stop(self) -> Place:
        """Its stop trigger."""
        return self.place.need("ROBoundarySpec").need("ROSpecStopTrigger")

    def parameter(self) -> Parameter:
        """As GET_ROSPECS tells it, with its state of now."""
        told = self.place.parameter
        return Parameter(told.name, {**told.fields, "ROSpecCurrentState": int(self.state)}, told.parameters)


@dataclass(slots=True)
class _Run:
    """A ROSpec at work: which of its specs, since when, and what it saw."""

    rospec: RoSpec
    report: Report
    stop_us: int | None
    index: int = 0
    loops: int = 0
    begun_us: int = 0
    fresh_us: int = 0
    observed: int = 0
    epcs: set[bytes] = field(default_factory=set)

    @property
    def spec(self) -> Place:
        return self.rospec.specs[self.index]

    def taking(self, sighting: Sighting) -> int | None:
        """Which of its specs takes the tag: the one at work, if that looks there and lets the tag answer."""
        specs = self.rospec.specs
        places = range(len(specs)) if sighting.paced else (self.index,)
        return next((place for place in places if _takes(specs[place], sighting)), None)


class RoSpecs:
    """All ROSpecs of a reader."""

    def __init__(self, kind: ReaderKind, outlet: Outlet) -> None:
        self._kind = kind
        self._outlet = outlet
        self._all: dict[int, RoSpec] = {}
        self._run: _Run | None = None

    def __iter__(self) -> Iterator[RoSpec]:
        return iter(self._all.values())

    @property
    def active(self) -> RoSpec | None:
        """The one that is at work."""
        return self._run.rospec if self._run else None

    def add(self, place: Place, now_us: int) -> None:
        """Take a ROSpec that was checked. Raises Refused for a number in use, or one too many."""
        if place["ROSpecID"] in self._all:
            raise place.refuse_field("ROSpecID", "a number that is not in use", Code.A_INVALID)
        if len(self._all) >= self._kind.rospecs_max:
            sentence = f"{self._kind.rospecs_max} ROSpecs are here already, expected no more"
            raise place.refuse(Code.P_OVERFLOW_PARAMETER, sentence)
        rospec = RoSpec(place)
        if rospec.start()["Trigger"] == _PERIODIC:
            rospec.due_us = self._first_start(rospec.start().need("PeriodicTriggerValue"), now_us)
        self._all[rospec.number] = rospec

    def delete(self, number: int, now_us: int) -> None:
        """Forget one, or all for 0. Raises Refused."""
        for rospec in self._named(number):
            self._leave(rospec, now_us)
            del self._all[rospec.number]

    def enable(self, number: int, now_us: int) -> None:
        """Make one, or all for 0, wait for their start. Raises Refused."""
        for rospec in self._named(number):
            if rospec.state is not State.DISABLED:
                if number:
                    raise Refused.of_field(0, f"ROSpec {number} is enabled already")
                continue
            rospec.state = State.INACTIVE
            _skip_starts(rospec, now_us)
            if rospec.start()["Trigger"] == _IMMEDIATE:
                self._try_start(rospec, now_us)

    def disable(self, number: int, now_us: int) -> None:
        """Make one, or all for 0, deaf to their triggers. Raises Refused."""
        for rospec in self._named(number):
            self._leave(rospec, now_us)
            rospec.state = State.DISABLED

    def start(self, number: int, now_us: int) -> None:
        """START_ROSPEC. Raises Refused unless it is inactive and nothing as urgent is at work."""
        (rospec,) = self._named(number) if number else self._none()
        if rospec.state is not State.INACTIVE:
            raise Refused.of_field(0, f"ROSpec {number} is {rospec.state.name.lower()}, expected inactive")
        if not self._try_start(rospec, now_us):
            busy = self._run.rospec.number if self._run else 0
            raise Refused(f"ROSpec {busy} is active: the radio is busy", Code.R_DEVICE_ERROR)

    def stop(self, number: int, now_us: int) -> None:
        """STOP_ROSPEC. Raises Refused unless it is active."""
        (rospec,) = self._named(number) if number else self._none()
        if rospec.state is not State.ACTIVE:
            raise Refused.of_field(0, f"ROSpec {number} is {rospec.state.name.lower()}, expected active")
        self._finish(now_us)

    def input_changed(self, port: int, high: bool, now_us: int) -> None:
        """An input that is enabled has moved: stop, end or start what waits for it."""
        run = self._run
        if run is not None and _fires(run.rospec.stop(), _STOP_GPI, port, high):
            self._finish(now_us)
        elif run is not None and _fires(run.spec.need("AISpecStopTrigger"), _STOP_GPI, port, high):
            self._end_spec(now_us)
        for rospec in list(self):
            if rospec.state is State.INACTIVE and _fires(rospec.start(), _GPI, port, high):
                self._try_start(rospec, now_us)

    def see(self, sighting: Sighting, at_us: int) -> bool:
        """A tag answered; whether the active ROSpec works that antenna."""
        run = self._run
        place = None if run is None else run.taking(sighting)
        if run is None or place is None:
            return False
        inventory = run.rospec.specs[place].need("InventoryParameterSpec")
        frame = Frame(run.rospec.number, place + 1, inventory["InventoryParameterSpecID"])
        if run.report.take(sighting, frame, at_us):
            self._send(run, at_us)
        self._observe(run, sighting, at_us)
        return True

    def ask_report(self, now_us: int) -> None:
        """Put what the active ROSpec has noted among what is held: somebody asked for it."""
        if self._run is not None:
            self._outlet.report(self._run.report.flush(now_us, self._outlet.offset_us()), keep=True)

    @property
    def due_us(self) -> int | None:
        """When something happens by itself next."""
        moments = [moment for _, moment in self._moments()]
        return min(moments, default=None)

    def tick(self, now_us: int) -> None:
        """Let happen what is due, each at its own moment."""
        while (due := min(self._moments(), key=lambda one: one[1], default=None)) and due[1] <= now_us:
            what, at_us = due
            if isinstance(what, RoSpec):
                self._start_by_clock(what, at_us)
            elif what == "report" and self._run is not None:
                self._send(self._run, at_us)
            elif what == "spec":
                self._end_spec(at_us)
            else:
                self._finish(at_us)

    def _moments(self) -> Iterator[tuple[RoSpec | str, int]]:
        for rospec in self:
            if rospec.due_us is not None and rospec.state is not State.DISABLED:
                yield rospec, rospec.due_us
        if self._run is None:
            return
        for what, at_us in (
            ("report", self._run.report.due_us),
            ("spec", _spec_due(self._run)),
            ("rospec", self._run.stop_us),
        ):
            if at_us is not None:
                yield what, at_us

    def _named(self, number: int) -> list[RoSpec]:
        if number == 0:
            return list(self)
        if number not in self._all:
            raise Refused.of_field(0, f"there is no ROSpec {number}")
        return [self._all[number]]

    def _none(self) -> list[RoSpec]:
        raise Refused.of_field(0, "ROSpecID is 0, expected one ROSpec")

    def _first_start(self, periodic: Place, now_us: int) -> int:
        moment = periodic.first("UTCTimestamp")
        first = now_us if moment is None else moment["Microseconds"] - self._outlet.offset_us()
        return first + periodic["Offset"] * 1_000

    def _start_by_clock(self, rospec: RoSpec, at_us: int) -> None:
        period_us = rospec.start().need("PeriodicTriggerValue")["Period"] * 1_000
        rospec.due_us = at_us + period_us if period_us else None
        if rospec.state is State.INACTIVE:
            self._try_start(rospec, at_us)

    def _try_start(self, rospec: RoSpec, now_us: int) -> bool:
        """Start, preempting what is less urgent; False when what is at work is not."""
        if self._run is not None:
            urgent = rospec.place["Priority"] < self._run.rospec.place["Priority"]
            if not (urgent and self._kind.priorities > 1):
                return False
            self._finish(now_us, _PREEMPTED, rospec.number)
        stop = rospec.stop()
        waits_ms = stop["DurationTriggerValue"] if stop["Trigger"] == _STOP_DURATION else 0
        if stop["Trigger"] == _STOP_GPI:
            waits_ms = stop.need("GPITriggerValue")["Timeout"]
        own = rospec.place.first("ROReportSpec")
        spec = own.parameter if own else self._outlet.default_report()
        rospec.state = State.ACTIVE
        self._run = _Run(
            rospec,
            Report(spec, self._outlet.contents(spec), now_us),
            now_us + waits_ms * 1_000 if waits_ms else None,
        )
        self._outlet.rospec_event(_STARTED, rospec.number, 0)
        self._begin_spec(self._run, 0, now_us)
        return True

    def _begin_spec(self, run: _Run, index: int, now_us: int) -> None:
        run.index = index
        run.begun_us = run.fresh_us = now_us
        run.observed = 0
        run.epcs.clear()

    def _observe(self, run: _Run, sighting: Sighting, at_us: int) -> None:
        """Count for an AISpec that ends by what it sees."""
        stop = run.spec.need("AISpecStopTrigger")
        if stop["Trigger"] != _SPEC_TAGS:
            return
        trigger = stop.need("TagObservationTrigger")
        fresh = sighting.epc not in run.epcs
        run.epcs.add(sighting.epc)
        run.observed += 1
        if fresh or trigger["Trigger"] == 1:
            run.fresh_us = at_us
        seen = {0: run.observed, 3: len(run.epcs)}.get(trigger["Trigger"])
        if seen is not None and seen >= trigger["NumberOfTags"]:
            self._end_spec(at_us)

    def _end_spec(self, now_us: int) -> None:
        """The spec at work is done: the next one, another loop, or the end of the ROSpec."""
        run = self._run
        assert run is not None, "a spec ends while its ROSpec is at work"
        if run.index + 1 < len(run.rospec.specs):
            self._close_spec(run, now_us)
            self._begin_spec(run, run.index + 1, now_us)
            return
        loop = run.rospec.place.first("LoopSpec")
        if loop is None or run.loops == loop["LoopCount"] != 0:
            self._finish(now_us)
            return
        self._close_spec(run, now_us)
        run.loops += 1
        self._outlet.loop_event(run.rospec.number, run.loops)
        self._begin_spec(run, 0, now_us)

    def _close_spec(self, run: _Run, now_us: int) -> None:
        if run.report.at_spec_end:
            self._send(run, now_us)
        self._outlet.spec_event(run.rospec.number, run.index + 1)

    def _leave(self, rospec: RoSpec, now_us: int) -> None:
        if self.active is rospec:
            self._finish(now_us)

    def _finish(self, now_us: int, how: int = _ENDED, preempting: int = 0) -> None:
        """End the ROSpec at work: its last report before the events that say so (14.2.6.1)."""
        run, self._run = self._run, None
        assert run is not None, "something is at work"
        self._send(run, now_us)
        self._outlet.spec_event(run.rospec.number, run.index + 1)
        run.rospec.state = State.INACTIVE
        self._outlet.rospec_event(how, run.rospec.number, preempting)

    def _send(self, run: _Run, now_us: int) -> None:
        tags = run.report.flush(now_us, self._outlet.offset_us())
        if tags:
            self._outlet.report(tags, keep=run.report.asked_for)


def _fires(trigger: Place, by_input: int, port: int, high: bool) -> bool:
    value = trigger.first("GPITriggerValue")
    return (
        trigger["Trigger"] == by_input
        and value is not None
        and value["Port"] == port
        and bool(value["Event"]) == high
    )


def _skip_starts(rospec: RoSpec, now_us: int) -> None:
    """Starts that were due while it was disabled are lost; its period goes on."""
    if rospec.due_us is not None and rospec.due_us < now_us:
        period_us = rospec.start().need("PeriodicTriggerValue")["Period"] * 1_000
        missed = -(-(now_us - rospec.due_us) // period_us) if period_us else 0
        rospec.due_us = rospec.due_us + missed * period_us if period_us else None


def _spec_due(run: _Run) -> int | None:
    """When the spec at work ends by time."""
    stop = run.spec.need("AISpecStopTrigger")
    if stop["Trigger"] == _STOP_DURATION:
        return run.begun_us + stop["DurationTriggerValue"] * 1_000
    if stop["Trigger"] == _STOP_GPI:
        timeout = stop.need("GPITriggerValue")["Timeout"]
        return run.begun_us + timeout * 1_000 if timeout else None
    if stop["Trigger"] != _SPEC_TAGS:
        return None
    trigger = stop.need("TagObservationTrigger")
    moments = [run.begun_us + trigger["Timeout"] * 1_000] if trigger["Timeout"] else []
    if trigger["Trigger"] in (1, 4):
        moments.append(run.fresh_us + trigger["T"] * 1_000)
    if trigger["Trigger"] == 2:
        moments.append(run.begun_us + trigger["NumberOfAttempts"] * _ATTEMPT_US)
    return min(moments, default=None)


def _takes(spec: Place, sighting: Sighting) -> bool:
    """Whether an AISpec looks by that antenna, and its filters let the tag answer."""
    antennas = spec.parameter.fields["AntennaIDs"]
    assert isinstance(antennas, list), "checked when it was added"
    looks = 0 in antennas or sighting.antenna in antennas
    return looks and _passes(spec.need("InventoryParameterSpec"), sighting)


def _passes(inventory: Place, sighting: Sighting) -> bool:
    """Whether the filters on the EPC bank let the tag answer (16.2.1.2.1.1); the last word holds."""
    chosen = True
    for antenna in inventory.every("AntennaConfiguration"):
        if antenna["AntennaID"] not in (0, sighting.antenna):
            continue
        for command in antenna.every("C1G2InventoryCommand"):
            for number, one in enumerate(command.every("C1G2Filter")):
                chosen = _chosen(one, sighting, chosen, first=number == 0)
    return chosen


def _chosen(one: Place, sighting: Sighting, before: bool, *, first: bool) -> bool:
    mask = one.need("C1G2TagInventoryMask")
    action = one.first("C1G2TagInventoryStateUnawareFilterAction")
    matches = _matches(mask, sighting)
    # Matching and others: select (True), unselect (False), leave alone (None).
    says = _ACTIONS[action["FilterAction"] if action else 0][0 if matches else 1]
    if says is not None:
        return says
    # What the first filter leaves alone is in the round only where it does not itself select.
    return before if not first else action is None or action["FilterAction"] in (2, 3)


_ACTIONS: Final[tuple[tuple[bool | None, bool | None], ...]] = (
    (True, False),
    (True, None),
    (None, False),
    (False, None),
    (False, True),
    (None, True),
)


def _matches(mask: Place, sighting: Sighting) -> bool:
    """Whether the mask's bits stand at their place of the EPC bank: CRC, PC, EPC. Other banks: unknown."""
    pattern, length = mask.parameter.fields["TagMask"], mask["TagMaskNumBits"]
    assert isinstance(pattern, bytes), "TagMask is bits"
    if length == 0:
        return True
    if mask["MemoryBank"] != 1:
        return False
    bank = sighting.crc.to_bytes(2, "big") + sighting.control.to_bytes(2, "big") + sighting.epc
    begin = mask["MostSignificantBit"]
    if begin + length > len(bank) * 8:
        return False
    stored = int.from_bytes(bank, "big") >> (len(bank) * 8 - begin - length) & (1 << length) - 1
    return stored == int.from_bytes(pattern, "big") >> (len(pattern) * 8 - length)
