# SPDX-License-Identifier: Apache-2.0
"""Ten thousand streams that no reader should send: the client stays alive and bounded, gives every other task
its turn, and keeps its link wherever a frame can still be told from the next. Each with a control that fails.
"""

from __future__ import annotations

from collections import deque

import pytest

from drivers.errors import LinkLost
from drivers.link import Link
from drivers.llrp import client
from drivers.llrp.client import BadFrame, Reader
from drivers.llrp.reports import ReportDecoder
from drivers.llrp.session import Session
from tests.faults.hostile_reader import INTACT, judged, judged_from_the_start

STREAMS = 10_000
CONNECTIONS = 200
CONTROL = 400


async def test_ten_thousand_hostile_streams_are_borne() -> None:
    verdict = await judged(STREAMS, seed=20_261_122)
    print(verdict)
    assert verdict.findings == []
    assert verdict.rounds.total() == STREAMS
    assert sum(verdict.rounds[kind] for kind in INTACT) > STREAMS * 0.8
    assert verdict.skipped > STREAMS / 2, "they were hostile"


async def test_spoilt_greetings_and_answers_are_borne() -> None:
    verdict = await judged_from_the_start(CONNECTIONS, seed=7)
    print(verdict)
    assert verdict.findings == []


class Timid(Reader):
    """Hangs up on every frame that it cannot read."""

    def _keep_bad(self, frame: bytes, length: int, reason: str) -> None:
        super()._keep_bad(frame, length, reason)
        raise LinkLost(reason)


class Careless(Reader):
    """Trusts what a reader says of its own lengths."""

    async def _take_report(self, link: Link, session: Session, decoder: ReportDecoder, frame: bytes) -> None:
        self._take_tags(session, decoder.decode(frame, 0), 0, self._now_us())


class Hoarder(Reader):
    """Keeps every bad frame for a better day."""

    def _keep_bad(self, frame: bytes, length: int, reason: str) -> None:
        if self._bad.maxlen is not None:
            self._bad: deque[BadFrame] = deque()
        super()._keep_bad(frame, length, reason)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Timid, "the link was not kept"),
        (Careless, "the Reader ended: LlrpError"),
        (Hoarder, "bad frames: 21"),
    ],
)
async def test_a_client_that_is_not_up_to_it_is_found(make: type[Reader], words: str) -> None:
    verdict = await judged(CONTROL, seed=1, make=make)
    assert any(words in finding for finding in verdict.findings)


async def test_a_client_that_never_lets_go_of_the_loop_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "WORK_MAX", 10**9)
    verdict = await judged(CONTROL, seed=1)
    assert any(finding.startswith("reads in a turn") for finding in verdict.findings)
