# SPDX-License-Identifier: Apache-2.0
"""The camera as a program: `folder` lays pictures into a folder as a camera does by FTP, `film` writes a
video file, `stream` is an RTSP camera that plays them again and again until it is ended.

Codes are made up, or given with --code as a scanner sends them, symbology identifier in front and <GS>
between elements. The truth goes to --truth, one JSON object a picture: its number, its name in a
folder, its labels. Exit 0: written; 2: usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import IO

import cv2

from simulators.camera.film import Lane, Picture, lane_pictures, lay_down
from simulators.camera.goods import KINDS, made_up
from simulators.camera.rtsp import RtspCamera
from simulators.camera.scene import CONDITIONS
from simulators.camera.symbols import SymbolError, symbol_pixels

SIZE = (1280, 720)


def main(arguments: list[str] | None = None) -> int:
    """Run one command of the camera; returns the exit code."""
    options = _parser().parse_args(arguments)
    chance = Random(options.seed)
    codes = options.code or [made_up(chance.choice(KINDS), chance) for _ in range(options.labels)]
    lane = Lane(options.pictures, options.pause, options.together)
    pictures = lane_pictures(codes, lane, CONDITIONS[options.conditions], SIZE, chance)
    if options.command == "stream":
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_stream(list(pictures), options))
        return 0
    write: Callable[[Iterator[Picture], argparse.Namespace, IO[str] | None], int]
    write = {"folder": _folder, "film": _film}[options.command]
    if options.truth is None:
        count = write(pictures, options, None)
    else:
        with options.truth.open("w", encoding="utf-8") as truth:
            count = write(pictures, options, truth)
    print(f"{count} pictures of {len(codes)} labels")  # noqa: T201 - a program speaks
    return 0


def _folder(pictures: Iterator[Picture], options: argparse.Namespace, truth: IO[str] | None) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    number = 0
    for number, taken in enumerate(pictures, start=1):
        name = f"{options.prefix}{number:06d}.jpg"
        lay_down(options.out / name, taken)
        _tell(truth, number, name, taken)
        if options.interval:
            time.sleep(options.interval)
    return number


def _film(pictures: Iterator[Picture], options: argparse.Namespace, truth: IO[str] | None) -> int:
    film = cv2.VideoWriter(str(options.out), cv2.VideoWriter.fourcc(*"mp4v"), options.fps, SIZE)
    if not film.isOpened():
        raise SystemExit(f"camera: {options.out} cannot be written as a film: expected a name ending in .mp4")
    number = 0
    for number, taken in enumerate(pictures, start=1):
        film.write(taken.pixels)
        _tell(truth, number, None, taken)
    film.release()
    return number


async def _stream(pictures: list[Picture], options: argparse.Namespace) -> None:
    async with RtspCamera(options.fps, port=int(str(options.out))) as camera:
        print(camera.url, flush=True)  # noqa: T201 - a program speaks
        for taken in itertools.cycle(pictures):
            camera.show(taken.pixels)
            await asyncio.sleep(1 / options.fps)


def _tell(truth: IO[str] | None, number: int, name: str | None, taken: Picture) -> None:
    if truth is not None:
        line = {"picture": number, "name": name, "labels": [label.as_json() for label in taken.labels]}
        truth.write(json.dumps(line) + "\n")
        truth.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.camera", description=__doc__)
    parser.add_argument("command", choices=["folder", "film", "stream"])
    parser.add_argument("out", type=Path, help="the folder, the film's file (.mp4), the stream's port (or 0)")
    parser.add_argument("--code", type=_code, action="append", help="a label, such as ]C1009521999...")
    parser.add_argument("--labels", type=int, default=10, help="how many labels are made up (default 10)")
    parser.add_argument("--conditions", choices=sorted(CONDITIONS), default="dock")
    parser.add_argument("--pictures", type=int, default=8, help="in how many a label is seen (default 8)")
    parser.add_argument("--pause", type=int, default=4, help="pictures between labels (default 4)")
    parser.add_argument("--together", type=int, default=1, help="labels that pass side by side (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truth", type=Path, help="file for the truth (JSON lines)")
    parser.add_argument("--interval", type=float, default=0.0, help="folder: seconds between pictures")
    parser.add_argument("--prefix", default="", help="folder: what names begin with")
    parser.add_argument(
        "--fps", type=float, default=10.0, help="film and stream: pictures a second (default 10)"
    )
    return parser


def _code(text: str) -> bytes:
    code = text.replace("<GS>", "\x1d").encode()
    try:
        symbol_pixels(code)
    except SymbolError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return code


if __name__ == "__main__":
    sys.exit(main())
