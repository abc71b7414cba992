# SPDX-License-Identifier: Apache-2.0
"""The camera path against pyzbar, on pictures rendered for the purpose: 1280 x 720, labels that pass one
after the other, with empty pictures between.

Ours is all that a picture costs a camera: gray, codes by zxing-cpp, the second look at bar codes, what is in
view, the JPEG that is kept of each new label. Theirs is gray and `pyzbar.decode`, limited to the formats that
it shares with ours. What is read is checked against the truth: pictures in which the label was read, labels
that were read at all, and reads of what is not there.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import cv2
from pyzbar import pyzbar  # type: ignore[import-untyped]

from drivers.camera import CameraSettings
from drivers.camera.decoders import Decoder, Symbol
from drivers.camera.eyes import Eyes, load_eyes
from drivers.camera.in_view import InView, raw
from drivers.camera.look import Look
from drivers.camera.shots import Shot
from simulators.camera.film import Lane, lane_pictures
from simulators.camera.goods import KINDS, made_up
from simulators.camera.scene import CONDITIONS
from simulators.camera.symbols import Pixels

GOAL = 1.8
SIZE = (1280, 720)
LANE = Lane(pictures=6, pause=2)
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHARED = [pyzbar.ZBarSymbol.CODE128, pyzbar.ZBarSymbol.I25, pyzbar.ZBarSymbol.QRCODE]

Film = list[tuple[Pixels, bytes | None]]
"""Pictures with the code of the label in each, None for an empty one."""


@dataclass
class Found:
    """What one way read of a film, and its processor time."""

    seconds: float = 0.0
    pictures: int = 0
    labels: set[bytes] = field(default_factory=set)
    wrong: int = 0


@dataclass(frozen=True)
class Row:
    """One kind of label under one set of conditions; frames per second are medians of the rounds."""

    conditions: str
    kind: str
    pictures: int
    labels: int
    ours_fps: float
    theirs_fps: float
    ratio: float
    ours_pictures: int
    theirs_pictures: int
    ours_labels: int
    theirs_labels: int
    ours_wrong: int
    theirs_wrong: int


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when every goal was reached, else 1."""
    parser = argparse.ArgumentParser(prog="bench camera", description="The camera path and pyzbar.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--labels", type=int, default=8, help="labels of each kind and condition (default 8)")
    parser.add_argument("--sizes", type=int, metavar="N", help="only: of N labels of each size, those read")
    options = parser.parse_args(argv)
    if options.sizes:
        _print_sizes(options.sizes)
        return 0
    rows, ratio = measure(options.rounds, options.labels)
    shared = [row for row in rows if row.kind != "data-matrix"]
    reached = {
        "faster": ratio >= GOAL,
        "pictures": sum(r.ours_pictures for r in shared) >= sum(r.theirs_pictures for r in shared),
        "labels": sum(r.ours_labels for r in shared) >= sum(r.theirs_labels for r in shared),
        "none wrong": sum(row.ours_wrong for row in rows) == 0,
    }
    if options.json:
        told = {"ratio": round(ratio, 2), "goal": GOAL, "reached": reached, "rows": [asdict(r) for r in rows]}
        print(json.dumps(told))
    else:
        _print(rows, ratio, reached)
    return 0 if all(reached.values()) else 1


def measure(rounds: int, labels: int) -> tuple[list[Row], float]:
    """Rows, and the ratio of frames per second over all pictures of what both can read."""
    eyes = load_eyes(CameraSettings())
    rows, shared = [], []
    for conditions in CONDITIONS:
        for kind in KINDS:
            film = list(_film(conditions, kind, labels))
            with _hushed():
                pairs = [(by_camera(eyes, film), by_pyzbar(film)) for _ in range(rounds)]
            if kind != "data-matrix":
                shared.append([(ours.seconds, theirs.seconds) for ours, theirs in pairs])
            rows.append(_row(conditions, kind, film, pairs))
    # A ratio is taken within a round, so that a slow moment hits both alike.
    ratios = [
        sum(theirs for _, theirs in each) / sum(ours for ours, _ in each)
        for each in zip(*shared, strict=True)
    ]
    return rows, statistics.median(ratios)


def _film(conditions: str, kind: str, labels: int) -> Iterator[tuple[Pixels, bytes | None]]:
    chance = Random(f"{conditions} {kind}")
    codes = [made_up(kind, chance) for _ in range(labels)]
    for taken in lane_pictures(codes, LANE, CONDITIONS[conditions], SIZE, chance):
        yield taken.pixels, taken.labels[0].code if taken.labels else None


class Listening:
    """A decoder that remembers what it read at the first look."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.name, self.lacks = decoder.name, decoder.lacks
        self.reads: list[list[Symbol]] = []

    def read(self, gray: Pixels) -> list[Symbol]:
        self.reads.append(self._decoder.read(gray))
        return self.reads[-1]


def by_camera(eyes: Eyes, film: Film) -> Found:
    """All that a camera does with pictures ten times a second."""
    found, decoder = Found(), Listening(eyes.decoder)
    look = Look(Eyes(eyes.cv2, decoder), CameraSettings(), InView(4_000_000_000), live=True)
    with _timed(found):
        for number, (pixels, code) in enumerate(film):
            decoder.reads.clear()
            ns = number * 100_000_000
            for scan in look.at(Shot(pixels, AT, ns, ns)):
                if _plain(raw(scan.symbol)) == code:
                    found.labels.add(_plain(raw(scan.symbol)))
                else:
                    found.wrong += 1
            found.pictures += any(_plain(raw(symbol)) == code for symbol in decoder.reads[0])
    return found


def by_pyzbar(film: Film) -> Found:
    """pyzbar's own call, limited to the formats that are looked for."""
    found = Found()
    with _timed(found):
        for pixels, code in film:
            read = [each.data for each in pyzbar.decode(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), SHARED)]
            right = code is not None and code[3:] in read
            found.pictures += right
            found.wrong += len(read) - right
            if code is not None and right:
                found.labels.add(code)
    return found


def _plain(code: bytes) -> bytes:
    """Whether the decoder checked the digit of an ITF-14 is no part of what it read."""
    return code.replace(b"]I0", b"]I1")


@contextlib.contextmanager
def _timed(found: Found) -> Iterator[None]:
    gc.collect()
    began = time.process_time()
    yield
    found.seconds = time.process_time() - began


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """zbar says on standard error what it did not expect in a picture."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _row(conditions: str, kind: str, film: Film, pairs: list[tuple[Found, Found]]) -> Row:
    ours, theirs = pairs[0]
    count = len(film)
    return Row(
        conditions,
        kind,
        sum(code is not None for _, code in film),
        len({code for _, code in film} - {None}),
        round(statistics.median(count / each.seconds for each, _ in pairs), 1),
        round(statistics.median(count / each.seconds for _, each in pairs), 1),
        round(statistics.median(them.seconds / us.seconds for us, them in pairs), 2),
        ours.pictures,
        theirs.pictures,
        len(ours.labels),
        len(theirs.labels),
        ours.wrong,
        theirs.wrong,
    )


def _print_sizes(count: int) -> None:
    """In how many pictures of a dock a label is read, by the pixels of its narrowest bar or its cell."""
    eyes = load_eyes(CameraSettings())
    print(f"{'pixels':12}" + "".join(f"{size:>7}" for size in _SIZES_PX))
    for kind in KINDS:
        cell = 1.0 if kind in ("sscc", "lot", "itf-14") else 1.5
        read = []
        for size in _SIZES_PX:
            chance = Random(f"{kind} {size}")
            film: Film = []
            conditions = replace(CONDITIONS["dock"], module=(size / cell, size / cell))
            for _ in range(count):
                codes = [made_up(kind, chance)]
                (taken,) = lane_pictures(codes, Lane(1, 0), conditions, SIZE, chance)
                film.append((taken.pixels, taken.labels[0].code))
            read.append(len(by_camera(eyes, film).labels))
        print(f"{kind:12}" + "".join(f"{100 * number // count:6}%" for number in read))


_SIZES_PX = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.5)


def _print(rows: list[Row], ratio: float, reached: dict[str, bool]) -> None:
    print("pictures a second of one core, ours / pyzbar; read: pictures and labels; wrong reads")
    for row in rows:
        print(
            f"{row.conditions:6} {row.kind:12} {row.ours_fps:6.1f} / {row.theirs_fps:5.1f} = "
            f"{row.ratio:4.2f}x   "
            f"pictures {row.ours_pictures:3} / {row.theirs_pictures:3} of {row.pictures:3}   "
            f"labels {row.ours_labels:2} / {row.theirs_labels:2} of {row.labels:2}   "
            f"wrong {row.ours_wrong} / {row.theirs_wrong}"
        )
    total: dict[str, Any] = {
        name: sum(getattr(row, name) for row in rows) for name in asdict(rows[0]) if name[-5:] == "wrong"
    }
    print(
        f"what both can read: {ratio:.2f}x, goal {GOAL}x; "
        f"wrong {total['ours_wrong']} / {total['theirs_wrong']}"
    )
    for name, held in reached.items():
        print(f"{name}: {'reached' if held else 'NOT REACHED'}")
