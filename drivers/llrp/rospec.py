# SPDX-License-Identifier: Apache-2.0
"""What a reader is told to do, made from what it can do. Pure.

Readers refuse numbers that are not in their own tables, and each maker's tables differ, so nothing here is a
number that worked elsewhere: hop table, channel, power and mode come from the reader at hand. Where it says
too little or refuses, there is a plainer specification to fall back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.llrp.capabilities import Capabilities, Present, Radio
from drivers.llrp.messages import Fields, Message, Parameter
from drivers.llrp.settings import Profile, ReaderSettings

__all__ = ["ROSPEC_ID", "Plan", "inventory", "plan"]

ROSPEC_ID = 1
"""We delete all others, so any number but 0 (which means all) is ours."""

_GEN2 = 1  # AirProtocolID of EPC Gen2
_IMMEDIATE = 1
_N_TAGS_OR_END_OF_AISPEC = 1
_DUAL_TARGET, _SINGLE_WITH_SUPPRESSION = 2, 3  # Impinj's search modes


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen. `powers` by antenna: index in the reader's table and 1/100 dBm; empty where the reader
    lists none. `doubts` are sentences on settings that the reader cannot follow.
    """

    antennas: tuple[int, ...]
    powers: Mapping[int, tuple[int, int]]
    session: int
    mode: int | None
    search: int | None
    radios: Mapping[int, Radio]
    hop_table: int | None
    channels: int
    population: int
    tid: bool
    doubts: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As a person reads it."""
        antennas = " ".join(map(str, self.antennas))
        levels = sorted({level for _, level in self.powers.values()})
        power = (
            " to ".join(f"{level / 100:g}" for level in dict.fromkeys((levels[0], levels[-1])))
            if levels
            else ""
        )
        parts = [f"antennas {antennas}", f"{power} dBm" if power else "", f"session {self.session}"]
        parts.append("" if self.mode is None else f"mode {self.mode}")
        return ", ".join(part for part in parts if part)


def plan(settings: ReaderSettings, can: Capabilities, now: Present) -> Plan:
    """Choose from the reader's tables what the settings ask for. Raises nothing: what cannot be had is a
    doubt.
    """
    doubts: list[str] = []
    antennas = _antennas(settings, can, now, doubts)
    return Plan(
        antennas=antennas,
        powers=_powers(settings, can, antennas, doubts),
        session=_session(settings, can),
        mode=_mode(settings, can, now, doubts),
        search=_search(settings, can),
        radios={antenna: now.radios.get(antenna, Radio()) for antenna in antennas},
        hop_table=can.hop_table,
        channels=can.channels,
        population=settings.tag_population,
        tid=settings.tid and can.impinj,
        doubts=tuple(doubts),
    )


def inventory(chosen: Plan) -> list[tuple[str, Message]]:
    """ADD_ROSPEC as it should be, then plainer ones; each with what is given up by it ("" for the first)."""
    radio = [_radio(chosen, antenna, vendor=False) for antenna in chosen.antennas]
    specs = []
    if chosen.search is not None:
        full = [_radio(chosen, antenna, vendor=True) for antenna in chosen.antennas]
        specs.append(("", _add(chosen, full, vendor=True)))
    given_up = "the maker's own search mode and values" if specs else ""
    specs.append((given_up, _add(chosen, radio, vendor=False)))
    specs.append(("our power, mode and session: it uses its own", _add(chosen, [], vendor=False)))
    return specs


def _antennas(
    settings: ReaderSettings, can: Capabilities, now: Present, doubts: list[str]
) -> tuple[int, ...]:
    if settings.antennas:
        beyond = [antenna for antenna in settings.antennas if can.antennas and antenna > can.antennas]
        doubts += [f"antenna {antenna} is configured, the reader has {can.antennas}" for antenna in beyond]
        # If all are beyond, a refusal is better news than an inventory on antennas nobody asked for.
        return tuple(antenna for antenna in settings.antennas if antenna not in beyond) or settings.antennas
    connected = tuple(sorted(antenna for antenna, there in now.connected.items() if there and antenna > 0))
    # Antenna 0 is every antenna (LLRP 1.0.1 section 10.2.2); settings of single ones need their numbers.
    return connected or tuple(range(1, can.antennas + 1)) or (0,)


def _powers(
    settings: ReaderSettings, can: Capabilities, antennas: tuple[int, ...], doubts: list[str]
) -> dict[int, tuple[int, int]]:
    if not can.powers:
        if settings.power_dbm is not None or settings.antenna_power_dbm:
            doubts.append("the reader lists no transmit powers, so it uses its own")
        return {}
    chosen = {}
    for antenna in antennas:
        wanted = settings.antenna_power_dbm.get(antenna, settings.power_dbm)
        most = max(can.powers.values()) if wanted is None else round(wanted * 100)
        # Never stronger than allowed: the next weaker level, or the weakest there is.
        fitting = [(level, index) for index, level in can.powers.items() if level <= most]
        level, index = max(fitting) if fitting else min((lv, ix) for ix, lv in can.powers.items())
        if not fitting:
            doubts.append(
                f"antenna {antenna} may send {wanted:g} dBm, the reader's weakest is {level / 100:g}"
            )
        chosen[antenna] = (index, level)
    return chosen


def _session(settings: ReaderSettings, can: Capabilities) -> int:
    """Session 1 keeps the strong tags from drowning the weak ones, but without a second target it silences a
    tag for seconds; only Impinj's search mode says that there is one. Session 0 never silences.
    """
    if settings.session is not None:
        return settings.session
    return 1 if settings.profile is Profile.COUNT or can.impinj else 0


def _search(settings: ReaderSettings, can: Capabilities) -> int | None:
    if not can.impinj:
        return None
    return _SINGLE_WITH_SUPPRESSION if settings.profile is Profile.COUNT else _DUAL_TARGET


def _mode(settings: ReaderSettings, can: Capabilities, now: Present, doubts: list[str]) -> int | None:
    """The configured mode, else the one that the reader came with, which suits its region; else its first."""
    if settings.mode is not None:
        if settings.mode in can.modes:
            return settings.mode
        listed = " ".join(map(str, can.modes)) or "none"
        doubts.append(f"mode {settings.mode} is configured, the reader has {listed}")
    present = next((radio.mode for radio in now.radios.values() if radio.mode in can.modes), None)
    return present if present is not None else next(iter(can.modes), None)


def _add(chosen: Plan, radio: list[Parameter], *, vendor: bool) -> Message:
    inventory_spec = Parameter(
        "InventoryParameterSpec", {"InventoryParameterSpecID": 1, "AirProtocolID": _GEN2}, radio
    )
    stop = Parameter("AISpecStopTrigger", {"Trigger": 0, "DurationTriggerValue": 0})
    spec = Parameter("AISpec", {"AntennaIDs": list(chosen.antennas)}, [stop, inventory_spec])
    boundary = Parameter(
        "ROBoundarySpec",
        {},
        [
            Parameter("ROSpecStartTrigger", {"Trigger": _IMMEDIATE}),
            Parameter("ROSpecStopTrigger", {"Trigger": 0, "DurationTriggerValue": 0}),
        ],
    )
    fields: Fields = {"ROSpecID": ROSPEC_ID, "Priority": 0, "ROSpecCurrentState": 0}
    return Message(
        "ADD_ROSPEC", 0, {}, [Parameter("ROSpec", fields, [boundary, spec, _report(chosen, vendor)])]
    )


def _radio(chosen: Plan, antenna: int, *, vendor: bool) -> Parameter:
    parts = []
    if antenna in chosen.powers:
        radio = chosen.radios[antenna]
        hop = chosen.hop_table if chosen.hop_table is not None else 0
        channel = (
            radio.channel if radio.channel and radio.channel <= chosen.channels else min(chosen.channels, 1)
        )
        fields: Fields = {
            "HopTableID": radio.hop_table if radio.hop_table and chosen.hop_table is not None else hop,
            # One-based where frequencies are fixed, without meaning where the reader hops.
            "ChannelIndex": channel if chosen.hop_table is None else (radio.channel or 0),
            "TransmitPowerIndex": chosen.powers[antenna][0],
        }
        parts.append(Parameter("RFTransmitter", fields))
    command = []
    if chosen.mode is not None:
        # Tari 0 leaves the choice within the mode's range to the reader (LLRP 1.0.1 section 15.2.1.2.1.2).
        command.append(Parameter("C1G2RFControl", {"RFModeID": chosen.mode, "Tari": 0}))
    singulation: Fields = {"Session": chosen.session, "TagPopulation": chosen.population, "TagTransitTime": 0}
    command.append(Parameter("C1G2SingulationControl", singulation))
    if vendor and chosen.search is not None:
        command.append(Parameter("ImpinjInventorySearchMode", {"InventorySearchMode": chosen.search}))
    parts.append(Parameter("C1G2InventoryCommand", {"TagInventoryStateAware": False}, command))
    return Parameter("AntennaConfiguration", {"AntennaID": antenna}, parts)


def _report(chosen: Plan, vendor: bool) -> Parameter:
    selector = Parameter(
        "TagReportContentSelector",
        {
            "EnableROSpecID": False,
            "EnableSpecIndex": False,
            "EnableInventoryParamSpecID": False,
            "EnableAntennaID": True,
            "EnableChannelIndex": True,
            "EnablePeakRSSI": True,
            "EnableFirstSeenTimestamp": True,
            "EnableLastSeenTimestamp": True,
            "EnableTagSeenCount": True,
            "EnableAccessSpecID": False,
        },
        [
            Parameter(
                "C1G2EPCMemorySelector", {"CRCEnabled": False, "PCBitsEnabled": True, "XPCBitsEnabled": False}
            )
        ],
    )
    # Every read by itself: a gate needs its course at once, and a rest below N would wait in the reader.
    parts = [selector]
    if vendor:
        wanted = [
            Parameter("ImpinjEnableSerializedTID", {"SerializedTIDMode": int(chosen.tid)}),
            Parameter("ImpinjEnableRFPhaseAngle", {"RFPhaseAngleMode": 1}),
            Parameter("ImpinjEnablePeakRSSI", {"PeakRSSIMode": 1}),
            Parameter("ImpinjEnableRFDopplerFrequency", {"RFDopplerFrequencyMode": 1}),
        ]
        parts.append(Parameter("ImpinjTagReportContentSelector", {}, wanted))
    return Parameter("ROReportSpec", {"Trigger": _N_TAGS_OR_END_OF_AISPEC, "N": 1}, parts)
