# SPDX-License-Identifier: Apache-2.0
"""The yard with RFID gates as a program: what a host would hear on standard output, the truth in a file.

Standard output begins with a line of JSON, the layout as an installer enters it. Then records follow, each a
head of 13 bytes (u64 arrival in microseconds, u8 kind, u32 length, big-endian) and its bytes: kind 0 to 99 is
a frame of the reader with that place in the layout's `readers`; 200 is a line of the dock's papers, JSON
{"door", "direction"}: from now on this job is open there; 201 ends a shift, JSON {"shift", "crossings"}. The
truth file has one object of JSON a line and is complete when the program ends.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from simulators.yard.radio.play import EyeChange, Observation, Shift, shifts
from simulators.yard.radio.site import LAYOUTS, Site, build_site
from simulators.yard.radio.traffic import MIXES
from simulators.yard.radio.wire import Wire

HEAD: Final = struct.Struct(">QBI")
JOB: Final = 200
END: Final = 201
_SETTLE_US: Final = 60_000_000
"""After a shift's last frame: whatever is open has long closed."""
_AROUND_US: Final = 4_000_000
_DUMP_STEP_US: Final = 100_000


def main(arguments: list[str] | None = None) -> int:
    """Play so many crossings; the exit code."""
    options = _parser().parse_args(arguments)
    site = build_site(options.layout, eyes=options.eyes)
    if options.dump:
        return _dump(options, site)
    out = sys.stdout.buffer
    out.write(json.dumps({"readers": site.readers, **site.as_json()}).encode() + b"\n")
    given = _given(options.epcs) if options.epcs else ()
    mine = shifts(
        options.seed,
        options.crossings,
        site,
        first=options.first,
        every=options.every,
        given=given,
        traffic=options.traffic,
    )
    if options.truth is None:
        sentence = "--truth is missing: expected a file to write the truth to"
        print(sentence, file=sys.stderr)  # noqa: T201 - a program speaks
        return 2
    with options.truth.open("w", encoding="utf-8") as truth:
        for shift in mine:
            for record in _records(shift, Wire(site, Random(f"{shift.seed}:wire"))):
                out.write(record)
            for line in shift.truth():
                truth.write(json.dumps(line, separators=(",", ":")) + "\n")
            truth.flush()
            out.flush()
    return 0


def _dump(options: argparse.Namespace, site: Site) -> int:
    """Everything about one pallet, to look at: where it was, what was read of it, what the eyes did."""
    for shift in shifts(options.seed, options.crossings, site, traffic=options.traffic):
        pallet = next((one for one in shift.hall.pallets if one.name == options.dump), None)
        if pallet is None:
            continue
        tags = {tag.epc for tag in pallet.tags}
        told = list(shift.observations())
        lines = [line for line in shift.truth() if line.get("pallet") == pallet.name]
        from_us = min((line["from_us"] for line in lines if "from_us" in line), default=0) - _AROUND_US
        until_us = max((line["until_us"] for line in lines if "until_us" in line), default=0) + _AROUND_US
        steps = range(from_us, until_us, _DUMP_STEP_US)
        told_of = {
            "truth": lines,
            "jobs": [[int(job.from_s * 1e6), job.door, job.direction] for job in shift.jobs],
            "layout": site.as_json(),
            "course": [[at, *(round(v, 2) for v in pallet.path.at(at / 1e6))] for at in steps],
            "reads": [
                [one.at_us, one.reader, one.antenna, one.epc.hex(), one.rssi_cdbm, one.phase, one.channel]
                for one in told
                if isinstance(one, Observation) and one.epc in tags and from_us <= one.at_us <= until_us
            ],
            "inputs": [
                [one.at_us, one.reader, one.port, one.high]
                for one in told
                if isinstance(one, EyeChange) and from_us <= one.at_us <= until_us
            ],
        }
        print(json.dumps(told_of))  # noqa: T201 - what was asked for
        return 0
    sentence = f"no pallet {options.dump} in this run: expected a name as findings tell it"
    print(sentence, file=sys.stderr)  # noqa: T201 - a program speaks
    return 2


def _records(shift: Shift, wire: Wire) -> Iterator[bytes]:
    names = {reader: place for place, reader in enumerate(shift.hall.site.readers)}
    jobs = iter(shift.jobs)
    job = next(jobs, None)
    last_us = 0
    for chunk in wire.chunks(shift.observations()):
        while job is not None and job.from_s * 1e6 <= chunk.at_us:
            yield _line(int(job.from_s * 1e6), JOB, {"door": job.door, "direction": job.direction})
            job = next(jobs, None)
        last_us = chunk.at_us
        yield HEAD.pack(chunk.at_us, names[chunk.reader], len(chunk.frame)) + chunk.frame
    end = {"shift": shift.number, "crossings": shift.crossings}
    yield _line(max(last_us, int(shift.until_s * 1e6)) + _SETTLE_US, END, end)


def _line(at_us: int, kind: int, told: dict[str, Any]) -> bytes:
    text = json.dumps(told).encode()
    return HEAD.pack(at_us, kind, len(text)) + text


def _given(path: Path) -> list[tuple[int, bytes]]:
    """Tags to use: a line each, protocol control bits in hex, a comma, the EPC in hex."""
    given = []
    for line in path.read_text(encoding="ascii").splitlines():
        control, _, epc = line.partition(",")
        given.append((int(control, 16), bytes.fromhex(epc)))
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.yard.radio", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--crossings", type=int, required=True, help="pallets through a door, at least")
    parser.add_argument("--layout", choices=LAYOUTS, default="two")
    parser.add_argument("--traffic", choices=MIXES, default="dock", help="how often which manner is driven")
    parser.add_argument("--eyes", action="store_true", help="with photo eyes")
    parser.add_argument("--truth", type=Path, help="where the truth is written")
    parser.add_argument("--dump", metavar="PALLET", help="print all about one pallet instead, as JSON")
    parser.add_argument("--epcs", type=Path, help="tags to put on the goods: lines of PC and EPC in hex")
    parser.add_argument("--first", type=int, default=0, help="play every --every-th shift from this one on")
    parser.add_argument("--every", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
