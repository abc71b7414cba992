# SPDX-License-Identifier: Apache-2.0
"""A reader at work: antennas in turn, channels hopped, inventory rounds with slots, sessions and their flags.

On each antenna it selects the labels of whole pallets and the tags of trucks, then it hears everybody.

A round is played by its singulations: each takes one good slot and its share of empty and collided ones. Both
targets are read in turn (dual target), so that a tag is told again and again while it has power. Not modeled:
capture of the stronger of two colliding tags, tags that miss a round's first query, errors in received EPCs
(a reader drops them by their CRC).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from random import Random

from simulators.yard.radio.air import Field
from simulators.yard.radio.bodies import Pallet, Tag
from simulators.yard.radio.parameters import AIR, PROTOCOL
from simulators.yard.radio.scene import LOOK_S, Hall, Heard, Reach, Still, View, closes
from simulators.yard.radio.site import Antenna

_MOVING_S = 0.03
_DISTURBED_S = 0.1
"""A link budget is taken again after this time where the tag, or something near the antenna, moves."""
_HEARD_S = 0.25
"""How long another reader's power counts as being there still."""
_PHASE_STEPS = 4096


_Known = tuple[int, int, str, float, tuple[float, float] | None]
"""What a pallet's link budgets hold for: port, channel, pallet, what is between, where it rests."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One singulation as a reader tells it. `at_us` is true time; `rssi_cdbm` hundredths of a dBm, `phase`
    1/4096 of a turn, `channel` counts from 1. Phase is None with readers that do not tell it.
    """

    at_us: int
    reader: str
    antenna: int
    epc: bytes
    pc: int
    rssi_cdbm: int
    channel: int
    phase: int | None


class Inventory:
    """One reader. `step` plays one round and moves its clock on."""

    def __init__(
        self,
        name: str,
        hall: Hall,
        fields: dict[tuple[str, int], Field],
        chance: Random,
        from_s: float,
    ) -> None:
        self.name = name
        self.now_s = from_s
        self._hall = hall
        self._fields = fields
        self._antennas = [antenna for antenna in hall.site.antennas if antenna.reader == name]
        self._chance = chance
        self._place = 0
        self._power = 0
        self._channel = chance.randrange(AIR.channels)
        self._hop_s = from_s + AIR.hop_s
        self._selects = True
        self._dwell_end = from_s + PROTOCOL.pallets_s
        self._target_b = False
        self._idle_rounds = 0
        self._noise_db = [chance.expovariate(1 / AIR.noise_db) for _ in range(AIR.channels)]
        self._stall_s = from_s + chance.expovariate(1 / PROTOCOL.stall_every_s)
        self._round_s = PROTOCOL.round_s
        self._reach: dict[int, Reach] = {}
        self._still: dict[_Known, list[Still]] = {}
        self._known: dict[_Known, tuple[float, bool, list[Heard]]] = {}

    @property
    def _antenna(self) -> Antenna:
        return self._antennas[self._place]

    def step(self) -> Iterator[Observation]:
        """One inventory round, and what follows it: the other target, the next antenna, the next channel."""
        end_s = min(self._dwell_end, self._hop_s)
        start_s = self.now_s
        self.now_s += PROTOCOL.round_s
        found = 0
        view = View(self._hall, self._air(), self._channel, self.now_s)
        began_s = self.now_s
        for pallet, tag, between_db, heard in self._answering(view):
            self.now_s += self._slot_s()
            if self.now_s > end_s:
                break
            found += 1
            budget = heard
            if pallet.path.moves(self.now_s):
                if self.now_s - began_s > _MOVING_S:
                    began_s = self.now_s
                    view = View(self._hall, self._air(), self._channel, self.now_s)
                budget = view.hear(pallet, tag, self.now_s, between_db)
            if self._gets(tag, budget):
                self._flag(tag)
                yield self._told(tag, budget)
        # A round counts as long as the one before it took: how long it takes shows only at its end.
        self._round_s = min(self.now_s - start_s, PROTOCOL.dwell_s)
        self._after(found)

    def _air(self) -> Field:
        return self._fields[self._antenna.reader, self._antenna.port]

    def _answering(self, view: View) -> list[tuple[Pallet, Tag, float, Heard]]:
        """Tags with power whose flag is the target's, in the order of their slots."""
        port = self._antenna.port
        reach = self._reach.get(port)
        if reach is None or self.now_s - reach.at_s > LOOK_S:
            reach = self._reach[port] = Reach(self._hall, self._air(), self.now_s)
        answering = []
        for pallet, between_db in reach.pallets:
            if not pallet.comes_s <= self.now_s < pallet.goes_s:
                continue
            for tag, heard in zip(pallet.tags, self._budgets(view, pallet, between_db), strict=True):
                if not tag.alive or heard.chip_dbm < tag.needs_dbm:
                    continue
                tag.heard[self.name] = (self.now_s, heard.chip_dbm)
                if pallet.crossings and closes(tag, heard):
                    self._light(pallet, tag)
                if self._selects and tag.epc[0] not in PROTOCOL.selected:
                    continue
                if self._is_b(tag) == self._target_b:
                    answering.append((pallet, tag, between_db, heard))
        self._chance.shuffle(answering)
        return answering

    def _budgets(self, view: View, pallet: Pallet, between_db: float) -> list[Heard]:
        """The link budgets of a pallet's tags; what rests in a quiet hall is computed once a channel."""
        moves = pallet.path.moves(self.now_s)
        at = None if moves else pallet.path.at(self.now_s)
        key = (self._antenna.port, self._channel, pallet.name, between_db, at)
        known = self._known.get(key)
        if known is not None:
            at_s, quiet, budgets = known
            if self.now_s - at_s < (_MOVING_S if moves else _DISTURBED_S) or (
                quiet and view.quiet and not moves
            ):
                return budgets
        if moves:
            budgets = [view.hear(pallet, tag, self.now_s, between_db) for tag in pallet.tags]
        else:
            still = self._still.get(key)
            if still is None:
                still = [view.still(pallet, tag, self.now_s, between_db) for tag in pallet.tags]
                self._still[key] = still
            budgets = [view.now(pallet, tag, field) for tag, field in zip(pallet.tags, still, strict=True)]
        self._known[key] = (self.now_s, view.quiet and not moves, budgets)
        return budgets

    def _light(self, pallet: Pallet, tag: Tag) -> None:
        """For the truth: that the tag could be read as it went through."""
        for crossing in pallet.crossings:
            if crossing.door == self._antenna.door and crossing.from_s <= self.now_s <= crossing.until_s:
                crossing.lit[tag.epc] = crossing.lit.get(tag.epc, 0.0) + self._round_s

    def _slot_s(self) -> float:
        chance, air = self._chance, PROTOCOL
        empty = air.empty_s * chance.expovariate(1 / air.empties)
        return air.singulation_s + empty + air.collision_s * chance.expovariate(1 / air.collisions)

    def _gets(self, tag: Tag, heard: Heard) -> bool:
        """Whether the reply is understood."""
        if heard.chip_dbm < tag.needs_dbm:
            return False
        for reader, (at_s, chip_dbm) in tag.heard.items():
            if (
                reader != self.name
                and self.now_s - at_s < _HEARD_S
                and chip_dbm > heard.chip_dbm - PROTOCOL.jam_db
                and self._chance.random() < PROTOCOL.jam_chance
            ):
                return False
        over = (heard.reply_dbm - AIR.reader_dbm - self._noise_db[self._channel]) / AIR.decode_width_db
        return over > 10 or self._chance.random() < 1 / (1 + exp(-max(over, -50.0)))

    def _is_b(self, tag: Tag) -> bool:
        if PROTOCOL.session == 0:
            return tag.flag_power == (self._power, self.name)
        return self.now_s < tag.flag_until

    def _flag(self, tag: Tag) -> None:
        if PROTOCOL.session == 0:
            tag.flag_power = None if self._target_b else (self._power, self.name)
        else:
            tag.flag_until = -1.0 if self._target_b else self.now_s + tag.persists_s

    def _told(self, tag: Tag, heard: Heard) -> Observation:
        chance = self._chance
        rssi = (heard.reply_dbm + chance.gauss(0.0, AIR.rssi_noise_db)) * 100
        phase = None
        step = 100
        if self._hall.site.tells_phase:
            step = AIR.rssi_step_cdb
            # Half a turn is ambiguous: the reader's loop locks either way.
            turn = heard.phase + chance.gauss(0.0, AIR.phase_noise_turn) + chance.choice((0.0, 0.5))
            phase = int(turn % 1.0 * _PHASE_STEPS) % _PHASE_STEPS
        return Observation(
            at_us=int(self.now_s * 1e6),
            reader=self.name,
            antenna=self._antenna.port,
            epc=tag.epc,
            pc=tag.pc,
            rssi_cdbm=round(rssi / step) * step,
            channel=self._channel + 1,
            phase=phase,
        )

    def _after(self, found: int) -> None:
        """The next round's target; when nobody is left, or the time is up, another antenna or channel."""
        if self.now_s >= self._stall_s:
            self.now_s += self._chance.uniform(*PROTOCOL.stall_s)
            self._stall_s = self.now_s + self._chance.expovariate(1 / PROTOCOL.stall_every_s)
        self._target_b = not self._target_b
        self._idle_rounds = 0 if found else self._idle_rounds + 1
        if self.now_s >= self._hop_s:
            self._channel = self._chance.randrange(AIR.channels)
            self._hop_s = self.now_s + AIR.hop_s
            self._switch()
        if self.now_s >= self._dwell_end or self._idle_rounds > 1:
            self._selects = not self._selects
            if self._selects:
                self._place = (self._place + 1) % len(self._antennas)
            self._dwell_end = self.now_s + (PROTOCOL.pallets_s if self._selects else PROTOCOL.dwell_s)
            self._switch()

    def _switch(self) -> None:
        """The field goes down for a moment: S0 flags are lost."""
        self.now_s += PROTOCOL.switch_s
        self._power += 1
        self._target_b = False
        self._idle_rounds = 0
