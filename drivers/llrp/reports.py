# SPDX-License-Identifier: Apache-2.0
"""Tag reports as TagReads, fast: tags of one layout are compared with it and unpacked many at a time.

A reader sends the same parameters in the same order for each tag, so that the bytes between the values are
the same too. The first tag of a layout is walked; those that follow are compared in one operation, and what
differs is walked again. May not know what a tag or an antenna means.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any, Final

from drivers.llrp.errors import LlrpError
from drivers.llrp.messages import HEADER_LENGTH
from drivers.llrp.tags import TagLayout, parameter_length, short_length, tag_values
from drivers.read import TagRead

__all__ = ["RSSI_UNKNOWN_CDBM", "ReportDecoder"]

# The lowest that the protocol can say, for a reader that tells no strength at all.
RSSI_UNKNOWN_CDBM: Final = -12_800

_REPORT: Final = 61
_TAG: Final = 240

# A reader has a layout or two for each length of EPC; more than so many is somebody playing with us, and each
# that does not fit costs a comparison.
_LAYOUTS_MAX: Final = 256
_LAYOUTS_OF_LENGTH_MAX: Final = 4
# Layouts learned from one report; where each tag has its own there is nothing to learn.
_LEARNED_MAX: Final = 32
# Tags compared at once: few where layouts change from tag to tag, many where they do not.
_WINDOW_MIN, _WINDOW_MAX = 4, 256
_WINDOW_BYTES: Final = 65_536
# The longest frame holds fewer tags of 96 bits with antenna and time; more are made to fill the memory.
_TAGS_MAX: Final = 300_000
# What is done between two breaths, at most a few milliseconds: tags, and a walked one counts for eight.
_BREATH: Final = 256
_WALK_COST: Final = 8

# What a chip's own number (TID) begins with in Gen2, its class identifier; other memory hardly ever does.
_TID_CLASSES: Final = (b"\xe0", b"\xe2")

_NONE: Final = repeat(None)
# Columns of values by their names, all of one length.
_Columns = dict[str, Any]


class ReportDecoder:
    """Reads the reports of one connection to one reader.

    A reader may leave out of a report what it said of the tag before (LLRP 1.0.1 section 13.2.3 and 1.1
    section 14.2.3: what is switched on and absent is as last received), so there is one of these for each
    connection.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._layouts: dict[int, list[TagLayout]] = {}
        self._count = 0
        self._last: dict[str, Any] = {}

    def decode(self, frame: bytes, offset_us: int, now_us: int | None = None) -> list[TagRead]:
        """The tags of a RO_ACCESS_REPORT, in its order; empty for any other message.

        `offset_us` is added to the reader's times to give those of TagRead; where the reader tells wall clock
        and uptime, the wall clock counts. A tag without any time is of `now_us`, or of `offset_us` when that
        is None. Raises LlrpError, and then no tag was taken.
        """
        reads: list[TagRead] = []
        for some in self.slices(frame, offset_us, now_us):
            reads += some
        return reads

    def slices(self, frame: bytes, offset_us: int, now_us: int | None = None) -> Iterator[list[TagRead]]:
        """As `decode`, in lists of at most 256 tags with empty ones among them, a few milliseconds of work
        each: whoever takes them may do something else in between. Raises LlrpError before the first tag
        comes, not later.
        """
        before = dict(self._last)
        held: list[list[TagRead]] = []
        whole = False
        try:
            reads: list[TagRead] = []
            for columns in self._columns(frame):
                if columns is None:
                    yield []
                    continue
                if len(reads) + len(columns["epc"]) > _BREATH:
                    held.append(reads)
                    reads = []
                reads += self._reads(columns, offset_us, now_us)
            held.append(reads)
            whole = True
        finally:
            if not whole:
                self._last = before
        yield from held

    def columns(self, frame: bytes) -> Iterator[dict[str, Any]]:
        """The tags without making TagReads of them: for each run of tags alike the values of all, by name.

        Names are those of `drivers.llrp.tags.TagLayout`. Values and times are the reader's own, and nothing
        is carried from tag to tag. Raises LlrpError, with what came before it taken.
        """
        return (columns for columns in self._columns(frame) if columns is not None)

    def _columns(self, frame: bytes) -> Iterator[_Columns | None]:
        """Values of tags that follow each other; None now and then, to breathe."""
        at, end = _body(frame)
        spent = 0
        window = _WINDOW_MIN
        learned = taken = 0
        while at < end:
            if spent >= _BREATH:
                spent = 0
                yield None
            try:
                if frame[at] & 0x80:
                    kind, length = 0, short_length(frame, at, end)
                else:
                    kind, length = parameter_length(frame, at, end)
                if kind != _TAG:
                    at += length
                    spent += 1
                    continue
                if taken >= _TAGS_MAX:
                    raise LlrpError(f"expected at most {_TAGS_MAX} tags in a report", at)
                most = min(window, max(_WINDOW_BYTES // length, 1), (end - at) // length)
                layout, count = self._known(frame, at, length, most)
                if layout is not None:
                    yield layout.columns(frame, at, count)
                else:
                    columns = self._walked(frame, at, length, learn=learned < _LEARNED_MAX)
                    learned += 1
                    spent += _WALK_COST
                    yield columns
            except LlrpError as error:
                raise error.within("RO_ACCESS_REPORT") from None
            window = min(window * 4, _WINDOW_MAX) if count == window else _WINDOW_MIN
            at += count * length
            spent += count
            taken += count

    def _known(self, frame: bytes, at: int, length: int, most: int) -> tuple[TagLayout | None, int]:
        """A layout that the tag at byte `at` has, and how many of the `most` tags from there on have it."""
        for layout in self._layouts.get(length, ()):
            count = layout.matching(frame, at, most)
            if count:
                return layout, count
        return None, 1

    def _walked(self, frame: bytes, at: int, length: int, *, learn: bool) -> _Columns:
        try:
            if not learn:
                return tag_values(frame, at, length)
            layout = TagLayout.of(frame, at, length)
        except LlrpError as error:
            raise error.within("TagReportData") from None
        if self._count >= _LAYOUTS_MAX:
            self._layouts.clear()
            self._count = 0
        layouts = self._layouts.setdefault(length, [])
        if len(layouts) < _LAYOUTS_OF_LENGTH_MAX:
            self._count += 1
        else:
            layouts.pop()
        layouts.insert(0, layout)
        return layout.columns(frame, at, 1)

    def _reads(self, columns: _Columns, offset_us: int, now_us: int | None) -> Iterator[TagRead]:
        first, last = self._times(columns, offset_us, now_us)
        epcs = columns["epc"]
        return map(
            TagRead,
            repeat(self._device, len(epcs)),
            epcs,
            self._column("antenna", columns, 0),
            self._strength(columns),
            self._column("count", columns, 1),
            first,
            last,
            self._column("pc", columns, None),
            columns.get("phase", _NONE),
            columns.get("doppler", _NONE),
            self._column("channel", columns, None),
            _chips(columns),
        )

    def _column(self, name: str, columns: _Columns, unknown: object) -> Any:
        """The values, or the one that holds for all: what was said last."""
        values = columns.get(name)
        if values is None:
            return repeat(self._last.get(name, unknown))
        self._last[name] = values[-1]
        return values

    def _strength(self, columns: _Columns) -> Any:
        """In 1/100 dBm, from the finer value where there is one."""
        values = columns.get("cdbm")
        if values is None:
            if "dbm" not in columns:
                return repeat(self._last.get("strength", RSSI_UNKNOWN_CDBM))
            values = [value * 100 for value in columns["dbm"]]
        self._last["strength"] = values[-1]
        return values

    def _times(self, columns: _Columns, offset_us: int, now_us: int | None) -> tuple[Any, Any]:
        """First and last, on our clock; one alone stands for both."""
        first, last = self._time("first", columns), self._time("last", columns)
        if first is None and last is None:
            now = repeat(offset_us if now_us is None else now_us)
            return now, now
        if offset_us:
            first = first and [value + offset_us for value in first]
            last = last and [value + offset_us for value in last]
        return first or last, last or first

    def _time(self, name: str, columns: _Columns) -> Any:
        for clock in (f"{name}_utc", f"{name}_uptime"):
            values = columns.get(clock)
            if values is not None:
                self._last[name] = values[-1]
                return values
        if name not in self._last:
            return None
        return [self._last[name]] * len(columns["epc"])


def _chips(columns: _Columns) -> Any:
    """The chips' own numbers, told by the reader or read by an access operation."""
    if "tid" in columns or "read" not in columns:
        return columns.get("tid", _NONE)
    return [words if words[:1] in _TID_CLASSES else None for words in columns["read"]]


def _body(frame: bytes) -> tuple[int, int]:
    """Where the parameters of a report begin and end; nowhere for any other message."""
    if len(frame) < HEADER_LENGTH:
        raise LlrpError(f"{len(frame)} bytes, expected a header of {HEADER_LENGTH}", len(frame))
    length = int.from_bytes(frame[2:6], "big")
    if length != len(frame):
        raise LlrpError(f"the header says {length} bytes, {len(frame)} came", 2)
    kind = (frame[0] & 3) << 8 | frame[1]
    return HEADER_LENGTH, length if kind == _REPORT else HEADER_LENGTH
