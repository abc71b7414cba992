# SPDX-License-Identifier: Apache-2.0
"""What a reader sends that cannot be understood is shown wherever people look, and can be taken apart."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from drivers.llrp.client import BAD_FRAME_BYTES_KEPT, BAD_FRAMES_KEPT
from simulators.reader.server import Reader
from tests.edge.portal.floor import Floor, running
from zonegate.cli import main
from zonegate.doctor import WARN, _skipped

BAD = bytes.fromhex("043d 0000000e 00000007 00f0ffff")
"""A report of tags whose first parameter says that it is far longer than the frame."""

LONG = b"\x04\x3d" + (5_010).to_bytes(4, "big") + b"\x00\x00\x00\x08" + b"\x00\xf0\xff\xff" + bytes(4_996)


def asked(floor: Floor, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{floor.service._config.listen}{path}", timeout=10) as answer:
        found: bytes = answer.read()
        return found


async def test_frames_that_were_skipped_are_told_everywhere_and_dumped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Reader() as reader, running(tmp_path, reader) as floor:

        def device() -> Any:
            return next(found for found in floor.service.desk.status().devices if found.kind == "reader")

        assert device().skipped == ""
        assert await asyncio.to_thread(lambda: list(_skipped(floor.service._config, "gate-1"))) == []
        reader.send_bytes(BAD * (BAD_FRAMES_KEPT + 5) + LONG)
        await floor.until(lambda: device().dropped == BAD_FRAMES_KEPT + 6)
        assert (
            device().skipped
            == "RO_ACCESS_REPORT at byte 12: parameter 240 is 65535 bytes long, expected 4 to 5000"
        )
        figures = floor.service.desk.metrics()["zonegate_reader_frames_skipped_total"]
        assert figures == [({"device": "gate-1"}, BAD_FRAMES_KEPT + 6)]
        page = (await asyncio.to_thread(asked, floor, "/")).decode()
        assert f"{BAD_FRAMES_KEPT + 6} messages not understood" in page
        told = await asyncio.to_thread(asked, floor, "/api/v1/devices/gate-1/skipped")
        with pytest.raises(urllib.error.HTTPError):
            await asyncio.to_thread(asked, floor, "/api/v1/devices/gate-2/skipped")
        [finding] = await asyncio.to_thread(lambda: list(_skipped(floor.service._config, "gate-1")))
    kept = json.loads(told)
    assert (kept["count"], len(kept["frames"])) == (BAD_FRAMES_KEPT + 6, BAD_FRAMES_KEPT)
    assert bytes.fromhex(kept["frames"][0]["start"]) == BAD
    assert len(bytes.fromhex(kept["frames"][-1]["start"])) == BAD_FRAME_BYTES_KEPT
    assert (finding.level, finding.about) == (WARN, "reader gate-1")
    assert f"{BAD_FRAMES_KEPT + 6} of its messages could not be understood" in finding.text
    assert "/api/v1/devices/gate-1/skipped | zonegate llrp dump -" in finding.text
    assert list(_skipped(floor.service._config, "gate-1")) == [], "the node does not run any more"
    (tmp_path / "skipped.json").write_bytes(told)
    assert main(["llrp", "dump", str(tmp_path / "skipped.json")]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == BAD_FRAMES_KEPT
    assert (lines[0]["type"], lines[0]["id"], lines[0]["length"]) == ("RO_ACCESS_REPORT", 7, 14)
    assert "65535 bytes long" in lines[0]["error"]
    assert "65535 bytes long" in lines[0]["skipped"]
    assert lines[-1]["error"] == f"of 5010 bytes the first {BAD_FRAME_BYTES_KEPT} were kept"


@pytest.mark.parametrize("data", [b"{}", b'{"device":"x","count":1,"frames":[{"start":"zz"}]}', b"{" * 9])
def test_json_of_another_kind_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    (tmp_path / "other.json").write_bytes(data)
    assert main(["llrp", "dump", str(tmp_path / "other.json")]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert "not a node's word on skipped frames" in json.loads(line)["error"]
