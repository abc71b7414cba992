# SPDX-License-Identifier: Apache-2.0
"""Whether a reader can do what a ROSpec asks; what it cannot is refused down to the field.

Real readers refuse what their tables do not hold, so a client that guesses is found out here. Source: LLRP
1.1, sections 11.2, 13.2.6, 14.2.1 and 16.2.1.2.
"""

from __future__ import annotations

from typing import Final

from simulators.reader.kinds import ReaderKind
from simulators.reader.refusals import Code, Place

__all__ = ["check_antenna_configuration", "check_report_spec", "check_rospec"]

_GEN2: Final = 1
_PRIORITY_MAX: Final = 7
_START_TRIGGERS: Final = 3
_STOP_TRIGGERS: Final = 2
_SPEC_TRIGGERS: Final = 3
_SESSIONS: Final = 3
_UNAWARE_ACTIONS: Final = 5
_EPC_BANK: Final = 1
_USER_BANK: Final = 3
# The report triggers and tag observations that LLRP 1.1 added to those of 1.0.1.
_REPORT_TRIGGERS: Final = {1: 2, 2: 6}
_OBSERVATIONS: Final = {1: 2, 2: 4}
_LOOPS_SINCE: Final = 2


def check_rospec(kind: ReaderKind, rospec: Place, *, extended: bool) -> None:
    """Raise Refused at the first thing in `rospec` that a reader of this kind cannot do. `extended`: the
    vendor's extensions are switched on.
    """
    if rospec["ROSpecID"] == 0:
        raise rospec.refuse_field("ROSpecID", "1 or more", Code.A_INVALID)
    if rospec["Priority"] > _PRIORITY_MAX:
        raise rospec.refuse_field("Priority", f"0 to {_PRIORITY_MAX}")
    if rospec["ROSpecCurrentState"] != 0:
        raise rospec.refuse_field("ROSpecCurrentState", "0, disabled", Code.A_INVALID)
    _check_custom(kind, rospec, extended)
    _check_boundary(kind, rospec.need("ROBoundarySpec"))
    specs = list(rospec.every("AISpec", "RFSurveySpec", "LoopSpec"))
    if 0 < kind.specs_max < len(specs):
        raise specs[kind.specs_max].refuse(
            Code.P_OVERFLOW_PARAMETER, f"{len(specs)} specs in a ROSpec, expected {kind.specs_max} at most"
        )
    rospec.need("AISpec")
    for number, spec in enumerate(specs, start=1):
        _check_spec(kind, spec, last=number == len(specs))
    report = rospec.first("ROReportSpec")
    if report is not None:
        check_report_spec(kind, report)


def check_report_spec(kind: ReaderKind, report: Place) -> None:
    """Raise Refused where the report's trigger is none of this kind's protocol version."""
    highest = _REPORT_TRIGGERS[kind.version]
    if report["Trigger"] > highest:
        raise report.refuse_field("Trigger", f"0 to {highest}")
    report.need("TagReportContentSelector")


def check_antenna_configuration(kind: ReaderKind, antenna: Place) -> None:
    """Raise Refused where power, frequency, mode or filters are not in the reader's tables."""
    if antenna["AntennaID"] > kind.antennas:
        raise antenna.refuse_field("AntennaID", f"0 to {kind.antennas}")
    receiver = antenna.first("RFReceiver")
    if receiver is not None and receiver["ReceiverSensitivityIndex"] != 1:
        raise receiver.refuse_field("ReceiverSensitivityIndex", "1, the one row of the table")
    transmitter = antenna.first("RFTransmitter")
    if transmitter is not None:
        _check_transmitter(kind, transmitter)
    for command in antenna.every("C1G2InventoryCommand"):
        _check_inventory(kind, command)


def _check_boundary(kind: ReaderKind, boundary: Place) -> None:
    start = boundary.need("ROSpecStartTrigger")
    if start["Trigger"] > _START_TRIGGERS:
        raise start.refuse_field("Trigger", f"0 to {_START_TRIGGERS}")
    if start["Trigger"] == 2:
        periodic = start.need("PeriodicTriggerValue")
        if not kind.utc and periodic.first("UTCTimestamp"):
            raise periodic.need("UTCTimestamp").refuse(
                Code.P_UNSUPPORTED_PARAMETER, "this reader has no UTC clock to start by"
            )
    if start["Trigger"] == 3:
        _check_input(kind, start.need("GPITriggerValue"))
    stop = boundary.need("ROSpecStopTrigger")
    if stop["Trigger"] > _STOP_TRIGGERS:
        raise stop.refuse_field("Trigger", f"0 to {_STOP_TRIGGERS}")
    if stop["Trigger"] == 2:
        _check_input(kind, stop.need("GPITriggerValue"))


def _check_input(kind: ReaderKind, trigger: Place) -> None:
    if not 1 <= trigger["Port"] <= kind.inputs:
        expected = f"1 to {kind.inputs}" if kind.inputs else "no input: this reader has none"
        raise trigger.refuse_field("Port", expected)


def _check_spec(kind: ReaderKind, spec: Place, *, last: bool) -> None:
    if spec.parameter.name == "RFSurveySpec":
        raise spec.refuse(Code.P_UNSUPPORTED_PARAMETER, "this reader does no RF surveys")
    if spec.parameter.name == "LoopSpec":
        if kind.version < _LOOPS_SINCE:
            raise spec.refuse(Code.P_UNKNOWN_PARAMETER, "LLRP 1.0.1 knows no LoopSpec")
        if not last:
            raise spec.refuse(Code.P_UNEXPECTED_PARAMETER, "LoopSpec stands before another spec")
        return
    antennas = spec.parameter.fields["AntennaIDs"]
    assert isinstance(antennas, list), "AntennaIDs is a list"
    if not antennas or not all(0 <= antenna <= kind.antennas for antenna in antennas):
        raise spec.refuse_field("AntennaIDs", f"antennas 0 to {kind.antennas}")
    _check_spec_stop(kind, spec.need("AISpecStopTrigger"))
    inventories = list(spec.every("InventoryParameterSpec"))
    if len(inventories) > 1:
        sentence = f"{len(inventories)} InventoryParameterSpecs in an AISpec, expected 1"
        raise inventories[1].refuse(Code.P_OVERFLOW_PARAMETER, sentence)
    inventory = spec.need("InventoryParameterSpec")
    if inventory["InventoryParameterSpecID"] == 0:
        raise inventory.refuse_field("InventoryParameterSpecID", "1 or more", Code.A_INVALID)
    if inventory["AirProtocolID"] != _GEN2:
        raise inventory.refuse_field("AirProtocolID", f"{_GEN2}, EPCglobal Class 1 Gen 2")
    for antenna in inventory.every("AntennaConfiguration"):
        check_antenna_configuration(kind, antenna)


def _check_spec_stop(kind: ReaderKind, stop: Place) -> None:
    trigger = stop["Trigger"]
    if trigger > _SPEC_TRIGGERS:
        raise stop.refuse_field("Trigger", f"0 to {_SPEC_TRIGGERS}")
    if trigger == 1 and stop["DurationTriggerValue"] == 0:
        raise stop.refuse_field("DurationTriggerValue", "1 ms or more")
    if trigger == 2:
        _check_input(kind, stop.need("GPITriggerValue"))
    if trigger == 3:
        observation = stop.need("TagObservationTrigger")
        highest = _OBSERVATIONS[kind.version]
        if observation["Trigger"] > highest:
            raise observation.refuse_field("Trigger", f"0 to {highest}")


def _check_transmitter(kind: ReaderKind, transmitter: Place) -> None:
    if kind.hops and transmitter["HopTableID"] not in kind.hop_tables:
        raise transmitter.refuse_field("HopTableID", _listed(kind.hop_tables))
    if not kind.hops and not 1 <= transmitter["ChannelIndex"] <= len(kind.channels):
        raise transmitter.refuse_field("ChannelIndex", f"1 to {len(kind.channels)}")
    if transmitter["TransmitPowerIndex"] not in kind.powers:
        raise transmitter.refuse_field("TransmitPowerIndex", f"{min(kind.powers)} to {max(kind.powers)}")


def _check_inventory(kind: ReaderKind, command: Place) -> None:
    filters = list(command.every("C1G2Filter"))
    if 0 < kind.filters_max < len(filters):
        sentence = f"{len(filters)} filters, expected {kind.filters_max} at most"
        raise filters[kind.filters_max].refuse(Code.P_OVERFLOW_PARAMETER, sentence)
    for one in filters:
        mask = one.need("C1G2TagInventoryMask")
        if not _EPC_BANK <= mask["MemoryBank"] <= _USER_BANK:
            raise mask.refuse_field("MemoryBank", f"{_EPC_BANK} to {_USER_BANK}")
        action = one.first("C1G2TagInventoryStateUnawareFilterAction")
        if action is not None and action["FilterAction"] > _UNAWARE_ACTIONS:
            raise action.refuse_field("FilterAction", f"0 to {_UNAWARE_ACTIONS}")
    radio = command.first("C1G2RFControl")
    if radio is not None:
        tari = {mode.identifier: mode.tari_ns for mode in kind.modes}
        if radio["RFModeID"] not in tari:
            raise radio.refuse_field("RFModeID", _listed(tari))
        if radio["Tari"] not in (0, tari[radio["RFModeID"]]):
            raise radio.refuse_field("Tari", f"0 or {tari[radio['RFModeID']]}")
    singulation = command.first("C1G2SingulationControl")
    if singulation is not None and singulation["Session"] > _SESSIONS:
        raise singulation.refuse_field("Session", f"0 to {_SESSIONS}")


def _check_custom(kind: ReaderKind, place: Place, extended: bool) -> None:
    """Vendor parameters anywhere within: known to their own vendor's readers alone, once they are on."""
    for child in place.every():
        if child.parameter.name == "Custom" or child.parameter.name.startswith("Impinj"):
            if not kind.impinj:
                raise child.refuse(Code.P_UNKNOWN_PARAMETER, "this reader knows no vendor's extensions")
            if not extended:
                raise child.refuse(
                    Code.P_UNSUPPORTED_PARAMETER,
                    "the extensions are off: IMPINJ_ENABLE_EXTENSIONS comes first",
                )
        _check_custom(kind, child, extended)


def _listed(numbers: object) -> str:
    assert hasattr(numbers, "__iter__"), "numbers to list"
    return "one of " + ", ".join(map(str, numbers))
