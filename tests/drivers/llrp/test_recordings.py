# SPDX-License-Identifier: Apache-2.0
"""Messages recorded from a real reader: each decodes to the JSON that another program made of it, and is
written again as it came.
"""

from __future__ import annotations

import csv
import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest

from drivers.llrp.document import as_document
from drivers.llrp.messages import Message, Parameter, decode, decode_body, encode, message_names
from drivers.llrp.reports import ReportDecoder

if TYPE_CHECKING:
    from pathlib import Path

RECORDED = 15


@pytest.fixture(scope="module")
def recordings(conformance_data: Path) -> list[tuple[str, bytes, dict[str, Any]]]:
    """Name of the message, body without header, JSON."""
    by_plain_name = {name.replace("_", ""): name for name in message_names()}
    return [
        (
            by_plain_name[path.name.partition("-")[0].upper()],
            path.read_bytes(),
            json.loads(path.with_suffix(".json").read_text()),
        )
        for path in sorted((conformance_data / "llrp").rglob("*.bytes"))
    ]


def said(recorded: Any) -> Any:
    """What a recording's JSON says: its program writes null, or zero in two places, for what is not there."""
    if isinstance(recorded, list):
        return [said(each) for each in recorded]
    if not isinstance(recorded, dict):
        return recorded
    kept = {key: said(value) for key, value in recorded.items() if value is not None}
    if "EPC96" in kept and kept.get("EPCData") == {"EPCNumBits": 0}:
        del kept["EPCData"]
    if "UTCTimestamp" in kept and kept.get("Uptime") == 0:
        del kept["Uptime"]
    return kept


def test_every_recording_decodes_to_its_json(recordings: list[tuple[str, bytes, dict[str, Any]]]) -> None:
    assert len(recordings) >= RECORDED
    for name, body, document in recordings:
        assert as_document(decode_body(name, body)) == said(document), name
    print(f"{len(recordings)} recordings")


def test_every_recording_is_written_again_as_it_came(
    recordings: list[tuple[str, bytes, dict[str, Any]]],
) -> None:
    for name, body, _ in recordings:
        frame = encode(decode_body(name, body))
        assert frame[10:] == body, name
        assert encode(decode(frame)) == frame


def test_another_byte_makes_another_document(recordings: list[tuple[str, bytes, dict[str, Any]]]) -> None:
    name, body, document = next(each for each in recordings if each[0] == "RO_ACCESS_REPORT")
    changed = bytearray(body)
    changed[10] ^= 1
    assert as_document(decode_body(name, bytes(changed))) != said(document)


def test_recorded_tags_become_reads(recordings: list[tuple[str, bytes, dict[str, Any]]]) -> None:
    decoder = ReportDecoder("gate")
    reports = [each for each in recordings if each[0] == "RO_ACCESS_REPORT"]
    for _, body, document in reports:
        [read] = decoder.decode(encode(decode_body("RO_ACCESS_REPORT", body)), 1000)
        [tag] = document["TagReportData"]
        assert read.epc == b64decode(tag["EPC96"]["EPC"])
        assert (read.antenna, read.rssi_cdbm, read.count) == (tag["AntennaID"], tag["PeakRSSI"] * 100, 1)
        assert read.first_us == read.last_us == tag["FirstSeenUTC"] + 1000
    assert len(reports) >= 9


def test_a_thousand_real_tags_pass_through_a_report(conformance_data: Path) -> None:
    with (conformance_data / "tags/1000-tags.csv").open(newline="") as file:
        rows = [(int(pc, 16), int(epc, 2).to_bytes(12, "big")) for pc, epc in csv.reader(file)]
    tags = [
        Parameter("TagReportData", {}, [Parameter("EPC96", {"EPC": epc}), Parameter("C1G2PC", _pc(pc))])
        for pc, epc in rows
    ]
    reads = ReportDecoder("gate").decode(encode(Message("RO_ACCESS_REPORT", 1, {}, tags)), 0)
    assert [(read.pc, read.epc) for read in reads] == rows
    assert len(rows) == 1000


def _pc(word: int) -> dict[str, int | str | bytes | list[int]]:
    return {
        "EPCMemoryLength": word >> 11,
        "HasUserMemory": bool(word >> 10 & 1),
        "HasXPC": bool(word >> 9 & 1),
        "IsISO15961": bool(word >> 8 & 1),
        "AttributesOrAFI": word & 0xFF,
    }
