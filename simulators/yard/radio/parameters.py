# SPDX-License-Identifier: Apache-2.0
"""Every number of the model, with its unit and where it comes from.

Sources in square brackets: [FCC] 47 CFR 15.247; [Gen2] the EPC Gen2 air interface; [Friis], [radar] physics;
[R6] the Monza R6 data sheet (read sensitivity up to -22.1 dBm with a dipole; Monza 4: -19.5 dBm); [Griffin06]
Griffin, Durgin, Haldi, Kippelen, "RF tag antenna performance on various materials using radio link budgets"
(cardboard to aluminum; more than 20 dB both ways); [Griffin09] "Complete link budgets for backscatter-radio
and RFID systems"; [36.814] 3GPP TR 36.814, the parabolic antenna pattern; [dock] dock builders' planning
guides (doors 9 by 10 feet on 12-foot centers); [FLTA] the Fork Lift Truck Association's advice (3 mph in
racking, 5 mph in aisles, 10 mph in the yard). [ours] is an assumption of ours that nothing published backs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LIGHT_M_S: Final = 299_792_458.0


@dataclass(frozen=True, slots=True)
class Air:
    """The radio link."""

    channels: int = 50
    """[FCC] hopping channels of 500 kHz from 902.75 MHz on."""
    first_mhz: float = 902.75
    step_mhz: float = 0.5
    hop_s: float = 0.2
    """[FCC] allows 0.4 s on a channel; readers commonly take half of it [ours]."""
    power_dbm: float = 27.0
    """At the antenna's socket. [FCC] allows 30; installers turn it down until strays vanish [ours]."""
    antenna_dbi: float = 6.0
    """[FCC] without giving up power: a 9 dBic patch towards a linear tag, polarization loss taken off."""
    beam_deg: float = 70.0
    """Half-power width of the patch, as data sheets of portal antennas give it [ours]."""
    back_db: float = 18.0
    """[36.814] the least gain below the beam's: front to back [ours]."""
    tag_dbi: float = 2.0
    """[physics] a half-wave dipole, with its doughnut pattern."""
    tag_null_db: float = 15.0
    """How deep the doughnut's hole is: bent labels have no true null [ours]."""
    chip_dbm: float = -18.0
    """What an applied label needs: between [R6] and older chips, 1 to 3 dB lost in the inlay [ours]."""
    chip_spread_db: float = 1.5
    """Standard deviation from tag to tag [ours]."""
    modulation_db: float = 6.0
    """[Griffin09] backscatter: what the reply loses in modulation."""
    reader_dbm: float = -80.0
    """A fixed reader's sensitivity in a dense mode: sheets say -82 to -92 [ours]."""
    decode_width_db: float = 1.0
    """Replies this far above the sensitivity are decoded in 73 of 100 cases: a logistic curve [ours]."""
    break_m: float = 4.0
    exponent_far: float = 2.6
    """[Friis] to the break point, then this exponent [ours: halls are given 2 to 3]."""
    rice_db: float = 5.0
    rice_trailer_db: float = 2.0
    """Direct to scattered power in the hall and in a trailer's metal box [ours: indoor figures are 3 to
    12]."""
    waves: int = 8
    """Plane waves whose sum is the scattered field: it stays the same where nothing moves, changes over
    half a wavelength, and differs from channel to channel by each wave's delay [physics]."""
    delay_ns: float = 25.0
    """Mean excess delay of a wave, exponential [ours: halls are given 20 to 60]."""
    shadow_db: float = 3.0
    shadow_m: float = 2.5
    """Slow shadowing of the place: standard deviation and length of its waves [ours]."""
    reflector_m2: float = 12.0
    """[radar] cross section of a truck's metal flank: it lights up tags that are out of reach otherwise. A
    square meter of flat plate has 117 in its mirror's direction, less by the angle [ours]."""
    mount_m: float = 0.08
    mount_deg: float = 5.0
    cable_db: float = 1.0
    """How far off antennas hang and look, and what their cables lose, standard deviations: nobody installs to
    the plan [ours]. Drawn anew for each shift, which therefore is another site."""
    noise_db: float = 2.5
    """Other transmitters raise what a reader needs to hear, by channel, exponential with this mean [ours]."""
    rssi_noise_db: float = 0.4
    phase_noise_turn: float = 0.016
    """One standard deviation of what a reader tells: 0.1 rad of phase [ours]."""
    rssi_step_cdb: int = 50
    """Impinj's values come in steps of half a dB, others' in whole ones [ours, from recordings]."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """What stands between, one way, in dB."""

    wall_db: float = 18.0
    """The hall's wall beside the door: insulated steel panel [ours]."""
    trailer_db: float = 25.0
    """The side of a trailer, or of the neighbor's: aluminum or steel sheet with seams [ours]."""
    truck_db: float = 20.0
    """A forklift's mast and body: all metal, but waves bend around it [ours]."""
    person_db: float = 10.0
    """A body: 14 dB were measured at 184 MHz for one right in front of the antenna [ours at 915]."""
    around_db: float = 22.0
    """No load blocks more than this: waves bend around it [ours]."""
    row_db: float = 9.0
    """Each row of pallets in a trailer that stands nearer to the door [ours]."""
    scattered_share: float = 0.5
    """The scattered field comes from all sides: it loses this share of the dB [ours]."""


@dataclass(frozen=True, slots=True)
class Goods:
    """What is on a pallet: loss per meter through it, loss of a tag's antenna on it, share of all pallets."""

    name: str
    through_db_m: float
    penalty_db: float
    share: float


GOODS: Final = (
    # [Griffin06] for the order of the penalties; the losses through a load and the shares are [ours].
    Goods("dry", 2.0, 1.0, 0.55),
    Goods("mixed", 7.0, 3.0, 0.30),
    Goods("liquid", 28.0, 5.5, 0.10),
    Goods("metal", 45.0, 8.0, 0.05),
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """[Gen2] as one reader runs it: `direction` profile, one report for each singulation."""

    singulation_s: float = 0.0026
    """A slot with one tag: query, reply, acknowledge, 128 bits at 62 kbit/s and overheads, Miller 4
    [ours]."""
    empty_s: float = 0.0003
    collision_s: float = 0.0009
    """The other slots; with Q well set 1.1 empty and 0.7 collided ones for each tag [Gen2, slotted Aloha]."""
    empties: float = 1.1
    collisions: float = 0.7
    round_s: float = 0.004
    """Opening a round: select, query, the slots that show that nobody is left [ours]."""
    pallets_s: float = 0.08
    """At most so long on an antenna for what is selected: labels of whole pallets and tags of trucks, whose
    slots the tags of cases would take otherwise [ours]."""
    selected: tuple[int, ...] = (0x31, 0x33, 0x34)
    """[Gen2] Select on the first byte of the EPC: SSCC-96, GRAI-96, GIAI-96."""
    dwell_s: float = 0.04
    """At most so long for everybody, then the next antenna's turn [ours]."""
    switch_s: float = 0.002
    """Changing antenna or channel: no power [ours]."""
    session: int = 0
    """0: the flag is lost without power; 1: it lasts `persistence_s` with power or without."""
    persistence_s: tuple[float, float] = (0.5, 5.0)
    """[Gen2] of S1, drawn for each tag, evenly on the logarithm [ours]."""
    stall_every_s: float = 90.0
    stall_s: tuple[float, float] = (0.2, 0.8)
    """Readers pause now and then, busy with themselves: mean time between, and how long [ours; users tell of
    gaps]."""
    jam_db: float = 8.0
    jam_chance: float = 0.5
    """A tag that hears another reader less than this below (or above) its own misses the command this often
    [ours]."""
    report_s: float = 0.01
    """A reader puts what it read in this time into one message [ours]."""
    latency_s: tuple[float, float] = (0.001, 0.012)
    """From the reader's stamp to the host [ours]."""


@dataclass(frozen=True, slots=True)
class TagFaults:
    """Shares of all tags [ours: published ones run from 0.1 % to 20 % by quality]."""

    dead: float = 0.01
    detuned: float = 0.03
    detuned_db: tuple[float, float] = (6.0, 14.0)


@dataclass(frozen=True, slots=True)
class Beams:
    """Photo eyes: two beams across the door, and a sensor overhead that measures a height."""

    outer_x: float = -0.15
    inner_x: float = 0.65
    """In the door's frame and on the guard post behind it [ours]."""
    z: float = 0.55
    """Above forks and dock plate, below most loads' top [ours]."""
    height_x: float = 0.25
    height_m: tuple[float, float] = (0.45, 2.0)
    """The overhead sensor sees what has its top in this window: loads, not forks (below), not a truck's mast
    and guard (above). A person's head is in it, too [ours: distance sensors with a window]."""
    seat_chance: float = 0.05
    """Between the guard's bars it sees the driver now and then: chance a crossing [ours]."""
    delay_s: tuple[float, float] = (0.005, 0.04)
    """Switching time of eye and input [ours]."""
    chatter: int = 3
    chatter_s: float = 0.025
    """At an edge up to so many false changes within that time: foil, slats, vibration [ours]."""
    sample_s: float = 0.01
    dead_chance: float = 0.0
    """That an eye is broken for a whole shift [ours]; raised where tests ask."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Speeds and places."""

    speed_m_s: tuple[float, float] = (0.8, 2.8)
    """Through the door: a careful truck to more than [FLTA]'s aisle speed of 2.2 m/s [ours]."""
    trailer_m_s: tuple[float, float] = (0.7, 1.5)
    """[FLTA]'s racking speed is 1.3 m/s."""
    jack_m_s: tuple[float, float] = (0.5, 1.2)
    """A pallet jack, walked."""
    walk_m_s: tuple[float, float] = (0.9, 1.6)
    pull_m_s2: float = 0.9
    """Pulling away and braking of a laden truck [ours]."""
    door_wide: float = 2.74
    door_high: float = 3.05
    door_every: float = 3.66
    """[dock] nine by ten feet, on twelve-foot centers."""
    truck_m: tuple[float, float, float] = (2.2, 1.1, 2.15)
    """Mast, body and guard without forks: length, width, height [ours: a 2-tonne counterbalance truck]."""
    ramps: float = 0.3
    """Share of jobs without a trailer: over a ramp into the open [ours]."""
    trailer_rows: int = 6
    """Two pallets each, 1.3 m apart: a 28-foot trailer [ours: what stands deeper is out of reach anyway]."""
    pallet_m: tuple[float, float] = (1.2, 1.0)
    load_high: tuple[float, float] = (0.35, 1.9)


AIR: Final = Air()
BLOCKING: Final = Blocking()
PROTOCOL: Final = Protocol()
FAULTS: Final = TagFaults()
BEAMS: Final = Beams()
TRAFFIC: Final = Traffic()
