# SPDX-License-Identifier: Apache-2.0
"""Messages and parameters of LLRP 1.0.1 and 1.1 (EPCglobal), as rows; `drivers.llrp.layout` reads them.

A row is `type Name: fields | parameters`. A field is a name and a kind:

    u8 u16 u32 u64 s8 s16 s32   a number, big-endian
    flag, n2                    bits, as true or false or as a number, the highest first; -6 are reserved
    text                        UTF-8 behind a 16-bit count of bytes
    u8[] u16[] u32[]            numbers behind a 16-bit count; u8[] is kept as bytes
    bits                        bits behind a 16-bit count of bits, kept as bytes; the count is NameNumBits
    bytes12, rest               so many bytes, or all that are left

A parameter inside another is written as it is called there: `key=Name` where the two differ, `*` for "any
number". The names are those of the public recordings of real readers. What a parameter may hold is not
enforced when reading: readers differ, and what is unexpected is kept.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CUSTOM_TYPE", "MESSAGES", "PARAMETERS"]

# The type of messages and parameters that belong to a vendor.
CUSTOM_TYPE: Final = 1023

MESSAGES: Final = """
1 GET_READER_CAPABILITIES: ReaderCapabilitiesRequestedData u8
2 GET_READER_CONFIG: AntennaID u16, RequestedData u8, GPIPortNum u16, GPOPortNum u16
3 SET_READER_CONFIG: ResetToFactoryDefaults flag, -7 | ReaderEventNotificationSpec, AntennaProperties*,
    AntennaConfigurations=AntennaConfiguration*, ROReportSpec, AccessReportSpec, KeepAliveSpec, GPOWriteData*,
    GPIPortCurrentStates=GPIPortCurrentState*, EventsAndReports
4 CLOSE_CONNECTION_RESPONSE: | LLRPStatus
11 GET_READER_CAPABILITIES_RESPONSE: | LLRPStatus, GeneralDeviceCapabilities, LLRPCapabilities,
    RegulatoryCapabilities, C1G2LLRPCapabilities
12 GET_READER_CONFIG_RESPONSE: | LLRPStatus, Identification, AntennaProperties*,
    AntennaConfigurations=AntennaConfiguration*, ReaderEventNotificationSpec, ROReportSpec, AccessReportSpec,
    LLRPConfigurationStateValue, KeepAliveSpec, GPIPortCurrentStates=GPIPortCurrentState*, GPOWriteData*,
    EventsAndReports
13 SET_READER_CONFIG_RESPONSE: | LLRPStatus
14 CLOSE_CONNECTION:
20 ADD_ROSPEC: | ROSpec
21 DELETE_ROSPEC: ROSpecID u32
22 START_ROSPEC: ROSpecID u32
23 STOP_ROSPEC: ROSpecID u32
24 ENABLE_ROSPEC: ROSpecID u32
25 DISABLE_ROSPEC: ROSpecID u32
26 GET_ROSPECS:
30 ADD_ROSPEC_RESPONSE: | LLRPStatus
31 DELETE_ROSPEC_RESPONSE: | LLRPStatus
32 START_ROSPEC_RESPONSE: | LLRPStatus
33 STOP_ROSPEC_RESPONSE: | LLRPStatus
34 ENABLE_ROSPEC_RESPONSE: | LLRPStatus
35 DISABLE_ROSPEC_RESPONSE: | LLRPStatus
36 GET_ROSPECS_RESPONSE: | LLRPStatus, ROSpecs=ROSpec*
40 ADD_ACCESSSPEC: | AccessSpec
41 DELETE_ACCESSSPEC: AccessSpecID u32
42 ENABLE_ACCESSSPEC: AccessSpecID u32
43 DISABLE_ACCESSSPEC: AccessSpecID u32
44 GET_ACCESSSPECS:
45 CLIENT_REQUEST_OP: | TagReportData
46 GET_SUPPORTED_VERSION:
47 SET_PROTOCOL_VERSION: TargetVersion u8
50 ADD_ACCESSSPEC_RESPONSE: | LLRPStatus
51 DELETE_ACCESSSPEC_RESPONSE: | LLRPStatus
52 ENABLE_ACCESSSPEC_RESPONSE: | LLRPStatus
53 DISABLE_ACCESSSPEC_RESPONSE: | LLRPStatus
54 GET_ACCESSSPECS_RESPONSE: | LLRPStatus, AccessSpecs=AccessSpec*
55 CLIENT_REQUEST_OP_RESPONSE: | ClientRequestResponse
56 GET_SUPPORTED_VERSION_RESPONSE: CurrentVersion u8, MaxSupportedVersion u8 | LLRPStatus
57 SET_PROTOCOL_VERSION_RESPONSE: | LLRPStatus
60 GET_REPORT:
61 RO_ACCESS_REPORT: | TagReportData*, RFSurveyReportData*
62 KEEPALIVE:
63 READER_EVENT_NOTIFICATION: | ReaderEventNotificationData
64 ENABLE_EVENTS_AND_REPORTS:
72 KEEPALIVE_ACK:
100 ERROR_MESSAGE: | LLRPStatus
1023 CUSTOM_MESSAGE: VendorID u32, MessageSubtype u8, Data rest
"""

# Types 1 to 127 have no length on the wire (TV), all others have one (TLV).
PARAMETERS: Final = """
1 AntennaID: AntennaID u16
2 FirstSeenUTC: FirstSeen u64
3 FirstSeenUptime: FirstSeen u64
4 LastSeenUTC: LastSeen u64
5 LastSeenUptime: LastSeen u64
6 PeakRSSI: PeakRSSI s8
7 ChannelIndex: ChannelIndex u16
8 TagSeenCount: TagSeenCount u16
9 ROSpecID: ROSpecID u32
10 InventoryParameterSpecID: InventoryParameterSpecID u16
11 C1G2CRC: C1G2CRC u16
12 C1G2PC: EPCMemoryLength n5, HasUserMemory flag, HasXPC flag, IsISO15961 flag, AttributesOrAFI u8
13 EPC96: EPC bytes12
14 SpecIndex: SpecIndex u16
15 ClientRequestOpSpecResult: ClientRequestOpSpecResult u16
16 AccessSpecID: AccessSpecID u32
17 OpSpecID: OpSpecID u16
18 C1G2SingulationDetails: NumCollisionSlots u16, NumEmptySlots u16
19 C1G2XPCW1: C1G2XPCW1 u16
20 C1G2XPCW2: C1G2XPCW2 u16

128 UTCTimestamp: Microseconds u64
129 Uptime: Microseconds u64
137 GeneralDeviceCapabilities: MaxSupportedAntennas u16, CanSetAntennaProperties flag, HasUTCClock flag, -14,
    DeviceManufacturer u32, Model u32, FirmwareVersion text
    | ReceiveSensitivities=ReceiveSensitivityTableEntry*,
    PerAntennaReceiveSensitivityRanges=PerAntennaReceiveSensitivityRange*, GPIOCapabilities,
    PerAntennaAirProtocols=PerAntennaAirProtocol*, MaximumReceiveSensitivity
139 ReceiveSensitivityTableEntry: Index u16, ReceiveSensitivity u16
140 PerAntennaAirProtocol: AntennaID u16, AirProtocolIDs u8[]
141 GPIOCapabilities: NumGPIs u16, NumGPOs u16
142 LLRPCapabilities: CanDoRFSurvey flag, CanReportBufferFillWarning flag, SupportsClientRequestOpSpec flag,
    CanDoTagInventoryStateAwareSingulation flag, SupportsEventsAndReportHolding flag, -3,
    MaxPriorityLevelSupported u8, ClientRequestedOpSpecTimeout u16, MaxROSpecs u32, MaxSpecsPerROSpec u32,
    MaxInventoryParameterSpecsPerAISpec u32, MaxAccessSpecs u32, MaxOpSpecsPerAccessSpec u32
143 RegulatoryCapabilities: CountryCode u16, CommunicationsStandard u16 | UHFBandCapabilities
144 UHFBandCapabilities: | TransmitPowerLevels=TransmitPowerLevelTableEntry*, FrequencyInformation,
    C1G2RFModes=UHFC1G2RFModeTable, RFSurveyFrequencyCapabilities
145 TransmitPowerLevelTableEntry: Index u16, TransmitPowerValue s16
146 FrequencyInformation: Hopping flag, -7 | FrequencyHopTables=FrequencyHopTable*, FixedFrequencyTable
147 FrequencyHopTable: HopTableID u8, -8, Frequencies u32[]
148 FixedFrequencyTable: Frequencies u32[]
149 PerAntennaReceiveSensitivityRange: AntennaID u16, ReceiveSensitivityIndexMin u16,
    ReceiveSensitivityIndexMax u16
177 ROSpec: ROSpecID u32, Priority u8, ROSpecCurrentState u8 | ROBoundarySpec, AISpecs=AISpec*,
    RFSurveySpecs=RFSurveySpec*, LoopSpec, ROReportSpec
178 ROBoundarySpec: | StartTrigger=ROSpecStartTrigger, StopTrigger=ROSpecStopTrigger
179 ROSpecStartTrigger: Trigger u8 | PeriodicTrigger=PeriodicTriggerValue, GPITrigger=GPITriggerValue
180 PeriodicTriggerValue: Offset u32, Period u32 | UTCTimestamp
181 GPITriggerValue: Port u16, Event flag, -7, Timeout u32
182 ROSpecStopTrigger: Trigger u8, DurationTriggerValue u32 | GPITriggerValue
183 AISpec: AntennaIDs u16[] | StopTrigger=AISpecStopTrigger,
    InventoryParameterSpecs=InventoryParameterSpec*
184 AISpecStopTrigger: Trigger u8, DurationTriggerValue u32 | GPITrigger=GPITriggerValue,
    TagObservationTrigger
185 TagObservationTrigger: Trigger u8, -8, NumberOfTags u16, NumberOfAttempts u16, T u16, Timeout u32
186 InventoryParameterSpec: InventoryParameterSpecID u16, AirProtocolID u8
    | AntennaConfigurations=AntennaConfiguration*
187 RFSurveySpec: AntennaID u16, StartFrequency u32, EndFrequency u32 | Trigger=RFSurveySpecStopTrigger
188 RFSurveySpecStopTrigger: Trigger u8, Duration u32, N u32
207 AccessSpec: AccessSpecID u32, AntennaID u16, AirProtocolID u8, IsActive flag, -7, ROSpecID u32
    | Trigger=AccessSpecStopTrigger, AccessCommand, AccessReportSpec
208 AccessSpecStopTrigger: Trigger u8, OperationCountValue u16
209 AccessCommand: | C1G2TagSpec, C1G2Read*, C1G2Write*, C1G2Kill*, C1G2Recommission*, C1G2Lock*,
    C1G2BlockErase*, C1G2BlockWrite*, C1G2BlockPermalock*, C1G2GetBlockPermalockStatus*, ClientRequestOpSpec*
210 ClientRequestOpSpec: OpSpecID u16
211 ClientRequestResponse: AccessSpecID u32 | EPCData, C1G2Read*, C1G2Write*, C1G2Kill*, C1G2Recommission*,
    C1G2Lock*, C1G2BlockErase*, C1G2BlockWrite*, C1G2BlockPermalock*, C1G2GetBlockPermalockStatus*,
    ClientRequestOpSpec*
217 LLRPConfigurationStateValue: LLRPConfigurationState u32
218 Identification: IDType u8, ReaderID u8[]
219 GPOWriteData: Port u16, Data flag, -7
220 KeepAliveSpec: Trigger u8, Interval u32
221 AntennaProperties: AntennaConnected flag, -7, AntennaID u16, AntennaGain s16
222 AntennaConfiguration: AntennaID u16 | RFReceiver, RFTransmitter, C1G2InventoryCommand
223 RFReceiver: ReceiverSensitivityIndex u16
224 RFTransmitter: HopTableID u16, ChannelIndex u16, TransmitPowerIndex u16
225 GPIPortCurrentState: Port u16, Enabled flag, -7, State u8
226 EventsAndReports: HoldEventsAndReportsUponReconnect flag, -7
237 ROReportSpec: Trigger u8, N u16 | TagReportContentSelector
238 TagReportContentSelector: EnableROSpecID flag, EnableSpecIndex flag, EnableInventoryParamSpecID flag,
    EnableAntennaID flag, EnableChannelIndex flag, EnablePeakRSSI flag, EnableFirstSeenTimestamp flag,
    EnableLastSeenTimestamp flag, EnableTagSeenCount flag, EnableAccessSpecID flag, -6 | C1G2EPCMemorySelector
239 AccessReportSpec: Trigger u8
240 TagReportData: | EPCData, EPC96, ROSpecID, SpecIndex, InventoryParameterSpecID, AntennaID, PeakRSSI,
    ChannelIndex, FirstSeenUTC, FirstSeenUptime, LastSeenUTC, LastSeenUptime, TagSeenCount, C1G2PC, C1G2XPCW1,
    C1G2XPCW2, C1G2CRC, AccessSpecID, C1G2ReadOpSpecResult, C1G2WriteOpSpecResult, C1G2KillOpSpecResult,
    C1G2LockOpSpecResult, C1G2BlockEraseOpSpecResult, C1G2BlockWriteOpSpecResult,
    C1G2RecommissionOpSpecResult, C1G2BlockPermalockOpSpecResult, C1G2GetBlockPermalockStatusOpSpecResult,
    ClientRequestOpSpecResult
241 EPCData: EPC bits
242 RFSurveyReportData: | ROSpecID, SpecIndex, FrequencyRSSILevelEntries=FrequencyRSSILevelEntry*
243 FrequencyRSSILevelEntry: Frequency u32, Bandwidth u32, AverageRSSI s8, PeakRSSI s8 | UTCTimestamp, Uptime
244 ReaderEventNotificationSpec: | EventNotificationStates=EventNotificationState*
245 EventNotificationState: ReaderEventType u16, NotificationEnabled flag, -7
246 ReaderEventNotificationData: | UTCTimestamp, Uptime, HoppingEvent, GPIEvent, ROSpecEvent,
    ReportBufferLevelWarningEvent, ReportBufferOverflowErrorEvent, ReaderExceptionEvent, RFSurveyEvent,
    AISpecEvent, AntennaEvent, ConnectionAttemptEvent, ConnectionCloseEvent, SpecLoopEvent
247 HoppingEvent: HopTableID u16, NextChannelIndex u16
248 GPIEvent: Port u16, Event flag, -7
249 ROSpecEvent: Event u8, ROSpecID u32, PreemptingROSpecID u32
250 ReportBufferLevelWarningEvent: PercentFull u8
251 ReportBufferOverflowErrorEvent:
252 ReaderExceptionEvent: Message text | ROSpecID, SpecIndex, InventoryParameterSpecID, AntennaID,
    AccessSpecID, OpSpecID
253 RFSurveyEvent: Event u8, ROSpecID u32, SpecIndex u16
254 AISpecEvent: Event u8, ROSpecID u32, SpecIndex u16 | SingulationDetails=C1G2SingulationDetails
255 AntennaEvent: Event u8, AntennaID u16
256 ConnectionAttemptEvent: Event u16
257 ConnectionCloseEvent:
287 LLRPStatus: Status u16, ErrorDescription text | FieldError, ParameterError
288 FieldError: FieldIndex u16, ErrorCode u16
289 ParameterError: ParameterType u16, ErrorCode u16 | FieldError, ParameterError
327 C1G2LLRPCapabilities: SupportsBlockErase flag, SupportsBlockWrite flag, SupportsBlockPermalock flag,
    SupportsTagRecommissioning flag, SupportsUMIMethod2 flag, SupportsXPC flag, -2,
    MaxSelectFiltersPerQuery u16
328 UHFC1G2RFModeTable: | UHFC1G2RFModeTableEntries=UHFC1G2RFModeTableEntry*
329 UHFC1G2RFModeTableEntry: ModeID u32, DivideRatio n1, IsEPCHagConformant flag, -6, Modulation u8,
    ForwardLinkModulation u8, SpectralMask u8, BackscatterDataRate u32, PIERatio u32, MinTariTime u32,
    MaxTariTime u32, StepTariTime u32
330 C1G2InventoryCommand: TagInventoryStateAware flag, -7 | Filters=C1G2Filter*, RFControl=C1G2RFControl,
    SingulationControl=C1G2SingulationControl
331 C1G2Filter: TruncateAction n2, -6 | TagInventoryMask=C1G2TagInventoryMask,
    AwareFilterAction=C1G2TagInventoryStateAwareFilterAction,
    UnawareFilterAction=C1G2TagInventoryStateUnawareFilterAction
332 C1G2TagInventoryMask: MemoryBank n2, -6, MostSignificantBit u16, TagMask bits
333 C1G2TagInventoryStateAwareFilterAction: Target u8, FilterAction u8
334 C1G2TagInventoryStateUnawareFilterAction: FilterAction u8
335 C1G2RFControl: RFModeID u16, Tari u16
336 C1G2SingulationControl: Session n2, -6, TagPopulation u16, TagTransitTime u32
    | InvAwareAction=C1G2TagInventoryStateAwareSingulationAction
337 C1G2TagInventoryStateAwareSingulationAction: SessionState n1, SLState n1, SLAll flag, -5
338 C1G2TagSpec: | TagPatterns=C1G2TargetTag*
339 C1G2TargetTag: C1G2MemoryBank n2, MatchFlag flag, -5, MostSignificantBit u16, TagMask bits, TagData bits
341 C1G2Read: OpSpecID u16, AccessPassword u32, C1G2MemoryBank n2, -6, WordAddress u16, WordCount u16
342 C1G2Write: OpSpecID u16, AccessPassword u32, C1G2MemoryBank n2, -6, WordAddress u16, Data u16[]
343 C1G2Kill: OpSpecID u16, KillPassword u32
344 C1G2Lock: OpSpecID u16, AccessPassword u32 | C1G2LockPayloads=C1G2LockPayload*
345 C1G2LockPayload: LockPrivilege u8, LockData u8
346 C1G2BlockErase: OpSpecID u16, AccessPassword u32, C1G2MemoryBank n2, -6, WordAddress u16, WordCount u16
347 C1G2BlockWrite: OpSpecID u16, AccessPassword u32, C1G2MemoryBank n2, -6, WordAddress u16, Data u16[]
348 C1G2EPCMemorySelector: CRCEnabled flag, PCBitsEnabled flag, XPCBitsEnabled flag, -5
349 C1G2ReadOpSpecResult: C1G2ReadOpSpecResultType u8, OpSpecID u16, Data u16[]
350 C1G2WriteOpSpecResult: C1G2WriteOpSpecResultType u8, OpSpecID u16, WordsWritten u16
351 C1G2KillOpSpecResult: C1G2KillResult u8, OpSpecID u16
352 C1G2LockOpSpecResult: C1G2LockResult u8, OpSpecID u16
353 C1G2BlockEraseOpSpecResult: C1G2BlockEraseResult u8, OpSpecID u16
354 C1G2BlockWriteOpSpecResult: C1G2BlockWriteResult u8, OpSpecID u16, WordsWritten u16
355 LoopSpec: LoopCount u32
356 SpecLoopEvent: ROSpecID u32, LoopCount u32
357 C1G2Recommission: OpSpecID u16, KillPassword u32, -5, SB3 flag, SB2 flag, LSB flag
358 C1G2BlockPermalock: OpSpecID u16, AccessPassword u32, C1G2MemoryBank n2, -6, BlockAddress u16,
    BlockMask u16[]
359 C1G2GetBlockPermalockStatus: OpSpecID u16, AccessPassword u32, C1G2MemoryBank n2, -6, BlockAddress u16,
    BlockRange u16
360 C1G2RecommissionOpSpecResult: C1G2RecommissionResult u8, OpSpecID u16
361 C1G2BlockPermalockOpSpecResult: C1G2BlockPermalockResult u8, OpSpecID u16
362 C1G2GetBlockPermalockStatusOpSpecResult: C1G2GetBlockPermalockStatusResult u8, OpSpecID u16,
    PermalockStatuses u16[]
363 MaximumReceiveSensitivity: MaxSensitivity s16
365 RFSurveyFrequencyCapabilities: MinFrequency u32, MaxFrequency u32
1023 Custom: VendorID u32, Subtype u32, Data rest
"""
