# SPDX-License-Identifier: Apache-2.0
"""Impinj's own messages and parameters (private enterprise number 25882), as rows of `drivers.llrp.tables`.

The number before a name is the vendor's subtype. Each parameter may hold more of the vendor's.
"""

from __future__ import annotations

from typing import Final

__all__ = ["IMPINJ", "IMPINJ_MESSAGES", "IMPINJ_PARAMETERS"]

IMPINJ: Final = 25882

IMPINJ_MESSAGES: Final = """
21 IMPINJ_ENABLE_EXTENSIONS: -32
22 IMPINJ_ENABLE_EXTENSIONS_RESPONSE: | LLRPStatus
23 IMPINJ_SAVE_SETTINGS: SaveConfiguration flag, -7
24 IMPINJ_SAVE_SETTINGS_RESPONSE: | LLRPStatus
"""

IMPINJ_PARAMETERS: Final = """
21 ImpinjRequestedData: RequestedData u32
22 ImpinjSubRegulatoryRegion: RegulatoryRegion u16
23 ImpinjInventorySearchMode: InventorySearchMode u16
26 ImpinjFixedFrequencyList: FixedFrequencyMode u16, -16, ChannelList u16[]
27 ImpinjReducedPowerFrequencyList: ReducedPowerMode u16, -16, ChannelList u16[]
28 ImpinjLowDutyCycle: LowDutyCycleMode u16, EmptyFieldTimeout u16, FieldPingInterval u16
29 ImpinjDetailedVersion: ModelName text, SerialNumber text, SoftwareVersion text, FirmwareVersion text,
    FPGAVersion text, PCBAVersion text | ImpinjHubVersions, ImpinjArrayVersion
30 ImpinjFrequencyCapabilities: FrequencyList u32[]
36 ImpinjGPIDebounceConfiguration: GPIPortNum u16, GPIDebounceTimerMSec u32
37 ImpinjReaderTemperature: Temperature s16
38 ImpinjLinkMonitorConfiguration: LinkMonitorMode u16, LinkDownThreshold u16
39 ImpinjReportBufferConfiguration: ReportBufferMode u16
40 ImpinjAccessSpecConfiguration: | ImpinjBlockWriteWordCount, ImpinjOpSpecRetryCount,
    ImpinjAccessSpecOrdering
41 ImpinjBlockWriteWordCount: WordCount u16
50 ImpinjTagReportContentSelector: | ImpinjEnableSerializedTID, ImpinjEnableRFPhaseAngle,
    ImpinjEnablePeakRSSI, ImpinjEnableGPSCoordinates, ImpinjEnableOptimizedRead,
    ImpinjEnableRFDopplerFrequency
51 ImpinjEnableSerializedTID: SerializedTIDMode u16
52 ImpinjEnableRFPhaseAngle: RFPhaseAngleMode u16
53 ImpinjEnablePeakRSSI: PeakRSSIMode u16
54 ImpinjEnableGPSCoordinates: GPSCoordinatesMode u16
55 ImpinjSerializedTID: TID u16[]
56 ImpinjRFPhaseAngle: PhaseAngle u16
57 ImpinjPeakRSSI: RSSI s16
58 ImpinjGPSCoordinates: Latitude s32, Longitude s32
63 ImpinjOpSpecRetryCount: RetryCount u16
64 ImpinjAdvancedGPOConfiguration: GPOPortNum u16, GPOMode u16, GPOPulseDurationMSec u32
65 ImpinjEnableOptimizedRead: OptimizedReadMode u16 | C1G2Reads=C1G2Read*
66 ImpinjAccessSpecOrdering: OrderingMode u16
67 ImpinjEnableRFDopplerFrequency: RFDopplerFrequencyMode u16
68 ImpinjRFDopplerFrequency: DopplerFrequency s16
1520 ImpinjArrayVersion: SerialNumber text, FirmwareVersion text, PCBAVersion text
1537 ImpinjHubVersions: | ImpinjArrayVersions=ImpinjArrayVersion*
1538 ImpinjHubConfiguration: HubID u16, Connected u16, Fault u16
"""
