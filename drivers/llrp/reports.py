# SPDX-License-Identifier: Apache-2.0
"""Tag reports as TagReads, fast: tags of one layout are compared with it and unpacked many at a time.

A reader sends the same parameters in the same order for each tag, so that the bytes between the values are
the same too. The first tag of a layout is walked; those that follow are compared in one operation, and what
differs is walked again. May not know what a tag or an antenna means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

from drivers.llrp.errors import LlrpError
from drivers.llrp.messages import HEADER_LENGTH
from drivers.llrp.tags import TagLayout, parameter_length
from drivers.read import TagRead

__all__ = ["RSSI_UNKNOWN_CDBM", "ReportDecoder"]

# The lowest that the protocol can say, for a reader that tells no strength at all.
RSSI_UNKNOWN_CDBM: Final = -12_800

_REPORT: Final = 61
_TAG: Final = 240

# A reader has one or two layouts for each length of EPC; more than this many is somebody playing with us.
_LAYOUTS_MAX: Final = 256
# Tags compared at once: few where layouts change from tag to tag, many where they do not.
_WINDOW_MIN, _WINDOW_MAX = 4, 1024
_WINDOW_BYTES: Final = 65_536
# Tags between two breaths; at the slowest walk these are a few milliseconds.
_SLICE_TAGS: Final = 256


class ReportDecoder:
    """Reads the reports of one connection to one reader.

    A reader may leave out of a report what it said of the tag before (LLRP 1.0.1 and 1.1, TagReportData:
    what is switched on and absent is as last received), so there is one of these for each connection.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._layouts: dict[int, list[TagLayout]] = {}
        self._count = 0
        self._last = _Last()

    def decode(self, frame: bytes, offset_us: int, now_us: int | None = None) -> list[TagRead]:
        """The tags of a RO_ACCESS_REPORT, in its order; empty for any other message.

        `offset_us` is added to the reader's times to give those of TagRead. A tag without any time is of
        `now_us`, or of `offset_us` when that is None. Raises LlrpError, and then no tag was taken.
        """
        reads: list[TagRead] = []
        for some in self.slices(frame, offset_us, now_us):
            reads += some
        return reads

    def slices(self, frame: bytes, offset_us: int, now_us: int | None = None) -> Iterator[list[TagRead]]:
        """As `decode`, in lists of at most 256 tags, empty ones among them: whoever takes them may do
        something else in between. Raises LlrpError before the first tag comes, not later.
        """
        runs: list[_Run] = []
        for run in self._runs(frame):
            if run is None:
                yield []
            else:
                runs.append(run)
        for run in runs:
            for start in range(0, run.count, _SLICE_TAGS):
                yield self._reads(
                    run.layout,
                    frame,
                    run.at + start * run.layout.size,
                    min(_SLICE_TAGS, run.count - start),
                    offset_us,
                    now_us,
                )

    def rows(self, frame: bytes) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
        """The tags without making TagReads of them: for each run of one layout the names of its values, and
        a tuple for each tag. Values and times are the reader's own; nothing is carried from tag to tag.
        """
        for run in self._runs(frame):
            if run is not None:
                layout = run.layout
                block = memoryview(frame)[run.at : run.at + run.count * layout.size]
                yield layout.names, list(layout.values.iter_unpack(block))

    def _runs(self, frame: bytes) -> Iterator[_Run | None]:
        """Runs of tags of one layout; None now and then, to breathe."""
        at, end = _body(frame)
        since = 0
        window = _WINDOW_MIN
        while at < end:
            try:
                kind, length = parameter_length(frame, at, end)
            except LlrpError as error:
                raise error.within("RO_ACCESS_REPORT") from None
            if kind != _TAG:
                at += length
                since += 1
                continue
            layout, count = self._match(frame, at, end, length, window)
            window = min(window * 4, _WINDOW_MAX) if count == window else _WINDOW_MIN
            yield _Run(layout, at, count)
            at += count * length
            since += count
            if since >= _SLICE_TAGS:
                since = 0
                yield None

    def _match(self, frame: bytes, at: int, end: int, length: int, window: int) -> tuple[TagLayout, int]:
        """The layout of the tag at byte `at`, and how many tags from there on have it."""
        most = min(window, max(_WINDOW_BYTES // length, 1), (end - at) // length)
        for layout in self._layouts.get(length, ()):
            count = layout.matching(frame, at, most)
            if count:
                return layout, count
        try:
            layout = TagLayout.of(frame, at, length)
        except LlrpError as error:
            raise error.within("TagReportData").within("RO_ACCESS_REPORT") from None
        if self._count >= _LAYOUTS_MAX:
            self._layouts.clear()
            self._count = 0
        self._layouts.setdefault(length, []).append(layout)
        self._count += 1
        return layout, 1

    def _reads(
        self, layout: TagLayout, frame: bytes, at: int, count: int, offset_us: int, now_us: int | None
    ) -> list[TagRead]:
        block = memoryview(frame)[at : at + count * layout.size]
        columns = dict(zip(layout.names, zip(*layout.values.iter_unpack(block), strict=True), strict=True))
        last = self._last
        first, latest = last.times(columns, offset_us, now_us)
        return list(
            map(
                TagRead,
                repeat(self._device, count),
                columns["epc"],
                last.column("antenna", columns, 0),
                last.strength(columns),
                last.column("count", columns, 1),
                first,
                latest,
                columns.get("pc", _NONE),
                columns.get("phase", _NONE),
                columns.get("doppler", _NONE),
                last.column("channel", columns, None),
                columns.get("tid", _NONE),
            )
        )


_NONE: Final = repeat(None)


def _body(frame: bytes) -> tuple[int, int]:
    """Where the parameters of a report begin and end; nowhere for any other message."""
    if len(frame) < HEADER_LENGTH:
        raise LlrpError(f"{len(frame)} bytes, expected a header of {HEADER_LENGTH}", len(frame))
    length = int.from_bytes(frame[2:6], "big")
    if length != len(frame):
        raise LlrpError(f"the header says {length} bytes, {len(frame)} came", 2)
    kind = (frame[0] & 3) << 8 | frame[1]
    return HEADER_LENGTH, length if kind == _REPORT else HEADER_LENGTH


@dataclass(frozen=True, slots=True)
class _Run:
    layout: TagLayout
    at: int
    count: int


@dataclass(slots=True)
class _Last:
    """What the reader said last of each value that it may leave out."""

    said: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str, columns: dict[str, Any], unknown: object) -> Any:
        """The values, or the one that holds for all."""
        values = columns.get(name)
        if values is None:
            return repeat(self.said.get(name, unknown))
        self.said[name] = values[-1]
        return values

    def strength(self, columns: dict[str, Any]) -> Any:
        """In 1/100 dBm, from the finer value where there is one."""
        if "cdbm" in columns:
            values: Any = columns["cdbm"]
        elif "dbm" in columns:
            values = [value * 100 for value in columns["dbm"]]
        else:
            return repeat(self.said.get("strength", RSSI_UNKNOWN_CDBM))
        self.said["strength"] = values[-1]
        return values

    def times(self, columns: dict[str, Any], offset_us: int, now_us: int | None) -> tuple[Any, Any]:
        """First and last, on our clock. The wall clock goes before the uptime; one alone stands for both."""
        first = self._time("first", columns)
        last = self._time("last", columns)
        if first is None and last is None:
            now = repeat(offset_us if now_us is None else now_us)
            return now, now
        if offset_us:
            first = first and [value + offset_us for value in first]
            last = last and [value + offset_us for value in last]
        return first or last, last or first

    def _time(self, name: str, columns: dict[str, Any]) -> Any:
        for clock in ("utc", "uptime"):
            values = columns.get(f"{name}_{clock}")
            if values is not None:
                self.said[name] = values[-1]
                return values
        if name not in self.said:
            return None
        return [self.said[name]] * len(columns["epc"])
