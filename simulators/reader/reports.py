# SPDX-License-Identifier: Apache-2.0
"""When reports go out: a ROSpec's report in the making, and what a reader holds back for its client.

Source: LLRP 1.1, sections 13.2.6.4, 14.1 and 14.2.1. Time comes in as microseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from drivers.llrp.messages import Message, Parameter
from simulators.reader.sightings import Contents, Frame, Sighting, Told

__all__ = ["Outgoing", "Report"]

_BY_TAGS: Final = (1, 2)
_BY_SECONDS: Final = (3, 4)
_BY_MILLISECONDS: Final = (5, 6)
_AT_SPEC_END: Final = (1, 3, 5)
_REPORT_TAGS_MAX: Final = 400
"""Tag reports in one message: below 64 KiB with every field that there is."""

_WARNING_PERCENT: Final = 80
_EVENTS_MAX: Final = 1_000
"""Events held back; a reader whose client is away for long forgets the oldest."""


class Report:
    """What one run of a ROSpec has to tell. `spec` is its ROReportSpec, `contents` what that selects."""

    def __init__(self, spec: Parameter, contents: Contents, now_us: int) -> None:
        self._trigger = int(spec.fields["Trigger"])  # type: ignore[arg-type]
        self._n = int(spec.fields["N"])  # type: ignore[arg-type]
        self._contents = contents
        self._told: dict[tuple[object, ...], Told] = {}
        self._sent_us = now_us

    @property
    def asked_for(self) -> bool:
        """Whether it goes out only when the client asks: no trigger."""
        return self._trigger == 0

    @property
    def at_spec_end(self) -> bool:
        """Whether the end of an AISpec sends it."""
        return self._trigger in _AT_SPEC_END

    @property
    def due_us(self) -> int | None:
        """When its time trigger fires next (LLRP 1.1)."""
        if not self._n or not self._told:
            return None
        if self._trigger in _BY_SECONDS:
            return self._sent_us + self._n * 1_000_000
        return self._sent_us + self._n * 1_000 if self._trigger in _BY_MILLISECONDS else None

    def take(self, sighting: Sighting, frame: Frame, at_us: int) -> bool:
        """Note a tag; True when that fires the trigger."""
        key = self._contents.key(sighting, frame)
        told = self._told.get(key)
        if told is None:
            self._told[key] = Told(sighting, frame, at_us)
        else:
            told.add(sighting, at_us)
        return self._trigger in _BY_TAGS and 0 < self._n <= len(self._told)

    def flush(self, now_us: int, offset_us: int) -> list[Parameter]:
        """Everything noted since the last report, as TagReportData."""
        told, self._told = list(self._told.values()), {}
        self._sent_us = now_us
        return [self._contents.write(one, offset_us) for one in told]


class Outgoing:
    """What leaves the reader, in order; held back while nobody may have it.

    `write` takes a message for the client, `stamp` gives an event its time. At most `tags_max` tag reports
    are held; then the oldest is lost, and the client is told that once.
    """

    def __init__(
        self,
        write: Callable[[Message], None],
        stamp: Callable[[], Parameter],
        tags_max: int,
        warns: Callable[[], bool],
    ) -> None:
        self._write = write
        self._stamp = stamp
        self._tags_max = tags_max
        self._warns = warns
        self._held: deque[Parameter] = deque()
        self._tags = 0
        self._warned = self._overflowed = False
        self._number = 0
        self.holding = False
        self.lost_tags = 0

    def __len__(self) -> int:
        """Tag reports that are held."""
        return self._tags

    def event(self, event: Parameter) -> None:
        """Tell an event, or hold it."""
        data = Parameter("ReaderEventNotificationData", {}, [self._stamp(), event])
        if self.holding:
            self._held.append(data)
            if len(self._held) - self._tags > _EVENTS_MAX:
                del self._held[next(place for place, one in enumerate(self._held) if one.name == data.name)]
        else:
            self._send("READER_EVENT_NOTIFICATION", [data])

    def tags(self, reports: list[Parameter], *, keep: bool) -> None:
        """Send tag reports; hold them when the client must not have them yet, or with `keep`."""
        if not (keep or self.holding):
            self._send_tags(reports)
            return
        for report in reports:
            self._hold(report)

    def drain(self, *, events: bool) -> int:
        """Send the tag reports that are held, with `events` those too; how many tag reports there were."""
        held, self._held, count = list(self._held), deque(), self._tags
        self._tags, self._warned, self._overflowed = 0, False, False
        run: list[Parameter] = []
        for one in held:
            if one.name == "TagReportData":
                run.append(one)
            elif events:
                self._send_tags(run)
                run = []
                self._send("READER_EVENT_NOTIFICATION", [one])
            else:
                self._held.append(one)
        self._send_tags(run)
        return count

    def forget(self) -> None:
        """Throw away what is held, unsaid."""
        self._held.clear()
        self._tags, self._warned, self._overflowed = 0, False, False

    def send(self, name: str, parameters: list[Parameter]) -> None:
        """Send a message that answers nothing, past whatever is held."""
        self._send(name, parameters)

    def _hold(self, report: Parameter) -> None:
        if self._tags >= self._tags_max:
            oldest = next(place for place, one in enumerate(self._held) if one.name == "TagReportData")
            del self._held[oldest]
            self._tags -= 1
            self.lost_tags += 1
            if not self._overflowed:
                self._overflowed = True
                self.event(Parameter("ReportBufferOverflowErrorEvent", {}))
        self._held.append(report)
        self._tags += 1
        percent = 100 * self._tags // self._tags_max
        if percent >= _WARNING_PERCENT and not self._warned and self._warns():
            self._warned = True
            self.event(Parameter("ReportBufferLevelWarningEvent", {"PercentFull": percent}))

    def _send_tags(self, reports: list[Parameter]) -> None:
        for first in range(0, len(reports), _REPORT_TAGS_MAX):
            self._send("RO_ACCESS_REPORT", reports[first : first + _REPORT_TAGS_MAX])

    def _send(self, name: str, parameters: list[Parameter]) -> None:
        self._number = self._number % 0xFFFF_FFFF + 1
        self._write(Message(name, self._number, {}, parameters))
