# SPDX-License-Identifier: Apache-2.0
"""The camera's pictures show what their truth says, and one seed makes the same ones again."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zxingcpp

from gs1 import check_digit
from simulators.camera.__main__ import main
from simulators.camera.film import Lane, lane_pictures
from simulators.camera.goods import KINDS, made_up
from simulators.camera.rtsp import PAYLOAD_BYTES, rtp_packets
from simulators.camera.scene import CLEAN, CONDITIONS, HARD, Pose, picture, pose
from simulators.camera.symbols import CARRIERS, SymbolError, symbol_pixels

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (640, 360)


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_codes_are_right_and_drawn_in_their_carrier(kind: str) -> None:
    code = made_up(kind, Random(1))
    digits = code.decode().rpartition("/")[2] if kind == "link" else code.decode()[5:]
    key = digits[:18] if kind in ("sscc", "link") else code.decode()[3:] if kind == "itf-14" else digits[:14]
    assert check_digit(key[:-1]) == key[-1]
    pixels = np.kron(symbol_pixels(code), np.ones((4, 4), np.uint8))
    (read,) = zxingcpp.read_barcodes(pixels, try_downscale=False)
    assert read.symbology_identifier.replace("]I0", "]I1").encode() + read.bytes == code


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"]C1",
        b"]X0text",
        b"00095219990000000013",
        b"]I11234",
        b"]I1abcdefghijklmn",
        b"]C0\x01",
        b"]Q1",
        b"]Q1" + b"x" * 5000,
        b"]d2" + b"9" * 9999,
        b"]C1\xff",
    ],
)
def test_a_code_that_cannot_be_drawn_is_refused_by_name(code: bytes) -> None:
    with pytest.raises(SymbolError) as refused:
        symbol_pixels(code)
    assert len(str(refused.value)) < 400
    assert "cannot be drawn" in str(refused.value) or all(each in str(refused.value) for each in CARRIERS)


def test_corners_of_the_truth_are_where_the_symbol_is() -> None:
    code = made_up("link", Random(1))
    pixels, (shown,) = picture([(code, Pose(300, 200, 4, 12))], CLEAN, SIZE, Random(2))
    (read,) = zxingcpp.read_barcodes(pixels, try_downscale=False)
    middle = np.mean([(corner.x, corner.y) for corner in _corners(read)], axis=0)
    assert np.allclose(middle, np.mean(shown.corners, axis=0), atol=3)
    assert shown.whole


def _corners(read: zxingcpp.Barcode) -> list[zxingcpp.Point]:
    place = read.position
    return [place.top_left, place.top_right, place.bottom_right, place.bottom_left]


def test_a_label_partly_out_of_view_is_told_as_such() -> None:
    code = made_up("sscc", Random(1))
    _, (shown,) = picture([(code, Pose(20, 180, 2, 0))], CLEAN, SIZE, Random(1))
    assert not shown.whole
    always = replace(HARD, cut=1.0)
    for seed in range(10):
        chance = Random(seed)
        _, (shown,) = picture([(code, pose(code, always, SIZE, chance))], always, SIZE, chance)
        assert not shown.whole


def test_one_seed_makes_the_same_pictures_again() -> None:
    def made(seed: int) -> list[bytes]:
        chance = Random(seed)
        codes = [made_up(kind, chance) for kind in KINDS[:2]]
        lane = Lane(pictures=2, pause=1, together=2)
        return [
            taken.pixels.tobytes() for taken in lane_pictures(codes, lane, CONDITIONS["hard"], SIZE, chance)
        ]

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert len(made(1)) == 3


def test_the_program_writes_pictures_and_their_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.jsonl"
    code = "]d2010952199990000110LOT<GS>2107"
    arguments = ["folder", str(tmp_path / "in"), "--code", code, "--pictures", "2", "--pause", "1"]
    assert main([*arguments, "--truth", str(truth), "--prefix", "d2-", "--conditions", "clean"]) == 0
    assert capsys.readouterr().out == "3 pictures of 1 labels\n"
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [line["name"] for line in lines] == sorted(path.name for path in (tmp_path / "in").iterdir())
    assert [line["name"] for line in lines] == ["d2-000001.jpg", "d2-000002.jpg", "d2-000003.jpg"]
    assert [len(line["labels"]) for line in lines] == [1, 1, 0]
    assert lines[0]["labels"][0]["code"] == "010952199990000110LOT\x1d2107"


def test_the_program_refuses_what_it_cannot_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["folder", str(tmp_path), "--code", "]X9abc"])
    assert ended.value.code == 2
    assert "expected one of" in capsys.readouterr().err


def test_a_picture_in_packets_is_whole_again() -> None:
    scan = Random(1).randbytes(3 * PAYLOAD_BYTES + 5)
    packets = list(rtp_packets(640, 360, bytes(128), scan, 7, iter(range(65_534, 65_600))))
    assert [int.from_bytes(packet[2:4], "big") for packet in packets] == [65_534, 65_535, 0, 1]
    assert [packet[1] >> 7 for packet in packets] == [0, 0, 0, 1]
    starts = [int.from_bytes(packet[13:16], "big") for packet in packets]
    assert starts == [number * PAYLOAD_BYTES for number in range(4)]
    assert packets[0][20 + 4 + 128 :] + b"".join(packet[20:] for packet in packets[1:]) == scan
