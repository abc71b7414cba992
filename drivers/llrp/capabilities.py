# SPDX-License-Identifier: Apache-2.0
"""What a reader says of itself: what it can do, and how it is set up now. Pure; a reader may leave out or
invent anything, so every value has a bound and a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from drivers.llrp.impinj import IMPINJ
from drivers.llrp.messages import Message, Parameter

__all__ = ["Capabilities", "Present", "Radio", "read_capabilities", "read_present", "text", "whole"]

_VENDORS = {IMPINJ: "Impinj", 161: "Zebra", 26554: "ThingMagic"}

# Readers have 4 or 8 antennas, with hubs 32, and up to some hundred power levels; more is nonsense.
_ANTENNAS_MAX = 255
_ENTRIES_MAX = 1024


@dataclass(frozen=True, slots=True)
class Capabilities:
    """From GET_READER_CAPABILITIES_RESPONSE (LLRP 1.0.1 section 9.1.2). Powers are in 1/100 dBm by index.

    `hop_table` is the first table's id where the reader hops, `channels` the number of fixed channels where
    it does not; `modes` are the indices of its radio modes. `specs_max` is how many specs a ROSpec may have,
    `filters_max` how many filters an inventory; 0 is any number, None is not told.
    """

    manufacturer: int = 0
    model: int = 0
    firmware: str = ""
    antennas: int = 0
    utc: bool = False
    inputs: int = 0
    outputs: int = 0
    holds: bool = False
    powers: dict[int, int] = field(default_factory=dict)
    hop_table: int | None = None
    channels: int = 0
    modes: tuple[int, ...] = ()
    specs_max: int | None = None
    filters_max: int | None = None

    @property
    def impinj(self) -> bool:
        """Whether the reader is Impinj's, so that its extensions may be asked for."""
        return self.manufacturer == IMPINJ

    def __str__(self) -> str:
        """The reader's kind as a person reads it."""
        maker = _VENDORS.get(self.manufacturer, f"manufacturer {self.manufacturer}")
        return f"{maker} model {self.model}" + (f", firmware {self.firmware}" if self.firmware else "")


@dataclass(frozen=True, slots=True)
class Radio:
    """How one antenna is set up now; None where the reader does not say."""

    hop_table: int | None = None
    channel: int | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """From GET_READER_CONFIG_RESPONSE (LLRP 1.0.1 section 12.1.2): `connected` by antenna, `inputs` by port
    (None where the reader does not know the level), `radios` by antenna.
    """

    connected: dict[int, bool] = field(default_factory=dict)
    inputs: dict[int, bool | None] = field(default_factory=dict)
    radios: dict[int, Radio] = field(default_factory=dict)


def read_capabilities(message: Message) -> Capabilities:
    """What the reader can do. Raises nothing: what is missing has a default."""
    general = message.first("GeneralDeviceCapabilities")
    llrp = message.first("LLRPCapabilities")
    regulatory = message.first("RegulatoryCapabilities")
    band = regulatory and regulatory.first("UHFBandCapabilities")
    gen2 = message.first("C1G2LLRPCapabilities")
    pins = general and general.first("GPIOCapabilities")
    frequencies = band and band.first("FrequencyInformation")
    hop = frequencies and frequencies.first("FrequencyHopTable")
    fixed = frequencies and frequencies.first("FixedFrequencyTable")
    listed = fixed.fields.get("Frequencies") if fixed else None
    hopping = bool(frequencies and frequencies.fields.get("Hopping"))
    return Capabilities(
        manufacturer=whole(general, "DeviceManufacturer"),
        model=whole(general, "Model"),
        firmware=text(general, "FirmwareVersion"),
        antennas=min(whole(general, "MaxSupportedAntennas"), _ANTENNAS_MAX),
        utc=bool(whole(general, "HasUTCClock")),
        inputs=whole(pins, "NumGPIs"),
        outputs=whole(pins, "NumGPOs"),
        holds=bool(whole(llrp, "SupportsEventsAndReportHolding")),
        powers=_powers(band),
        hop_table=whole(hop, "HopTableID") if hopping and hop else None,
        channels=len(listed) if isinstance(listed, list) else 0,
        modes=_modes(band),
        specs_max=_limit(llrp, "MaxSpecsPerROSpec"),
        filters_max=_limit(gen2, "MaxSelectFiltersPerQuery"),
    )


def read_present(message: Message) -> Present:
    """How the reader is set up. Raises nothing: what is missing is not in the maps."""
    connected = {
        whole(item, "AntennaID"): bool(whole(item, "AntennaConnected"))
        for item in islice(message.every("AntennaProperties"), _ENTRIES_MAX)
    }
    inputs = {
        whole(item, "Port"): {0: False, 1: True}.get(whole(item, "State"))
        for item in islice(message.every("GPIPortCurrentState"), _ENTRIES_MAX)
    }
    radios = {
        whole(item, "AntennaID"): _radio(item)
        for item in islice(message.every("AntennaConfiguration"), _ENTRIES_MAX)
    }
    return Present(connected, inputs, radios)


def whole(parameter: Message | Parameter | None, name: str) -> int:
    """A field as a number, 0 where it is missing."""
    value = parameter.fields.get(name) if parameter is not None else None
    return int(value) if isinstance(value, int) else 0


def text(parameter: Message | Parameter | None, name: str, length_max: int = 200) -> str:
    """A field as text that may be shown: printable, on one line, bounded."""
    value = parameter.fields.get(name) if parameter is not None else None
    if not isinstance(value, str):
        return ""
    return "".join(sign if sign.isprintable() else " " for sign in value[:length_max]).strip()


def _limit(parameter: Parameter | None, name: str) -> int | None:
    return None if parameter is None else max(0, whole(parameter, name))


def _powers(band: Parameter | None) -> dict[int, int]:
    entries = islice(band.every("TransmitPowerLevelTableEntry"), _ENTRIES_MAX) if band else ()
    return {whole(entry, "Index"): whole(entry, "TransmitPowerValue") for entry in entries}


def _modes(band: Parameter | None) -> tuple[int, ...]:
    tables = band.every("UHFC1G2RFModeTable") if band else ()
    entries = (entry for table in tables for entry in table.every("UHFC1G2RFModeTableEntry"))
    return tuple(whole(entry, "ModeID") for entry in islice(entries, _ENTRIES_MAX))


def _radio(configuration: Parameter) -> Radio:
    transmitter = configuration.first("RFTransmitter")
    command = configuration.first("C1G2InventoryCommand")
    control = command and command.first("C1G2RFControl")
    return Radio(
        whole(transmitter, "HopTableID") if transmitter else None,
        whole(transmitter, "ChannelIndex") if transmitter else None,
        whole(control, "RFModeID") if control else None,
    )
