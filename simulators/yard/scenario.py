# SPDX-License-Identifier: Apache-2.0
"""The three scripts: `day` the calm story, `rush` three doors of two docks back to back, `trouble` the story
with faults.

A script, a seed and a date give always the same papers, steps and truth. Example Zone 999; rates and
limits of its papers are examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import count
from random import Random
from typing import Final

from simulators.yard.labels import sscc
from simulators.yard.papers import (
    BEARING,
    BRACKET,
    HOUSING,
    KIT,
    MOTOR,
    PUMP,
    SCRAP,
    TOOL,
    Item,
    Line,
    Pallet,
    Papers,
    Truck,
)
from simulators.yard.story import Step, Story, Until, damaged
from simulators.yard.works import cut

SCRIPTS: Final = ("day", "rush", "trouble")
INBOUND: Final = "d1"
OUTBOUND: Final = "d2"
OTHER: Final = "d3"
"""A second outbound door, of another dock: `rush` plays there too."""

RUSH_TRUCKS: Final = 4
RUSH_LOADS: Final = 32
_CUT_ROUND: Final = 2
_FLOOD_SCANS: Final = 120
_NO_READ: Final = b"NOREAD"
_STRANGER: Final = "0614141"
"""GS1's own example company: a pallet that nobody announced."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script ready to be played."""

    script: str
    seed: int
    today: date
    papers: Papers
    steps: tuple[Step, ...]
    gates: tuple[str, ...] = ()
    """Doors with an RFID gate and a camera that the script uses."""

    @property
    def doors(self) -> tuple[str, ...]:
        """The doors it plays at."""
        return (INBOUND, OUTBOUND, OTHER) if self.script == "rush" else (INBOUND, OUTBOUND)

    @property
    def real_s(self) -> float:
        """What the slower door's people need at real pace, in seconds."""
        return max(sum(step.pause_s for step in self.steps if step.door == door) for door in self.doors)


def build(script: str, seed: int, today: date, *, gate: bool = False) -> Scenario:
    """The script `script`, one of SCRIPTS, as chance `seed` has it in the week of `today`.

    With `gate` part of the day's last truck is loaded through an RFID gate; the papers are the same.
    """
    if script not in SCRIPTS:
        raise ValueError(f"script {script!r}, expected one of {', '.join(SCRIPTS)}")
    chance = Random(f"{script}:{seed}")
    yard = _Yard(today, chance)
    story = Story(yard.papers, chance)
    if script == "rush":
        _rush(story, yard, chance)
    else:
        _day(story, yard, chance, faults=script == "trouble", gate=gate and script == "day")
    driven = any(step.act in ("drive", "show") for step in story.steps)
    return Scenario(script, seed, today, yard.papers, tuple(story.steps), (OUTBOUND,) if driven else ())


class _Yard:
    """Hands out numbers: SSCCs, permits, trucks."""

    def __init__(self, today: date, chance: Random) -> None:
        self.papers = Papers(today)
        self.week = self.papers.week
        self._serials = count(1)
        self._seals = count(chance.randrange(100_000, 900_000))
        self._truck_numbers = count(1)

    def pallet(self, item: Item, quantity: int = 0) -> Pallet:
        return Pallet(item, quantity or item.per_pallet, self._lot(item), sscc(next(self._serials)))

    def pallets(self, item: Item, number: int) -> list[Pallet]:
        return [self.pallet(item) for _ in range(number)]

    def box(self, item: Item, quantity: int) -> Pallet:
        return Pallet(item, quantity, self._lot(item) + "B")

    def line(self, prefix: str, kind: str, item: Item, quantity: int) -> Line:
        direction = "in" if kind == "admission" else "out"
        line = Line(f"{prefix}-{self.week}-{item.name}", "1", kind, item, quantity, direction)
        self.papers.lines.append(line)
        return line

    def truck(self, door: str, lines: list[Line], loads: list[Pallet]) -> Truck:
        number = next(self._truck_numbers)
        inbound = door == INBOUND
        truck = Truck(
            job=f"{'IN' if inbound else 'OUT'}-{self.week}-{number:02d}",
            conveyance=f"TRL-{1000 + number}",
            carrier="Example Carrier",
            door=door,
            direction="in" if inbound else "out",
            seals=(f"EX{next(self._seals)}",) if inbound else (),
            lines=tuple(lines),
            loads=tuple(loads),
        )
        self.papers.trucks.append(truck)
        return truck

    def stranger(self, chance: Random) -> str:
        return sscc(chance.randrange(1, 1_000_000), _STRANGER)

    def _lot(self, item: Item) -> str:
        return f"{item.name[:4]}{self.week}"


def _day(story: Story, yard: _Yard, chance: Random, *, faults: bool, gate: bool) -> None:
    """A week's goods in one day: two trucks in, two trucks out, and every event of the story once."""
    tools, brackets = yard.pallets(TOOL, 20), yard.pallets(BRACKET, 4)
    rest = yard.pallet(BRACKET, 100)
    kits, motors = yard.pallets(KIT, 2), yard.pallets(MOTOR, 2)
    chance.shuffle(tools)
    tools_in = yard.line("214", "admission", TOOL, 2_500)
    brackets_in = yard.line("214", "admission", BRACKET, 1_250)
    factory = None if faults else _Factory(yard)
    motors_in = yard.line("214", "admission", MOTOR, 80) if factory is None else factory.motors_in
    tools_06 = yard.line("06", "weekly-entry", TOOL, 1_250)
    tools_export = yard.line("7512", "export", TOOL, 1_250)
    # Three pallets of 250 leave 100: the fourth straddles the limit, one of 100 exhausts it.
    brackets_06 = yard.line("06", "weekly-entry", BRACKET, 850)

    first = yard.truck(
        INBOUND, [tools_in, brackets_in, motors_in], [*tools[:10], *brackets[:3], kits[0], *motors]
    )
    second = yard.truck(INBOUND, [tools_in, brackets_in], [*tools[10:], brackets[3], rest, kits[1]])
    third = yard.truck(OUTBOUND, [tools_06, brackets_06], [*tools[:8], *brackets[:2], kits[0]])
    fourth = yard.truck(OUTBOUND, [tools_export, brackets_06], [*tools[10:16], brackets[2]])
    if factory:
        factory.plan()
    faulty = _Faults(story) if faults else None

    _first_truck(story, yard, chance, first)
    if faulty:
        faulty.before_noon()
    story.next_phase()
    _short_truck(story, yard, chance, second, missing=tools[19], faulty=faulty)
    _weekly_truck(story, chance, third, stranded=motors[0], faulty=faulty)
    if faulty:
        faulty.afternoon()
    story.next_phase()
    if factory:
        factory.unload(story, chance)
        factory.make(story)
    _limit_truck(
        story,
        fourth,
        straddling=brackets[3],
        rest=rest,
        gone=tools[0],
        faulty=faulty,
        stranded=motors[1] if gate else None,
    )
    if factory:
        factory.load(story, chance)


class _Factory:
    """The week's pumps: parts come by two trucks, are made into pumps by twenty work orders, and leave: to
    the United States with the scrap, to Germany, and to Canada.
    """

    def __init__(self, yard: _Yard) -> None:
        self._yard = yard
        motors, bearings = yard.pallets(MOTOR, 25), yard.pallets(BEARING, 4)
        housings, kits = yard.pallets(HOUSING, 17), yard.pallets(KIT, 2)
        self._parts = [*motors, *bearings, *housings, *kits]
        self._pumps = yard.pallets(PUMP, 40)
        self._bin = yard.pallet(SCRAP)
        # Two more pallets of motors come that no pump takes: they stay in the zone.
        self.motors_in = yard.line("214", "admission", MOTOR, 1_080)

    def plan(self) -> None:
        """Its trucks and permits."""
        yard, parts = self._yard, self._parts
        lines = [
            self.motors_in,
            yard.line("214", "admission", BEARING, 2_000),
            yard.line("214", "admission", HOUSING, 1_020),
        ]
        half = len(parts) // 2
        self._arriving = [yard.truck(INBOUND, lines, loads) for loads in (parts[:half], parts[half:])]
        home = [yard.line("06", "weekly-entry", PUMP, 750), yard.line("06", "weekly-entry", SCRAP, 20)]
        abroad = [yard.line("7512", "export", PUMP, 200), yard.line("08", "weekly-entry", PUMP, 50)]
        pumps = self._pumps
        self._leaving = [
            yard.truck(OUTBOUND, home, [*pumps[:30], self._bin]),
            yard.truck(OUTBOUND, abroad[:1], pumps[30:38]),
            yard.truck(OUTBOUND, abroad[1:], pumps[38:]),
        ]

    def unload(self, story: Story, chance: Random) -> None:
        """The parts come in."""
        for truck in self._arriving:
            story.open(truck)
            for pallet in _shuffled(truck.loads, chance):
                story.moves(INBOUND, pallet)
            story.close(INBOUND)

    def make(self, story: Story) -> None:
        """The pumps are made, while others go on at the outbound door."""
        day = self._yard.papers.today.isoformat()
        for order in cut(self._yard.week, day, self._parts, self._pumps, self._bin):
            story.makes(INBOUND, order)

    def load(self, story: Story, chance: Random) -> None:
        """The pumps and the scrap leave."""
        story.next_phase()
        made = tuple(pallet.sscc for pallet in (*self._pumps, self._bin))
        story.waits(OUTBOUND, "the dock knows what was made", Until(made))
        for truck in self._leaving:
            story.open(truck)
            for pallet in _shuffled(truck.loads, chance):
                story.moves(OUTBOUND, pallet)
            story.close(OUTBOUND)


def _first_truck(story: Story, yard: _Yard, chance: Random, truck: Truck) -> None:
    """Admissions; a scan twice, a label not read, a pallet nobody announced, one before the truck is open."""
    loads = _shuffled(truck.loads, chance)
    early = story.holds(INBOUND, "no-job", loads[0].sscc.encode(), loads[0].sscc)
    story.open(truck)
    story.moves(INBOUND, loads[0], clears=early)
    twice, unread, after = sorted(chance.sample(range(1, len(loads)), 3))
    for place, pallet in enumerate(loads[1:], start=1):
        hold = story.holds(INBOUND, "no-read", _NO_READ, "NOREAD") if place == unread else None
        story.moves(INBOUND, pallet, clears=hold)
        if place == twice:
            story.again(INBOUND, pallet)
        if place == after:
            stranger = yard.stranger(chance)
            story.holds(INBOUND, "unknown-load", stranger.encode(), stranger)
    story.close(INBOUND)


def _short_truck(
    story: Story, yard: _Yard, chance: Random, truck: Truck, missing: Pallet, faulty: _Faults | None
) -> None:
    """One pallet of the notice never comes. A wrong check digit, an undo, labels without an SSCC."""
    loads = _shuffled([pallet for pallet in truck.loads if pallet is not missing], chance)
    last = loads.pop()
    misread, undone = sorted(chance.sample(range(len(loads)), 2))
    story.open(truck)
    for place, pallet in enumerate(loads):
        hold = None
        if place == misread:
            wrong = damaged(pallet, chance.randrange(4, 17))
            hold = story.holds(INBOUND, "unreadable", wrong.encode(), wrong)
        story.moves(INBOUND, pallet, clears=hold)
        if place == undone:
            story.undoes(INBOUND, pallet)
            story.moves(INBOUND, pallet)
    if faulty:
        faulty.scanner(INBOUND, loads[-1])
    story.moves(INBOUND, last, insist=faulty is not None)
    # The trigger sends this label twice at once: one box came.
    story.moves(INBOUND, yard.box(BRACKET, 150), times=2)
    story.counts_by_hand(INBOUND, yard.box(TOOL, 50))
    story.close(INBOUND)


def _weekly_truck(
    story: Story, chance: Random, truck: Truck, stranded: Pallet, faulty: _Faults | None
) -> None:
    """Withdrawals on two permit lines and domestic goods; a pallet that is on no permit of this truck."""
    loads = _shuffled(truck.loads, chance)
    early = story.holds(OUTBOUND, "no-job", loads[3].sscc.encode(), loads[3].sscc)
    story.open(truck)
    stop, undone = sorted(chance.sample(range(len(loads)), 2))
    for place, pallet in enumerate(loads):
        manner = "split" if faulty and place % 3 == 1 else "whole"
        story.moves(OUTBOUND, pallet, clears=early if place == 3 else None, manner=manner)
        if place == stop:
            story.stops(OUTBOUND, "not-on-permit", stranded)
        if place == undone:
            story.undoes(OUTBOUND, pallet)
            story.moves(OUTBOUND, pallet)
    story.again(OUTBOUND, loads[-1])
    story.close(OUTBOUND)


def _limit_truck(
    story: Story,
    truck: Truck,
    *,
    straddling: Pallet,
    rest: Pallet,
    gone: Pallet,
    faulty: _Faults | None,
    stranded: Pallet | None,
) -> None:
    """The weekly line runs out under the pallets: one straddles, a smaller one exhausts, one is refused.

    Where there is a gate, `stranded` is what is stopped there.
    """
    loads = list(truck.loads)
    story.open(truck)
    if faulty:
        faulty.in_flight(OUTBOUND, loads.pop(0))
    if stranded is not None:
        _through_the_gate(story, loads[:4], stranded)
        loads = loads[4:]
    for pallet in loads:
        story.moves(OUTBOUND, pallet)
    story.stops(OUTBOUND, "straddles-limit", straddling, left=100)
    story.moves(OUTBOUND, rest)
    story.stops(OUTBOUND, "permit-exhausted", straddling, left=0)
    # An old label on a pallet that is used again.
    story.stops(OUTBOUND, "already-withdrawn", gone)
    story.close(OUTBOUND)


def _through_the_gate(story: Story, loads: list[Pallet], stranded: Pallet) -> None:
    """Two pallets cross by their tags, one of them after it was turned round; a third one's tags are dead; a
    forklift comes back empty; one that is on no permit is stopped; and a label is shown to the camera.
    """
    first, second, dead, shown = loads
    story.drives(OUTBOUND, first)
    story.drives_empty(OUTBOUND)
    story.is_stopped(OUTBOUND, "not-on-permit", stranded)
    story.drives_back(OUTBOUND, second)
    story.drives(OUTBOUND, second)
    hold = story.drives_unread(OUTBOUND, dead)
    story.moves(OUTBOUND, dead, clears=hold)
    story.shows(OUTBOUND, shown)


class _Faults:
    """What `trouble` adds to the day."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def before_noon(self) -> None:
        self._story.call("kill-node", "the dock's computer loses power and starts again")
        self._story.call("stop-center", "the center cannot be reached")

    def afternoon(self) -> None:
        self._story.call("start-center", "the center is back")
        self._story.call("kill-broker", "the broker dies and starts again")

    def scanner(self, door: str, counted: Pallet) -> None:
        """A cable pulled; a trigger that sticks on a counted pallet: the surplus is dropped."""
        self._story.unplugs(door)
        self._story.again(door, counted, insist=True)
        self._story.floods(door, counted, _FLOOD_SCANS)

    def in_flight(self, door: str, pallet: Pallet) -> None:
        """The power goes with a scan in flight: whether it was entered or not, the pallet counts once."""
        self._story.moves(door, pallet, looks=False)
        self._story.call("kill-node", "the power goes again, with a scan on its way")
        self._story.moves(door, pallet, insist=True)


def _rush(story: Story, yard: _Yard, chance: Random) -> None:
    """Trucks in and out at once, back to back: what came with one truck leaves while the next is unloaded,
    half of it at each outbound door. The two docks share the permits; one is off the network for a while.
    """
    loads = RUSH_TRUCKS * RUSH_LOADS
    lines_in = [yard.line("214", "admission", item, loads * item.per_pallet) for item in (TOOL, BRACKET)]
    lines_out = [yard.line("06", "weekly-entry", item, loads * item.per_pallet) for item in (TOOL, BRACKET)]
    freight = [
        [yard.pallet(chance.choice((TOOL, TOOL, BRACKET))) for _ in range(RUSH_LOADS)]
        for _ in range(RUSH_TRUCKS)
    ]
    tight = _Tight(yard)
    half = RUSH_LOADS // 2
    arriving = [yard.truck(INBOUND, lines_in, pallets) for pallets in freight[:-1]]
    arriving.append(yard.truck(INBOUND, lines_in, [*freight[-1], *tight.pallets]))
    leaving = [
        (yard.truck(OUTBOUND, lines_out, pallets[:half]), yard.truck(OTHER, lines_out, pallets[half:]))
        for pallets in freight
    ]
    tight.plan(yard)
    for number in range(RUSH_TRUCKS + 1):
        for truck in leaving[number - 1] if number > 0 else ():
            story.open(truck)
            story.ready_to_load(truck.door)
        if number == _CUT_ROUND:
            story.call("cut-node", "the second dock loses the network")
        if number < RUSH_TRUCKS:
            story.open(arriving[number])
            _rush_truck(story, arriving[number], chance)
        for truck in leaving[number - 1] if number > 0 else ():
            _rush_truck(story, truck, chance)
        if number == _CUT_ROUND:
            story.call("join-node", "the second dock is on the network again")
        story.next_phase()
    tight.play(story)


class _Tight:
    """A permit of two pallets that both docks want: lent to the one, come to the other, used up."""

    def __init__(self, yard: _Yard) -> None:
        self.pallets = yard.pallets(TOOL, 4)
        self._line = yard.line("7512", "export", TOOL, 2 * TOOL.per_pallet)

    def plan(self, yard: _Yard) -> None:
        """The trucks: one at the first dock, two at the second."""
        taken, left_behind, flown, refused = self.pallets
        self._first = yard.truck(OUTBOUND, [self._line], [taken, left_behind])
        self._second = yard.truck(OTHER, [self._line], [flown])
        self._third = yard.truck(OTHER, [self._line], [refused])

    def play(self, story: Story) -> None:
        """Every wait is for what a dock knows, so that it comes out the same whoever is quicker."""
        line = str(self._line)
        taken, _, flown, refused = self.pallets
        story.open(self._first)
        story.ready_to_load(OUTBOUND)
        story.next_phase()
        story.open(self._second)
        story.waits(OTHER, "the load is here", Until(loads=(flown.sscc,)))
        story.waits(OTHER, "the first dock has it all", Until(lent=(line, True)))
        story.stops(OTHER, "leased-elsewhere", flown, left=0)
        story.next_phase()
        story.moves(OUTBOUND, taken)
        story.close(OUTBOUND)
        story.ready_to_load(OTHER)
        story.moves(OTHER, flown)
        story.close(OTHER)
        story.next_phase()
        story.open(self._third)
        story.waits(OTHER, "the load is here", Until(loads=(refused.sscc,)))
        story.waits(OTHER, "the permit is used up", Until(lent=(line, False)))
        story.stops(OTHER, "permit-exhausted", refused, left=0)
        story.close(OTHER)


def _rush_truck(story: Story, truck: Truck, chance: Random) -> None:
    for pallet in _shuffled(truck.loads, chance):
        hold = None
        luck = chance.random()
        if luck < 0.04:
            hold = story.holds(truck.door, "no-read", _NO_READ, "NOREAD")
        elif luck < 0.08:
            wrong = damaged(pallet, chance.randrange(4, 17))
            hold = story.holds(truck.door, "unreadable", wrong.encode(), wrong)
        story.moves(truck.door, pallet, clears=hold)
        if luck > 0.96:
            story.again(truck.door, pallet)
        elif luck > 0.94:
            story.undoes(truck.door, pallet)
            story.moves(truck.door, pallet)
    story.close(truck.door)


def _shuffled(pallets: tuple[Pallet, ...] | list[Pallet], chance: Random) -> list[Pallet]:
    return chance.sample(pallets, len(pallets))
