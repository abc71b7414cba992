# SPDX-License-Identifier: Apache-2.0
"""What a reader is told to do, made from what it can do. Pure.

Readers refuse numbers that are not in their own tables, and each maker's tables differ, so nothing here is a
number that worked elsewhere: hop table, channel, power and mode come from the reader at hand. Where it says
too little or refuses, there is a plainer specification to fall back to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.llrp.capabilities import Capabilities, Present, Radio
from drivers.llrp.messages import Fields, Message, Parameter
from drivers.llrp.settings import Profile, ReaderSettings
from gs1.epc import headers

__all__ = ["ROSPEC_ID", "Plan", "Turns", "in_turns", "inventory", "plan"]

ROSPEC_ID = 1
"""We delete all others, so any number but 0 (which means all) is ours."""

_GEN2 = 1  # AirProtocolID of EPC Gen2
_IMMEDIATE, _PERIODIC = 1, 2
_BY_DURATION = 1
_N_TAGS_OR_END_OF_AISPEC = 1
_PALLETS = headers("sscc", "grai", "giai")
"""EPC headers of the labels of whole pallets, then of what carries and moves them."""
_PALLETS_MS, _EVERYBODY_MS = 80, 40
"""For each antenna in turn: a label that need not wait for the cases around it answers several times in its
part; cases, and goods without such a label, are still heard some times a second in theirs."""
_SWITCH_MS, _APART_MS = 5, 20
"""What a reader may need between two specs, and between two runs: a start that comes while it is still at
work is lost, and with it a whole run. No figure of a product."""

_EPC_BANK, _HEADER_AT, _HEADER_BITS = 1, 0x20, 8
_WHOLE_EPC = 1  # truncate action: none, so that a tag answers with all of its EPC
_SELECT_OTHERS_NOT, _SELECT_TOO = 0, 1
"""State-unaware filter actions (LLRP 1.0.1 section 15.2.1.2.1.1.3): matching tags take part and all others do
not; matching tags take part and others stay as they were."""
_DUAL_TARGET, _SINGLE_WITH_SUPPRESSION = 2, 3  # Impinj's search modes


@dataclass(frozen=True, slots=True)
class Turns:
    """Pallets first: each antenna hears EPCs of these `headers` alone, then everybody, then the next antenna.

    `every_ms` is the period by which the reader's clock starts it anew, None where it begins again by itself.
    """

    headers: tuple[int, ...]
    every_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen. `powers` by antenna: index in the reader's table and 1/100 dBm; empty where the reader
    lists none. `doubts` are sentences on settings that the reader cannot follow. `turns` is None where
    everybody is heard at once, and `at_once` says why if that was not asked for.
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
    turns: Turns | None = None
    at_once: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def restarts(self) -> bool:
        """Whether the inventory ends and is started anew by the reader's clock, over and over."""
        return self.turns is not None and self.turns.every_ms is not None

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
        parts.append("" if self.turns is None else "pallets first")
        return ", ".join(part for part in parts if part)


def plan(settings: ReaderSettings, can: Capabilities, now: Present, version: int = 1) -> Plan:
    """Choose from the reader's tables what the settings ask for; `version` 1 is LLRP 1.0.1, 2 is 1.1. Raises
    nothing: what cannot be had is a doubt.
    """
    doubts: list[str] = []
    antennas = _antennas(settings, can, now, doubts)
    turns, at_once = _turns(settings, can, antennas, version)
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
        turns=turns,
        at_once=at_once,
        doubts=tuple(doubts),
    )


def in_turns(chosen: Plan) -> Message:
    """ADD_ROSPEC with pallets first: for each antenna a spec for them and one for everybody, over and over.

    By LoopSpec where the reader speaks LLRP 1.1 (section 11.2.4). In 1.0.1 a ROSpec whose specs are all done
    is inactive (section 6.1, figure 4) and nothing says that an immediate start trigger starts it again; a
    periodic one does, and every reader has it (section 10.2.1.1.1.1). The run is then ended by the clock as
    well, so that it never lasts into the next one's start, and its last spec takes what time is left.
    """
    turns = chosen.turns
    assert turns is not None, "planned with pallets first"
    vendor = chosen.search is not None
    specs: list[Parameter] = []
    for antenna in chosen.antennas:
        for filters, duration_ms in ((_filters(turns.headers), _PALLETS_MS), ([], _EVERYBODY_MS)):
            radio = _radio(chosen, antenna, vendor=vendor, filters=filters)
            specs.append(_spec([antenna], [radio], len(specs) + 1, duration_ms))
    if turns.every_ms is None:
        specs.append(Parameter("LoopSpec", {"LoopCount": 0}))  # without end
        boundary = _boundary()
    else:
        specs[-1].parameters[0].fields |= _NO_DURATION
        boundary = _boundary(every_ms=turns.every_ms, for_ms=turns.every_ms - _APART_MS)
    return _add(chosen, boundary, specs, vendor=vendor)


def inventory(chosen: Plan) -> list[tuple[str, Message]]:
    """ADD_ROSPEC for everybody at once, as it should be, then plainer ones; each with what is given up by it
    ("" for the first).
    """
    radio = [_radio(chosen, antenna, vendor=False) for antenna in chosen.antennas]
    specs = []
    if chosen.search is not None:
        full = [_radio(chosen, antenna, vendor=True) for antenna in chosen.antennas]
        specs.append(("", _endless(chosen, full, vendor=True)))
    given_up = "the maker's own search mode and values" if specs else ""
    specs.append((given_up, _endless(chosen, radio, vendor=False)))
    specs.append(("our power, mode and session: it uses its own", _endless(chosen, [], vendor=False)))
    return specs


_NO_DURATION: Fields = {"Trigger": 0, "DurationTriggerValue": 0}


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


def _turns(
    settings: ReaderSettings, can: Capabilities, antennas: tuple[int, ...], version: int
) -> tuple[Turns | None, str]:
    if settings.profile is Profile.COUNT or not settings.pallets_first:
        return None, ""
    if can.specs_max is None or can.filters_max is None:
        return None, "the reader does not tell how many specs and filters it takes"
    loops = version > 1
    specs = 2 * len(antennas)
    if 0 < can.specs_max < specs + loops:
        return None, f"that needs {specs + loops} specs, the reader takes {can.specs_max}"
    work_ms = len(antennas) * (_PALLETS_MS + _EVERYBODY_MS) + specs * _SWITCH_MS
    every_ms = None if loops else work_ms + _APART_MS
    return Turns(_PALLETS[: can.filters_max or None], every_ms), ""


def _mode(settings: ReaderSettings, can: Capabilities, now: Present, doubts: list[str]) -> int | None:
    """The configured mode, else the one that the reader came with, which suits its region; else its first."""
    if settings.mode is not None:
        if settings.mode in can.modes:
            return settings.mode
        listed = " ".join(map(str, can.modes)) or "none"
        doubts.append(f"mode {settings.mode} is configured, the reader has {listed}")
    present = next((radio.mode for radio in now.radios.values() if radio.mode in can.modes), None)
    return present if present is not None else next(iter(can.modes), None)


def _endless(chosen: Plan, radio: list[Parameter], *, vendor: bool) -> Message:
    return _add(chosen, _boundary(), [_spec(chosen.antennas, radio)], vendor=vendor)


def _add(chosen: Plan, boundary: Parameter, specs: list[Parameter], *, vendor: bool) -> Message:
    fields: Fields = {"ROSpecID": ROSPEC_ID, "Priority": 0, "ROSpecCurrentState": 0}
    inside = [boundary, *specs, _report(chosen, vendor)]
    return Message("ADD_ROSPEC", 0, {}, [Parameter("ROSpec", fields, inside)])


def _boundary(every_ms: int | None = None, for_ms: int = 0) -> Parameter:
    """Start at once and never end, or start by a period and end after a time."""
    start = Parameter("ROSpecStartTrigger", {"Trigger": _IMMEDIATE})
    stop = Parameter("ROSpecStopTrigger", dict(_NO_DURATION))
    if every_ms is not None:
        period = Parameter("PeriodicTriggerValue", {"Offset": 0, "Period": every_ms})
        start = Parameter("ROSpecStartTrigger", {"Trigger": _PERIODIC}, [period])
        stop.fields |= _duration(for_ms)
    return Parameter("ROBoundarySpec", {}, [start, stop])


def _spec(
    antennas: Sequence[int], radio: list[Parameter], number: int = 1, duration_ms: int | None = None
) -> Parameter:
    ends = _NO_DURATION if duration_ms is None else _duration(duration_ms)
    stop = Parameter("AISpecStopTrigger", dict(ends))
    fields: Fields = {"InventoryParameterSpecID": number, "AirProtocolID": _GEN2}
    inventory_spec = Parameter("InventoryParameterSpec", fields, radio)
    return Parameter("AISpec", {"AntennaIDs": list(antennas)}, [stop, inventory_spec])


def _duration(duration_ms: int) -> Fields:
    return {"Trigger": _BY_DURATION, "DurationTriggerValue": duration_ms}


def _filters(wanted: tuple[int, ...]) -> list[Parameter]:
    """The reader takes them in their order, one Select command each (LLRP 1.0.1 section 15.2.1.2.1)."""
    filters = []
    for number, header in enumerate(wanted):
        mask: Fields = {
            "MemoryBank": _EPC_BANK,
            "MostSignificantBit": _HEADER_AT,
            "TagMaskNumBits": _HEADER_BITS,
            "TagMask": bytes([header]),
        }
        action = Parameter(
            "C1G2TagInventoryStateUnawareFilterAction",
            {"FilterAction": _SELECT_TOO if number else _SELECT_OTHERS_NOT},
        )
        parts = [Parameter("C1G2TagInventoryMask", mask), action]
        filters.append(Parameter("C1G2Filter", {"TruncateAction": _WHOLE_EPC}, parts))
    return filters


def _radio(chosen: Plan, antenna: int, *, vendor: bool, filters: Sequence[Parameter] = ()) -> Parameter:
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
    command = list(filters)
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
