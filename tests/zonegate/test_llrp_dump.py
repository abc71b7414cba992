# SPDX-License-Identifier: Apache-2.0
"""`zonegate llrp dump`: one JSON object a line for whatever a file, a pipe or a reader holds."""

from __future__ import annotations

import io
import json
import socket
import threading
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from drivers.llrp.framing import LlrpFramer
from drivers.llrp.messages import Message, Parameter, decode, encode, message_names
from tests.drivers.llrp import mutations, samples
from tests.source import ROOT
from zonegate.cli import main

if TYPE_CHECKING:
    from pathlib import Path

TAG = Parameter(
    "TagReportData",
    {},
    [
        Parameter("EPC96", {"EPC": bytes.fromhex("301430a55c0ac30000000009")}),
        Parameter("AntennaID", {"AntennaID": 1}),
        Parameter("PeakRSSI", {"PeakRSSI": -54}),
        Parameter("ImpinjRFPhaseAngle", {"PhaseAngle": 2048}),
        Parameter("Custom", {"VendorID": 161, "Subtype": 121, "Data": b"\x01"}),
    ],
)
REPORT = encode(Message("RO_ACCESS_REPORT", 7, {}, [TAG], version=2))
KEEPALIVE = encode(Message("KEEPALIVE", 8))

Lines = list[dict[str, Any]]


def dumped(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Lines]:
    code = main(["llrp", "dump", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    return code, [json.loads(line) for line in out.splitlines()]


def kept(folder: Path, data: bytes, name: str = "reader.bin") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def test_frames_in_a_row_are_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strange = encode(Message("Unknown", 9, {"Type": 900, "Data": b"ab"}))
    code, lines = dumped(capsys, kept(tmp_path, REPORT + KEEPALIVE + strange))
    assert code == 0
    assert lines == [
        {
            "type": "RO_ACCESS_REPORT",
            "id": 7,
            "length": len(REPORT),
            "version": 2,
            "TagReportData": [
                {
                    "EPC96": {"EPC": "MBQwpVwKwwAAAAAJ"},
                    "AntennaID": 1,
                    "PeakRSSI": -54,
                    "ImpinjRFPhaseAngle": 2048,
                    "Custom": [{"VendorID": 161, "Subtype": 121, "Data": "AQ=="}],
                    "epc": "301430A55C0AC30000000009",
                }
            ],
        },
        {"type": "KEEPALIVE", "id": 8, "length": 10, "version": 1},
        {"type": 900, "id": 9, "length": 12, "version": 1, "Type": 900, "Data": "YWI="},
    ]


def test_the_documented_line_is_what_its_frame_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs/integrate/llrp.md").read_text()
    documented = json.loads(text.partition("```json\n")[2].partition("\n```")[0])
    seen = Parameter("FirstSeenUTC", {"FirstSeen": 1594174805147920})
    tag = Parameter("TagReportData", {}, [*TAG.parameters[:3], seen])
    frame = encode(Message("RO_ACCESS_REPORT", 7, {}, [tag]))
    assert dumped(capsys, kept(tmp_path, frame)) == (0, [documented])


def test_a_bad_frame_is_told_and_the_next_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = REPORT[:12] + b"\xff\xff" + REPORT[14:]
    code, lines = dumped(capsys, kept(tmp_path, bad + KEEPALIVE))
    assert code == 1
    assert [line["type"] for line in lines] == ["RO_ACCESS_REPORT", "KEEPALIVE"]
    assert lines[0]["error"].startswith("RO_ACCESS_REPORT > TagReportData at byte 12: says that it is 65535")
    assert (lines[0]["id"], lines[0]["length"]) == (7, len(bad))
    assert "error" not in lines[1]


def test_what_is_no_header_and_what_has_no_end_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = dumped(capsys, kept(tmp_path, KEEPALIVE + b"GET / HTTP/1.1\r\n" + KEEPALIVE))
    assert code == 1
    assert [line.get("offset") for line in lines] == [None, 10]
    assert lines[1]["header"] == b"GET / HTTP".hex()
    code, lines = dumped(capsys, kept(tmp_path, KEEPALIVE + REPORT[:-1]))
    assert code == 1
    assert lines[1] == {
        "offset": 10,
        "error": f"the bytes end within a frame, {len(REPORT) - 1} bytes of it came",
    }
    assert dumped(capsys, kept(tmp_path, b""))[0] == 1


def test_one_body_without_header_is_read_by_option_or_by_the_file_s_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        ["--body", "RO_ACCESS_REPORT", kept(tmp_path, REPORT[10:])],
        ["--body", "roAccessReport", kept(tmp_path, REPORT[10:])],
        [kept(tmp_path, REPORT[10:], "ROAccessReport-001.bytes")],
        # A header goes before the name.
        [kept(tmp_path, REPORT, "GetReaderConfigResponse.bin")],
    ):
        code, [line] = dumped(capsys, *arguments)
        assert code == 0
        assert (line["type"], line["length"]) == ("RO_ACCESS_REPORT", len(REPORT))
    code, [line] = dumped(capsys, "--body", "ADD_ROSPEC_RESPONSE", kept(tmp_path, b"\x01\x1f\x00\x09"))
    assert code == 1
    assert line["error"].startswith("ADD_ROSPEC_RESPONSE > LLRPStatus at byte 2")


def test_standard_input_is_read_as_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(REPORT + KEEPALIVE)))
    code, lines = dumped(capsys, "-")
    assert (code, len(lines)) == (0, 2)


def test_whatever_the_bytes_each_line_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = Random(6)
    others = mutations.good(chance, 100)
    stream = b"".join(mutations.mutated(chance, chance.choice(others), others) for _ in range(300))
    for data in (stream, chance.randbytes(5000), *(chance.choice(others)[:size] for size in range(1, 20))):
        code, lines = dumped(capsys, kept(tmp_path, data))
        assert code == any("error" in line for line in lines)
    for name in message_names():
        dumped(capsys, "--body", name, kept(tmp_path, chance.randbytes(60)))
        message = samples.message(chance, name, whole=True)
        assert dumped(capsys, kept(tmp_path, encode(message)))[0] == 0


def test_a_tag_where_no_tag_belongs_is_listed_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = encode(Message("KEEPALIVE", 9, {}, [TAG]))
    code, lines = dumped(capsys, kept(tmp_path, strange + REPORT))
    assert (code, [line["type"] for line in lines]) == (0, ["KEEPALIVE", "RO_ACCESS_REPORT"])
    assert list(lines[0]["Unexpected"][0]) == ["TagReportData"]
    assert lines[1]["TagReportData"][0]["epc"] == "301430A55C0AC30000000009"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--body", "NO_SUCH", "x"],
        ["/no/such/file"],
        ["ftp://reader"],
        ["."],
        ["reader:0"],
        ["reader:x"],
        ["null-modem://a"],
    ],
)
def test_a_wrong_call_is_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["llrp", "dump", *arguments])
    assert ended.value.code == 2
    assert "zonegate llrp dump: error: " in capsys.readouterr().err


class OneVisit:
    """A reader that says a few things to its first visitor, and hangs up when its keepalive is answered."""

    def __init__(self, says: bytes) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(30)
        self._says = says
        self.heard: list[Message] = []
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._server, self._server.accept()[0] as link:
            link.settimeout(30)
            link.sendall(self._says)
            framer = LlrpFramer()
            while not any(each.name == "KEEPALIVE_ACK" for each in self.heard) and (data := link.recv(4096)):
                self.heard += [decode(frame) for frame in framer.feed(data) if isinstance(frame, bytes)]

    def left(self) -> list[str]:
        self._thread.join()
        return [each.name for each in self.heard]


@pytest.mark.parametrize(
    ("options", "asked"),
    [([], ["GET_READER_CAPABILITIES", "GET_READER_CONFIG", "GET_ROSPECS"]), (["--listen"], [])],
)
def test_a_reader_is_asked_what_changes_nothing_and_answered(
    options: list[str], asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    reader = OneVisit(REPORT + KEEPALIVE)
    code, lines = dumped(capsys, *options, f"127.0.0.1:{reader.port}")
    assert reader.left() == [*asked, "KEEPALIVE_ACK"]
    assert (code, [line["type"] for line in lines]) == (0, ["RO_ACCESS_REPORT", "KEEPALIVE"])


def test_a_reader_that_says_nothing_is_left_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    reader = OneVisit(b"")
    assert dumped(capsys, "--seconds", "0.1", f"llrp://127.0.0.1:{reader.port}") == (0, [])
    reader.left()


def test_a_reader_that_does_not_answer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    code, [line] = dumped(capsys, f"llrp://127.0.0.1:{port}")
    assert code == 1
    assert line["error"].startswith(f"no reader answers at 127.0.0.1:{port}: ")


def test_what_can_be_no_reader_s_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, [line] = dumped(capsys, f"{'x' * 70}.local")
    assert code == 1
    assert line["error"].startswith("no reader answers at ")
