# SPDX-License-Identifier: Apache-2.0
"""Kinds of readers: what each can do, as its GET_READER_CAPABILITIES_RESPONSE says it.

Three that differ where clients go wrong: an Impinj-like one with extensions, a plain one of LLRP 1.0.1 whose
hop tables and power steps have other numbers, and one on fixed channels that has no UTC clock. Invented
devices with lifelike tables; no table is a claim about a product. Source: LLRP 1.1, sections 10 and 16.2.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from drivers.llrp.messages import Parameter

__all__ = ["FIXED", "IMPINJ", "KINDS", "PLAIN", "ReaderKind", "RfMode", "capabilities"]

IMPINJ_VENDOR: Final = 25882
_EXAMPLE_VENDOR: Final = 32473
"""The private enterprise number that is set aside for examples (RFC 5612)."""

_GEN2: Final = 1
_FCC: Final = 1
_ETSI: Final = 2


@dataclass(frozen=True, slots=True)
class RfMode:
    """A row of the RF mode table: identifier, backscatter rate in bit/s, Miller value code, tari in ns."""

    identifier: int
    rate: int
    miller: int
    tari_ns: int


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """What a reader is. Powers are in 1/100 dBm, frequencies in kHz, `version` is the highest that it speaks
    (1 is LLRP 1.0.1, 2 is 1.1).

    `powers` and `hop_tables` are by the index that a client must name; without hop tables the reader stands
    on `channels`. `buffer_tags` bounds the tag reports that it holds back. `keeps_specs`: ROSpecs and
    settings outlive a connection that broke. `specs_max` and `filters_max` bound a ROSpec and an inventory; 0
    is no bound.
    """

    name: str
    vendor: int
    model: int
    firmware: str
    version: int
    antennas: int
    inputs: int
    outputs: int
    powers: Mapping[int, int]
    modes: tuple[RfMode, ...]
    hop_tables: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    channels: tuple[int, ...] = ()
    country: int = 0
    standard: int = 0
    impinj: bool = False
    utc: bool = True
    holds: bool = True
    keeps_specs: bool = True
    terse: bool = False
    warns: bool = True
    priorities: int = 0
    rospecs_max: int = 1
    specs_max: int = 32
    filters_max: int = 2
    buffer_tags: int = 4_000

    @property
    def hops(self) -> bool:
        """Whether it hops by a table; else it stays on its channels."""
        return bool(self.hop_tables)


def _steps(first: int, low: int, high: int, step: int) -> Mapping[int, int]:
    return MappingProxyType(dict(enumerate(range(low, high + 1, step), start=first)))


_US_KHZ: Final = tuple(range(902_750, 927_251, 500))

IMPINJ: Final = ReaderKind(
    name="impinj",
    vendor=IMPINJ_VENDOR,
    model=2_001_002,
    firmware="7.0.0.240",
    version=2,
    antennas=4,
    inputs=4,
    outputs=4,
    powers=_steps(1, 1_000, 3_000, 25),
    modes=(
        RfMode(0, 640_000, 0, 6_250),
        RfMode(1, 640_000, 1, 6_250),
        RfMode(2, 274_000, 2, 20_000),
        RfMode(3, 170_600, 3, 20_000),
        RfMode(1000, 40_000, 0, 6_250),
        RfMode(1002, 40_000, 0, 6_250),
    ),
    hop_tables=MappingProxyType({1: _US_KHZ}),
    country=840,
    standard=_FCC,
    impinj=True,
)

PLAIN: Final = ReaderKind(
    name="plain",
    vendor=_EXAMPLE_VENDOR,
    model=9_604,
    firmware="3.21.4",
    version=1,
    antennas=8,
    inputs=2,
    outputs=3,
    # Power steps from 0 and hop tables from 5: a client that takes 1 for granted is refused.
    powers=_steps(0, 1_000, 2_920, 10),
    modes=(RfMode(21, 320_000, 0, 12_500), RfMode(23, 250_000, 2, 25_000)),
    hop_tables=MappingProxyType({5: _US_KHZ[::-1], 6: _US_KHZ[::2]}),
    country=840,
    standard=_FCC,
    keeps_specs=False,
    terse=True,
    warns=False,
    priorities=7,
    rospecs_max=4,
    specs_max=4,
    buffer_tags=500,
)

FIXED: Final = ReaderKind(
    name="fixed",
    vendor=_EXAMPLE_VENDOR,
    model=1_150,
    firmware="1.1.0-fixed",
    version=2,
    antennas=2,
    inputs=0,
    outputs=1,
    powers=_steps(1, 500, 2_700, 100),
    modes=(RfMode(4, 160_000, 2, 25_000),),
    channels=(865_700, 866_300, 866_900, 867_500),
    country=276,
    standard=_ETSI,
    utc=False,
    holds=False,
)

KINDS: Final[Mapping[str, ReaderKind]] = MappingProxyType(
    {kind.name: kind for kind in (IMPINJ, PLAIN, FIXED)}
)


def capabilities(kind: ReaderKind, requested: int) -> list[Parameter]:
    """The parameters that answer GET_READER_CAPABILITIES; `requested` 0 is all, 1 to 4 one of them."""
    parts = {1: _general, 2: _protocol, 3: _regulatory, 4: _air_protocol}
    return [part(kind) for number, part in parts.items() if requested in (0, number)]


def _general(kind: ReaderKind) -> Parameter:
    fields: dict[str, int | bool | str] = {
        "MaxSupportedAntennas": kind.antennas,
        "CanSetAntennaProperties": False,
        "HasUTCClock": kind.utc,
        "DeviceManufacturer": kind.vendor,
        "Model": kind.model,
        "FirmwareVersion": kind.firmware,
    }
    return Parameter(
        "GeneralDeviceCapabilities",
        dict(fields),
        [
            Parameter("ReceiveSensitivityTableEntry", {"Index": 1, "ReceiveSensitivity": 0}),
            Parameter("GPIOCapabilities", {"NumGPIs": kind.inputs, "NumGPOs": kind.outputs}),
            *(
                Parameter("PerAntennaAirProtocol", {"AntennaID": antenna, "AirProtocolIDs": bytes([_GEN2])})
                for antenna in range(1, kind.antennas + 1)
            ),
        ],
    )


def _protocol(kind: ReaderKind) -> Parameter:
    return Parameter(
        "LLRPCapabilities",
        {
            "CanDoRFSurvey": False,
            "CanReportBufferFillWarning": kind.warns,
            "SupportsClientRequestOpSpec": False,
            "CanDoTagInventoryStateAwareSingulation": False,
            "SupportsEventsAndReportHolding": kind.holds,
            "MaxPriorityLevelSupported": kind.priorities,
            "ClientRequestedOpSpecTimeout": 0,
            "MaxROSpecs": kind.rospecs_max,
            "MaxSpecsPerROSpec": kind.specs_max,
            "MaxInventoryParameterSpecsPerAISpec": 1,
            "MaxAccessSpecs": 1,
            "MaxOpSpecsPerAccessSpec": 1,
        },
    )


def _regulatory(kind: ReaderKind) -> Parameter:
    band = [
        *(
            Parameter("TransmitPowerLevelTableEntry", {"Index": index, "TransmitPowerValue": power})
            for index, power in kind.powers.items()
        ),
        _frequencies(kind),
        Parameter("UHFC1G2RFModeTable", {}, [_mode(mode) for mode in kind.modes]),
    ]
    return Parameter(
        "RegulatoryCapabilities",
        {"CountryCode": kind.country, "CommunicationsStandard": kind.standard},
        [Parameter("UHFBandCapabilities", {}, band)],
    )


def _frequencies(kind: ReaderKind) -> Parameter:
    if kind.hops:
        tables = [
            Parameter("FrequencyHopTable", {"HopTableID": table, "Frequencies": list(channels)})
            for table, channels in kind.hop_tables.items()
        ]
    else:
        tables = [Parameter("FixedFrequencyTable", {"Frequencies": list(kind.channels)})]
    return Parameter("FrequencyInformation", {"Hopping": kind.hops}, tables)


def _mode(mode: RfMode) -> Parameter:
    return Parameter(
        "UHFC1G2RFModeTableEntry",
        {
            "ModeID": mode.identifier,
            "DivideRatio": 1,
            "IsEPCHagConformant": False,
            "Modulation": mode.miller,
            "ForwardLinkModulation": 0,
            "SpectralMask": 3,
            "BackscatterDataRate": mode.rate,
            "PIERatio": 1_500,
            "MinTariTime": mode.tari_ns,
            "MaxTariTime": mode.tari_ns,
            "StepTariTime": 0,
        },
    )


def _air_protocol(kind: ReaderKind) -> Parameter:
    return Parameter(
        "C1G2LLRPCapabilities",
        {
            "SupportsBlockErase": False,
            "SupportsBlockWrite": False,
            "SupportsBlockPermalock": False,
            "SupportsTagRecommissioning": False,
            "SupportsUMIMethod2": False,
            "SupportsXPC": False,
            "MaxSelectFiltersPerQuery": kind.filters_max,
        },
    )
