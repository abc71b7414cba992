# SPDX-License-Identifier: Apache-2.0
"""Codes in rendered pictures: how many are found, that none is read wrong, and what each decoder lacks."""

from __future__ import annotations

import ctypes.util
import importlib
import sys
from collections import Counter
from datetime import UTC, date, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import zxingcpp

from drivers.camera import FORMATS, CameraSettings, Region
from drivers.camera.decoders import Symbol, load_decoder
from drivers.camera.eyes import Eyes, load_eyes
from drivers.camera.in_view import InView, raw
from drivers.camera.look import CODES_MAX, EVIDENCE_BYTES_MAX, Look
from drivers.camera.shots import Shot
from drivers.errors import PartMissing
from gs1 import Load, identify
from simulators.camera.goods import KINDS, made_up
from simulators.camera.scene import CLEAN, DOCK, Conditions, Pose, picture, pose
from simulators.camera.symbols import symbol_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.camera.decoders import Decoder
    from drivers.camera.shots import Pixels

SIZE = (1280, 720)
TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = 1_000_000_000


def shot(pixels: Pixels, number: int = 0) -> Shot:
    return Shot(pixels, NOON, number * 100 * S, number * 100 * S)


def gray_of(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


def look_by(decoder: Decoder, settings: CameraSettings | None = None) -> Look:
    return Look(Eyes(cv2, decoder), settings or CameraSettings(), InView(4 * S), live=False)


def scenes(conditions: Conditions, each: int, seed: int) -> Iterator[tuple[str, bytes, Pixels]]:
    """Pictures with one label each: its kind, its code, the picture."""
    chance = Random(seed)
    for _ in range(each):
        for kind in KINDS:
            code = made_up(kind, chance)
            pixels, _ = picture([(code, pose(code, conditions, SIZE, chance))], conditions, SIZE, chance)
            yield kind, code, pixels


def grade(look: Look, pictures: list[tuple[str, bytes, Pixels]]) -> tuple[Counter[str], int]:
    """How many labels were read by kind, and how many reads were of no label there."""
    hits, wrong = Counter[str](), 0
    for number, (kind, code, pixels) in enumerate(pictures):
        for scan in look.at(shot(pixels, number)):
            if raw(scan.symbol).replace(b"]I0", b"]I1") == code:
                hits[kind] += 1
            else:
                wrong += 1
    return hits, wrong


class Guesser:
    """A decoder that makes codes up, their check digits right."""

    name = "guesser"
    lacks: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._chance = Random(3)

    def read(self, gray: Pixels) -> list[Symbol]:
        code = made_up("link", self._chance)
        return [Symbol("]Q1", code[3:], ())]


def test_labels_are_found_and_none_is_read_wrong() -> None:
    clean, dock = list(scenes(CLEAN, 4, 1)), list(scenes(DOCK, 8, 2))
    decoder = load_decoder(CameraSettings().formats)
    found, wrong = grade(look_by(decoder), clean)
    assert (found, wrong) == (Counter(dict.fromkeys(KINDS, 4)), 0)
    found, wrong = grade(look_by(decoder), dock)
    assert wrong == 0
    assert found.total() >= 0.5 * len(dock)
    print(f"clean labels read: 20 of 20; at a dock {found.total()} of {len(dock)}; read wrong: 0")
    guessed, wrong = grade(look_by(Guesser()), clean)
    assert guessed.total() == 0
    assert wrong == 20


def test_what_is_read_identifies_as_from_a_scanner() -> None:
    look = look_by(load_decoder(CameraSettings().formats))
    for number, (_, code, pixels) in enumerate(scenes(CLEAN, 1, 4)):
        (scan,) = look.at(shot(pixels, number))
        seen, scanned = identify(raw(scan.symbol), TODAY), identify(code, TODAY)
        assert isinstance(seen, Load)
        assert isinstance(scanned, Load)
        assert seen.key == scanned.key


@pytest.fixture
def zbar() -> Decoder:
    if ctypes.util.find_library("zbar") is None:
        pytest.skip("libzbar is missing: ./dev test brings it")
    return load_decoder(CameraSettings().formats, "pyzbar")


def test_both_decoders_agree(zbar: Decoder) -> None:
    zxing = load_decoder(CameraSettings().formats, "zxing")
    assert (zbar.name, zbar.lacks, zxing.lacks) == ("pyzbar", ("data-matrix",), ())
    compared = 0
    for kind, code, pixels in scenes(CLEAN, 4, 5):
        gray = gray_of(pixels)
        first = {raw(symbol).replace(b"]I0", b"]I1") for symbol in zxing.read(gray)}
        second = {raw(symbol) for symbol in zbar.read(gray)}
        assert first == {code}
        assert second == ({code} if kind != "data-matrix" else set())
        compared += len(second)
    print(f"labels that both decoders read alike, identifier included: {compared}")


def test_a_plain_code_128_is_not_taken_for_a_gs1_128_by_either(zbar: Decoder) -> None:
    code = b"]C0PALLET-77"
    pixels, _ = picture([(code, Pose(640, 360, 4, 0))], CLEAN, SIZE, Random(1))
    gray = gray_of(pixels)
    for decoder in (zbar, load_decoder(("code-128",), "zxing")):
        assert [raw(symbol) for symbol in decoder.read(gray)] == [code]


def test_an_older_zbar_leaves_open_what_it_cannot_tell(zbar: Decoder) -> None:
    code = made_up("sscc", Random(1))
    pixels, _ = picture([(code, Pose(640, 360, 3, 0))], CLEAN, SIZE, Random(1))
    zbar._modifiers = None  # type: ignore[attr-defined]
    (symbol,) = zbar.read(gray_of(pixels))
    assert (symbol.aim, symbol.code) == (None, code[3:])


@pytest.mark.parametrize(
    ("name", "kind", "text", "aim", "by_zbar"),
    [
        ("code-128", "Code128", "PALLET-77", "]C0", True),
        ("itf-14", "ITF14", "19521999746062", "]I1", True),
        ("data-matrix", "DataMatrix", "ZG1:J:1:XX", "]d1", False),
        ("qr", "QRCode", "https://id.gs1.org/01/09521999000013", "]Q1", True),
        ("ean-13", "EAN13", "9521999000013", "]E0", True),
        ("ean-13", "UPCA", "012345678905", "]E0", True),
        ("ean-8", "EAN8", "96385074", "]E4", True),
        ("databar", "DataBarOmni", "09521999000013", "]e0", True),
        ("databar", "DataBarExp", "(01)09521999000013(10)LOT", "]e0", True),
        ("code-39", "Code39", "ZG-77", "]A0", True),
        ("pdf417", "PDF417", "PALLET 77", "]L2", False),
        ("aztec", "Aztec", "PALLET 77", "]z0", False),
    ],
)
def test_each_format_is_read_alone_and_marked_alike_by_both(
    zbar: Decoder, name: str, kind: str, text: str, aim: str, by_zbar: bool
) -> None:
    drawn = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind)).to_image(scale=4)
    pixels = np.pad(np.asarray(drawn), 60, constant_values=255)
    read = [raw(symbol) for symbol in load_decoder((name,), "zxing").read(pixels)]
    assert len(read) == 1
    assert read[0][:3] == aim.encode()
    second = load_decoder((name,), "pyzbar")
    assert second.lacks == (() if by_zbar else (name,))
    assert [raw(symbol) for symbol in second.read(pixels)] == (read if by_zbar else [])
    others = [each for each in FORMATS if each != name and {each, name} != {"ean-13", "ean-8"}]
    assert load_decoder(others).read(pixels) == []


class Misreader:
    """Reads another code than the one that is there whenever it sees the picture in its first size."""

    name = "misreader"
    lacks: tuple[str, ...] = ()

    def __init__(self, aim: str) -> None:
        self._aim = aim

    def read(self, gray: Pixels) -> list[Symbol]:
        first = gray.shape == (SIZE[1], SIZE[0])
        code = b"00095219990000000020" if first else b"00095219990000000013"
        return [Symbol(self._aim, code, ((500, 300), (700, 300), (700, 400), (500, 400)))]


class Trusting(Look):
    """The planted bug: what was read once is believed."""

    def _is_sure(self, gray: Pixels, symbol: Symbol) -> bool:
        return True


@pytest.mark.parametrize("aim", ["]C1", "]C0", "]I1", "]E0", "]e0"])
def test_a_bar_code_that_reads_otherwise_at_a_second_look_is_dropped(aim: str) -> None:
    blank = shot(np.full((SIZE[1], SIZE[0]), 128, np.uint8))
    look = look_by(Misreader(aim))
    assert look.at(blank) == []
    assert look.doubtful == 1
    trusting = Trusting(look.eyes, look.settings, InView(4 * S), live=False)
    assert [scan.symbol.code for scan in trusting.at(blank)] == [b"00095219990000000020"]


@pytest.mark.long
def test_fine_bars_are_not_read_wrong() -> None:
    """Bars of about a pixel, of which one label in some hundreds reads as another by the library as it is."""
    fine = Conditions((0.9, 1.5), 8, 0.02, (0.1, 0.4), (0, 0), (1, 4), (150, 240))
    chance, size, count = Random(77), (420, 150), 4000
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])
    look = look_by(load_decoder(CameraSettings().formats))
    believed = wrong = plainly_wrong = 0
    for number in range(count):
        code = made_up(("sscc", "lot")[number % 2], chance)
        pixels, _ = picture([(code, pose(code, fine, size, chance))], fine, size, chance)
        codes = [raw(scan.symbol) for scan in look.at(shot(pixels, number))]
        believed += codes.count(code)
        wrong += len(codes) - codes.count(code)
        plain = zxingcpp.read_barcodes(gray_of(pixels), formats=formats, try_downscale=False)
        plainly_wrong += sum(read.bytes != code[3:] for read in plain)
    print(f"of {count} labels with bars too fine {believed} read, {wrong} wrong; as it is {plainly_wrong}")
    assert believed > count // 20
    assert wrong == 0
    assert plainly_wrong > 0


def test_only_the_regions_are_looked_at_and_corners_are_the_pictures() -> None:
    left, right = made_up("sscc", Random(1)), made_up("sscc", Random(2))
    labels = [(left, Pose(320, 360, 2.5, 0)), (right, Pose(960, 360, 2.5, 0))]
    pixels, truth = picture(labels, CLEAN, SIZE, Random(3))
    settings = CameraSettings(regions=(Region(50, 25, 100, 75),))
    look = look_by(load_decoder(settings.formats), settings)
    (scan,) = look.at(shot(pixels))
    assert raw(scan.symbol) == right
    (x0, _), _, (x1, _), _ = truth[1].corners
    assert all(x0 - 20 <= x <= x1 + 20 for x, _ in scan.evidence.corners)


def test_several_labels_in_a_picture_are_all_read() -> None:
    chance = Random(8)
    codes = [made_up(kind, chance) for kind in ("sscc", "data-matrix", "link", "lot")]
    places = [Pose(320, 180, 2.2, 3), Pose(960, 180, 4, -5), Pose(320, 560, 4, 8), Pose(900, 540, 2.2, -4)]
    pixels, truth = picture(list(zip(codes, places, strict=True)), CLEAN, SIZE, chance)
    assert all(shown.whole for shown in truth)
    scans = look_by(load_decoder(CameraSettings().formats)).at(shot(pixels))
    assert {raw(scan.symbol) for scan in scans} == set(codes)


def test_a_qr_code_of_three_kilobytes_is_read_and_refused_as_a_load_with_reasons() -> None:
    text = "https://id.gs1.org/" + "7" * 2900
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L").to_image(scale=4)
    pixels = np.pad(np.asarray(drawn), 30, constant_values=255)
    (scan,) = look_by(load_decoder(("qr",))).at(shot(pixels))
    assert scan.symbol.code == text.encode()
    assert not isinstance(identify(raw(scan.symbol), TODAY), Load)


def test_a_wall_of_codes_is_bounded() -> None:
    class Wall(Guesser):
        def read(self, gray: Pixels) -> list[Symbol]:
            return [symbol for _ in range(500) for symbol in super(Wall, self).read(gray)]

    look = look_by(Wall())
    assert len(look.at(shot(np.zeros((8, 8), np.uint8)))) == CODES_MAX
    assert look.surplus == 500 - CODES_MAX


def test_evidence_is_bounded_and_corners_follow() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (3000, 4000, 3)).astype(np.uint8)
    symbol = np.kron(symbol_pixels(b"]Q1https://id.gs1.org/01/09521999000013"), np.ones((12, 12), np.uint8))
    high, wide = symbol.shape
    noise[1000 : 1000 + high, 2000 : 2000 + wide] = symbol[:, :, None]
    (scan,) = look_by(load_decoder(("qr",))).at(shot(noise))
    evidence = scan.evidence
    assert len(evidence.jpeg) <= EVIDENCE_BYTES_MAX
    assert evidence.width < 4000
    scale = evidence.width / 4000
    assert all(2000 * scale - 5 <= x <= (2000 + wide) * scale + 5 for x, _ in evidence.corners)


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)


def test_without_zxing_pyzbar_reads(monkeypatch: pytest.MonkeyPatch, zbar: Decoder) -> None:
    without(monkeypatch, "zxingcpp")
    assert load_decoder(("code-128",)).name == "pyzbar"


def test_with_nothing_installed_the_line_that_brings_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "zxingcpp", "pyzbar")
    with pytest.raises(PartMissing) as told:
        load_decoder(("qr",))
    assert str(told.value) == (
        "zxing-cpp is not installed: pip install 'zonegate[camera]'; "
        "pyzbar is not installed: pip install 'zonegate[camera]'"
    )
    without(monkeypatch, "cv2")
    with pytest.raises(PartMissing, match=r"OpenCV, which takes pictures, is not installed: pip install"):
        load_eyes(CameraSettings())


def test_a_missing_libzbar_is_told_by_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyzbar"]:
        monkeypatch.delitem(sys.modules, name)
    library: Any = importlib.import_module("pyzbar.zbar_library")

    def unfound() -> None:
        raise ImportError("Unable to find zbar shared library")

    monkeypatch.setattr(library, "load", unfound)
    with pytest.raises(PartMissing, match="libzbar is not: apt-get install libzbar0"):
        load_decoder(("code-128",), "pyzbar")
    assert load_decoder(("code-128",)).name == "zxing-cpp"
