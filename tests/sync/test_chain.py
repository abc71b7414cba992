# SPDX-License-Identifier: Apache-2.0
"""How a copy of a log grows (rule S1), whatever the network does to the runs; and when an epoch goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sync.bodies import Settings
from sync.chain import BeginAnew, GoOn, Stored, chain_of, extension, rule_e
from sync.entry import GENESIS, Place
from sync.errors import ChainError
from zonegate.simulation.stores import Chance, Logs

EPOCH = "e" * 32
LENGTH = 8
Run = tuple[int, int, int]
"""Of the true log (0) or of a fork of it (1): how many entries lie before the run, and how many are in it."""

Extension = Callable[
    [str, Place | None, Callable[[int], str | None], int, str, Sequence[bytes]], list[Stored]
]


def written(chance: Chance, log: list[Stored], count: int) -> list[Stored]:
    body = Settings("0", 1, {"d1": "NOREAD"}, "UTC")
    for _ in range(count):
        log.append(chance.entry(EPOCH, log[-1].place if log else None, "settings", body))
    return log


TRUE = written(Chance(1), [], LENGTH)
FORK = written(Chance(2), TRUE[:3], LENGTH - 3)
LOGS = (TRUE, FORK)

runs = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, LENGTH), st.integers(0, LENGTH)), min_size=1, max_size=12
)


def grow(sent: Sequence[Run], extend: Extension) -> Logs:
    """Receives runs, split, doubled and in any order; what is stored is at all times one of the logs."""
    copy = Logs()
    for log, after, count in sent:
        run = LOGS[log][after : after + count]
        prev = LOGS[log][after - 1].hash if after else GENESIS
        before = copy.head(EPOCH)
        try:
            new = extend(
                EPOCH,
                before,
                lambda seq: copy.hash_at(EPOCH, seq),
                after,
                prev,
                [stored.record for stored in run],
            )
        except ChainError:
            new = []
        for stored in new:
            copy.append(stored)
        held = copy.logs.get(EPOCH, [])
        assert any(held == whole[: len(held)] for whole in LOGS), "what is stored is no prefix of a log"
        top = before.seq if before else 0
        if after <= top < after + len(run) and held[:top] == LOGS[log][:top]:
            assert len(held) == after + len(run), "an honest run that goes on was not taken"
    return copy


@given(runs)
def test_a_copy_is_a_prefix_of_its_log_whatever_comes(sent: list[Run]) -> None:
    grow(sent, extension)


@given(runs, st.integers(0, 1))
def test_a_copy_is_whole_once_its_log_was_sent_from_the_beginning(sent: list[Run], log: int) -> None:
    copy = grow([*sent, (log, 0, LENGTH)], extension)
    fork_came_first = copy.hash_at(EPOCH, 4) == LOGS[1 - log][3].hash
    assert copy.logs[EPOCH] == LOGS[log] or fork_came_first


def takes_overlaps_unseen(
    epoch: str,
    stored: Place | None,
    hash_at: Callable[[int], str | None],
    after: int,
    prev: str,
    records: Sequence[bytes],
) -> list[Stored]:
    """Planted: an overlap is skipped, not compared."""
    top = stored.seq if stored else 0
    run = chain_of(epoch, after, prev, records)
    return [] if after > top else [item for item in run if item.entry.seq > top]


def takes_gaps(
    epoch: str,
    stored: Place | None,
    hash_at: Callable[[int], str | None],
    after: int,
    prev: str,
    records: Sequence[bytes],
) -> list[Stored]:
    """Planted: a run that starts beyond the copy is stored."""
    top = stored.seq if stored else 0
    return [item for item in chain_of(epoch, after, prev, records) if item.entry.seq > top]


def refuses_overlaps(
    epoch: str,
    stored: Place | None,
    hash_at: Callable[[int], str | None],
    after: int,
    prev: str,
    records: Sequence[bytes],
) -> list[Stored]:
    """Planted: only a run that starts exactly at the head is taken."""
    top = stored.seq if stored else 0
    return chain_of(epoch, after, prev, records) if after == top else []


@pytest.mark.parametrize("faulty", [takes_overlaps_unseen, takes_gaps, refuses_overlaps])
def test_a_planted_fault_is_caught(faulty: Extension) -> None:
    @settings(
        max_examples=500,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    @given(runs)
    def prove(sent: list[Run]) -> None:
        grow(sent, faulty)

    with pytest.raises(AssertionError):
        prove()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda records: [records[0], records[2]], "entry 2 .* says it is entry 3"),
        (lambda records: [records[0], records[1].replace(b'"rules":1', b'"rules":2'), records[2]], "entry 3"),
        (lambda records: [records[0], b"{}"], "entry 2 "),
        (
            lambda records: [record.replace(b"e" * 32, b"f" * 32) for record in records],
            "entry 1 .* of epoch f",
        ),
    ],
)
def test_a_run_that_is_no_chain_is_refused_by_its_first_bad_entry(
    change: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    with pytest.raises(ChainError, match=said):
        chain_of(EPOCH, 0, GENESIS, change([stored.record for stored in TRUE]))


def test_a_run_from_the_beginning_follows_nothing() -> None:
    with pytest.raises(ChainError, match="from the beginning"):
        chain_of(EPOCH, 0, "a" * 64, [])


@pytest.mark.parametrize("after", [-1, -5])
def test_a_run_cannot_begin_before_the_beginning(after: int) -> None:
    with pytest.raises(ChainError):
        extension(EPOCH, None, lambda _: None, after, GENESIS, [TRUE[0].record])


# -- rule E ---------------------------------------------------------------------------------------


def hash_at(epoch: str, seq: int) -> str | None:
    return TRUE[seq - 1].hash if epoch == EPOCH and 1 <= seq <= 5 else None


HEAD = TRUE[4].place
DUE = Place(EPOCH, 0, GENESIS)
ELSEWHERE = Place("f" * 32, 3, "a" * 64)


@pytest.mark.parametrize(
    ("head", "anchor", "shown", "ruling"),
    [
        (None, None, [], BeginAnew(None, None, "first start")),
        (HEAD, HEAD, [], GoOn(HEAD)),
        (HEAD, TRUE[2].place, [], GoOn(HEAD)),
        (HEAD, HEAD, [TRUE[0].place, ELSEWHERE], GoOn(HEAD)),
        (HEAD, TRUE[6].place, [], BeginAnew(HEAD, TRUE[6].place, "the store is older than the anchor")),
        (HEAD, FORK[3].place, [], BeginAnew(HEAD, None, "the store and the anchor disagree")),
        (HEAD, ELSEWHERE, [], BeginAnew(HEAD, None, "the anchor is of another epoch than the store")),
        (HEAD, None, [], BeginAnew(HEAD, None, "no anchor for this store")),
        (None, HEAD, [], BeginAnew(HEAD, HEAD, "the store is empty, the anchor is not")),
        (None, DUE, [], BeginAnew(None, None, "first start")),
        (HEAD, DUE, [], GoOn(HEAD)),
        (ELSEWHERE, DUE, [], BeginAnew(ELSEWHERE, None, "the anchor is of another epoch than the store")),
        (HEAD, DUE, [TRUE[6].place], BeginAnew(HEAD, None, "a witness knows another entry 7 of this epoch")),
        (HEAD, HEAD, [TRUE[6].place], BeginAnew(HEAD, None, "a witness knows another entry 7 of this epoch")),
        (HEAD, HEAD, [FORK[3].place], BeginAnew(HEAD, None, "a witness knows another entry 4 of this epoch")),
    ],
)
def test_an_epoch_goes_on_only_with_its_anchor_and_every_head_shown(
    head: Place | None, anchor: Place | None, shown: list[Place], ruling: GoOn | BeginAnew
) -> None:
    assert rule_e(head, anchor, shown, hash_at) == ruling


def test_an_anchor_that_still_stands_in_the_parent_means_a_crash_at_begin() -> None:
    assert rule_e(HEAD, ELSEWHERE, [], hash_at, parent=ELSEWHERE) == GoOn(HEAD)
