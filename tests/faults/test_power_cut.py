# SPDX-License-Identifier: Apache-2.0
"""The power is cut: whatever was told is on the media, the chain is whole, and the epoch goes on.

Crash images are rebuilt from the traced system calls of the real writer. The controls are journals that flush
too little or tell too early: some image of theirs must have a finding.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from edge.anchor import Anchor
from edge.errors import EdgeError
from edge.store import JOURNAL_FILE, JournalReader
from edge.writer import ROTATE
from sync.bodies import Begin, read_body
from sync.entry import Place, read_record
from sync.errors import SyncError
from tests.conftest import NOT_INSTALLABLE
from tests.edge.journals import Site, Time
from tests.faults.power_images import CALLS, Image, Said, Sync, Tape, cut
from tests.faults.power_writer import KINDS
from zonegate.verify import verify_store

CUTS = 36
CUTS_LONG = 600
CUTS_OF_CONTROL = 24
KILLED_AT = ("var", "", "journal.sqlite3-wal", "anchor")
"""A first start is killed at the last sync of each of these before an entry is told: the folder of the store,
the root with the key in it, the log and the anchor. The long run takes all syncs.
"""

CUTS_AFTER_KILL = 16
CUTS_AFTER_KILL_LONG = 40
LIFE_S_MAX = 240
STRING_BYTES_MAX = 1 << 20


@pytest.fixture(scope="session")
def strace() -> str:
    """The program that traces, where it may."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is missing: ./dev test brings it")
    tried = subprocess.run(
        [program, "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        pytest.skip(f"{NOT_INSTALLABLE} a machine that lets processes be traced ({tried.stderr.strip()})")
    return program


@dataclass
class History:
    """One or more processes that wrote one after another to the same two media, and their tape."""

    folder: Path
    strace: str
    kind: str = "honest"

    def __post_init__(self) -> None:
        self._media = tuple(self.folder / name for name in ("first", "second"))
        for medium in self._media:
            medium.mkdir(parents=True)
        self._spoken = self.folder / "told"
        self.tape = Tape(self._media, self._spoken)
        self._lives = 0

    def live(self, life: str, killed_at: Sync | None = None) -> None:
        """Run a life of the writer, to its end or until it is killed as it enters a sync."""
        trace = self.folder / f"trace-{self._lives}"
        self._lives += 1
        arguments = ["-f", "-y", "-xx", "-s", str(STRING_BYTES_MAX), "-e", "signal=none", "-o", str(trace)]
        arguments += ["-e", f"trace={CALLS}"]
        if killed_at is None:
            arguments.append("--seccomp-bpf")  # quick, but it cannot inject a signal
        else:
            arguments += ["-e", f"inject={killed_at.call}:signal=SIGKILL:when={killed_at.number}"]
        # The store's folders are made by its first opening, the anchor's is there.
        site = site_of(self.folder)
        if not site.anchor.exists():
            site.anchor.mkdir()
        writer = [sys.executable, "-m", "tests.faults.power_writer", str(site.store), str(site.anchor)]
        done = subprocess.run(
            [self.strace, *arguments, *writer, str(self._spoken), self.kind, life],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIFE_S_MAX,
        )
        assert done.returncode == (0 if killed_at is None else -signal.SIGKILL), done.stderr
        self._last = len(self.tape.operations)
        self.tape.take(trace)

    async def findings(self, seed: int) -> tuple[Image, list[str]]:
        """What is wrong with the image that a seed names; the cut is in the last life."""
        folder = self.folder / f"image-{seed}"
        folder.mkdir()
        image = cut(self.tape, seed, folder, self._last)
        try:
            found = await examine(site_of(folder, seed), Heard.of(image.said))
        except (EdgeError, SyncError, sqlite3.Error, OSError) as error:
            found = [f"open: {error}"]
        if not found:
            shutil.rmtree(folder)
        return image, found


def site_of(folder: Path, seed: int = 0) -> Site:
    return Site(folder / "first" / "var" / "store", folder / "second", Time(ns=10**15 + seed))


class Heard(NamedTuple):
    """What the writer said: the places that were told, and those up to which it was asked to prune."""

    told: list[Place]
    prune: list[Place]

    @classmethod
    def of(cls, lines: list[str]) -> Heard:
        heard = cls([], [])
        for line in lines:
            word, epoch, seq, digest = line.split(" ")
            (heard.told if word == "told" else heard.prune).append(Place(epoch, int(seq), digest))
        return heard


async def examine(site: Site, heard: Heard) -> list[str]:
    """Look at an image with the tools that people have, then open it as the node does, and go on."""
    found: list[str] = []
    due = GoesOn(None, rotated=False)
    if heard.told:
        found += look(site, heard)
        if found:
            return found
        due = goes_on(site)
    journal = site.open(reserve_bytes=1 << 20)
    begun = journal.begun
    if due.head is None:
        if begun is not None and begun.reason != "first start":
            found.append(f"begun: another epoch begins, {begun.reason}")
    elif due.rotated:
        if begun is None or (begun.reason, begun.end) != ("key rotated", due.head):
            found.append(f"begun: the key was to be changed after {due.head}, and {begun} was decided")
    elif begun is not None or journal.told != due.head:
        found.append(f"begun: {due.head} was to be followed, and {begun} was decided")
    before = journal.told
    placed = await journal.append(site.draft())
    await journal.close()
    if (placed.place.epoch, placed.place.seq) != (before.epoch, before.seq + 1):
        found.append(f"next: {placed.place} does not follow {before}")
    with JournalReader(site.store) as reader:
        begin = read_body(read_record(reader.record_at(journal.epoch, 1) or b""))
        assert isinstance(begin, Begin)
        if begin.key != journal.signer.public:
            found.append("key: the epoch's key is gone")
    return found + look(site, Heard([*heard.told, placed.place], heard.prune))


class GoesOn(NamedTuple):
    """Where the journal must go on: after the head of its last epoch, in it unless it ends with a rotate."""

    head: Place | None
    rotated: bool


def goes_on(site: Site) -> GoesOn:
    with JournalReader(site.store) as reader:
        head = reader.head(reader.epochs()[-1])
        assert head is not None
        last = reader.record_at(head.epoch, head.seq)
        return GoesOn(head, rotated=read_record(last or b"").type == ROTATE)


def look(site: Site, heard: Heard) -> list[str]:
    """What is told and missing, what `verify` finds, and whether the anchor knows all that was told."""
    told = heard.told
    if not (site.store / JOURNAL_FILE).exists():
        return [f"missing: the whole store, {len(told)} told entries in it"]
    found = []
    verified = verify_store(site.store)
    if verified.finding is not None:
        found.append(f"verify: {verified.finding}")
    anchored = Anchor(site.anchor).read()
    with JournalReader(site.store) as reader:
        bases = {base.epoch: base for base in reader.bases()}
        if not set(bases.values()) <= set(heard.prune):
            found.append(f"pruned: {bases}, asked were {heard.prune}")
        gone = [
            place
            for place in told
            if reader.hash_at(place.epoch, place.seq) != place.hash
            and not (place.epoch in bases and place.seq < bases[place.epoch].seq)
        ]
        if gone:
            found.append(f"missing: {len(gone)} of {len(told)} told entries, the first is {gone[0]}")
        last = reader.position(told[-1].epoch, told[-1].seq) or 0
        if anchored is None:
            found.append("anchor: nothing was ever written")
        elif reader.hash_at(anchored.epoch, anchored.seq) != anchored.hash:
            found.append(f"anchor: {anchored} is not in the store")
        elif (reader.position(anchored.epoch, anchored.seq) or 0) < last:
            found.append(f"anchor: it stands at {anchored}, and {told[-1]} was told")
    return found


async def cut_often(history: History, seeds: range) -> list[str]:
    """Cut the power in each way that a seed names; a line for each image with findings, and the figures."""
    bad, told = [], 0
    for seed in seeds:
        image, found = await history.findings(seed)
        told += len(Heard.of(image.said).told)
        if found:
            bad.append(f"seed {seed}, cut {image.cut} after {image.after}, kept {image.rules}: {found}")
    operations = len(history.tape.operations)
    print(
        f"{history.kind}: {operations} operations, {len(seeds)} cuts, {told} told entries looked for, "
        f"{len(bad)} images with findings"
    )
    return bad


async def test_whatever_was_told_before_a_power_cut_is_on_the_media(tmp_path: Path, strace: str) -> None:
    history = History(tmp_path, strace)
    history.live("whole")
    assert await cut_often(history, range(CUTS)) == []


@pytest.mark.long
async def test_whatever_was_told_before_many_power_cuts_is_on_the_media(tmp_path: Path, strace: str) -> None:
    history = History(tmp_path, strace)
    history.live("whole")
    assert await cut_often(history, range(1000, 1000 + CUTS_LONG)) == []


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory, strace: str) -> History:
    """A journal's first start and a few entries."""
    history = History(tmp_path_factory.mktemp("first-start"), strace)
    history.live("first")
    return history


async def test_a_power_cut_in_the_first_moments_of_a_journal_takes_nothing_that_was_told(
    first_start: History,
) -> None:
    assert await cut_often(first_start, range(CUTS)) == []


def syncs_of(first_start: History) -> list[Sync]:
    """The syncs at which that process can be killed: strace counts in each thread, the first one dies."""
    first: dict[tuple[str, int], Sync] = {}
    for operation in first_start.tape.operations:
        if isinstance(operation, Sync):
            first.setdefault((operation.call, operation.number), operation)
    return list(first.values())


async def killed_and_cut(first_start: History, folder: Path, killed_at: Sync, seeds: range) -> list[str]:
    """A kill leaves its writes in the page cache only: who goes on must bring them to the media."""
    history = History(folder, first_start.strace)
    history.live("first", killed_at)
    history.live("again")
    return [
        f"killed at {killed_at.call} {killed_at.number}, {line}" for line in await cut_often(history, seeds)
    ]


@pytest.mark.parametrize("killed_at", KILLED_AT)
async def test_a_power_cut_after_a_kill_takes_nothing_that_was_told(
    tmp_path: Path, first_start: History, killed_at: str
) -> None:
    tape = first_start.tape
    told = next(operation.at for operation in tape.operations if isinstance(operation, Said))
    syncs = [
        sync for sync in syncs_of(first_start) if sync.at < told and tape.inodes[sync.inode].name == killed_at
    ]
    assert await killed_and_cut(first_start, tmp_path, syncs[-1], range(CUTS_AFTER_KILL)) == []


@pytest.mark.long
async def test_a_power_cut_after_a_kill_at_any_sync_takes_nothing_that_was_told(
    tmp_path: Path, first_start: History
) -> None:
    bad = []
    for number, sync in enumerate(syncs_of(first_start)):
        seeds = range(1000 * number, 1000 * number + CUTS_AFTER_KILL_LONG)
        bad += await killed_and_cut(first_start, tmp_path / str(number), sync, seeds)
    assert bad == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "honest"])
async def test_a_planted_journal_that_flushes_too_little_or_tells_too_early_is_caught(
    tmp_path: Path, strace: str, kind: str
) -> None:
    history = History(tmp_path, strace, kind)
    history.live("first")
    bad = await cut_often(history, range(CUTS_OF_CONTROL))
    promise = "anchor: " if "anchor" in kind else "missing: "
    assert any(promise in line for line in bad), bad
