# SPDX-License-Identifier: Apache-2.0
"""The service lives on when one of its parts fails: doors record without sinks, say STOP without a disk."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customs.documents import Direction
from drivers.read import Read
from edge import service as service_module
from edge.anchor import Anchor
from edge.batch import Identity
from edge.clock import system_clocks
from edge.config import CenterConfig, DoorConfig, NodeConfig
from edge.errors import AnchorError, Backlogged, StoreError
from edge.journal import Journal
from edge.service import Service
from edge.store import JOURNAL_FILE, JournalReader
from edge.upload import ForeignHead
from edge.view import Refused
from sync.bodies import Close, JobEvent, Saw, body_bytes, read_body, schema_of
from sync.entry import Draft, Place, read_record, record_bytes, record_hash
from sync.keys import Signer
from sync.wire import Answer, Ask
from zonegate.child import free_port
from zonegate.verify import verify_store

WAIT_S = 10.0


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NodeConfig:
    """A node without devices whose center cannot be reached."""
    monkeypatch.setattr(service_module, "REOPEN_S", 0.01)
    (tmp_path / "anchor").mkdir()
    return NodeConfig(
        tenant="example",
        zone="zone-999",
        node="dock-1",
        store=tmp_path / "store",
        anchor=tmp_path / "anchor",
        timezone="UTC",
        doors=(DoorConfig("in", "Inbound"),),
        listen=f"127.0.0.1:{free_port()}",
        clock="host",
        reserve_mb=1,
        center=CenterConfig("http://127.0.0.1:9"),
    )


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(WAIT_S):
            await task


def made(config: NodeConfig) -> Service:
    return Service(config, system_clocks(), "0.1.0", lambda _: None)


async def until(service: Service, condition: Callable[[], bool]) -> None:
    """Wait until something that a door shows has come true."""
    moved = asyncio.Event()
    service.dock.on_change(lambda _: moved.set())
    async with asyncio.timeout(WAIT_S):
        while not condition():
            moved.clear()
            await moved.wait()


def told(service: Service) -> int:
    """How many entries of this epoch were told."""
    journal = service._running.journal
    return journal.told.seq if journal is not None else 0


@pytest.mark.parametrize(
    "fault", [StoreError("the file is locked"), RuntimeError("planted"), OverflowError()]
)
async def test_a_sink_that_fails_is_begun_again_and_the_doors_go_on_recording(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    service = made(config)
    upload = service._upload
    assert upload is not None
    runs = asyncio.Semaphore(0)
    stopped: list[bool] = []
    service.dock.on_change(lambda _: stopped.append(not service.dock.recording))

    async def failing(*_: object) -> None:
        runs.release()
        raise fault

    monkeypatch.setattr(upload, "run", failing)
    async with serving(service) as task, asyncio.timeout(WAIT_S):
        for _ in range(3):
            await runs.acquire()
        assert not task.done()
        view = await service.dock.scan("in", b"nonsense", "client-1", "screen in")
        assert (view.state, view.reason) == ("HOLD", "unreadable")
        assert not any(stopped)
    with JournalReader(config.store) as reader:
        assert len(reader.epochs()) == 1


async def test_an_anchor_that_goes_away_is_a_stop_until_it_is_back(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(config)
    upload = service._upload
    assert upload is not None
    away = config.anchor.with_name("away")
    go = asyncio.Event()
    met = False

    async def meeting(*_: object) -> None:
        nonlocal met
        await go.wait()
        if not met:
            met = True
            raise ForeignHead(Place(service.dock.books.state.epoch, 1, "f" * 64))
        await asyncio.Event().wait()

    monkeypatch.setattr(upload, "run", meeting)
    async with serving(service) as task:
        await until(service, lambda: service.dock.recording)
        config.anchor.rename(away)
        go.set()
        await until(service, lambda: "anchor" in service.desk.status().recording)
        assert service.dock.door("in").state == "STOP"
        assert not task.done()
        away.rename(config.anchor)
        await until(service, lambda: service.dock.recording)
    with JournalReader(config.store) as reader:
        assert len(reader.epochs()) == 2


async def test_an_anchor_that_was_never_there_ends_the_start_with_a_sentence(config: NodeConfig) -> None:
    config.anchor.rmdir()
    with pytest.raises(ExceptionGroup) as caught:
        await made(config).run(asyncio.Event())
    assert caught.group_contains(AnchorError, match="make its folder")


async def test_a_journal_of_a_newer_version_ends_the_start_with_a_sentence(config: NodeConfig) -> None:
    clocks = system_clocks()
    who = Identity(config.tenant, config.zone, config.node)
    journal = Journal.open(config.store, Anchor(config.anchor), clocks=clocks, identity=who, reserve_bytes=1)
    newer = Draft(clocks.entry_id(), "settings", "zonegate.settings.v9", clocks.utc(), clocks.stamp(), b"{}")
    await journal.append(newer)
    await journal.close()
    with pytest.raises(ExceptionGroup) as caught:
        await made(config).run(asyncio.Event())
    assert caught.group_contains(StoreError, match="update")


async def test_a_journal_in_which_somebody_else_wrote_ends_the_start_with_the_next_step(
    config: NodeConfig,
) -> None:
    """A chain that holds, of entries that nobody could have come to: a truck is closed that never came."""
    clocks, who = system_clocks(), Identity(config.tenant, config.zone, config.node)
    journal = Journal.open(config.store, Anchor(config.anchor), clocks=clocks, identity=who, reserve_bytes=1)
    body = body_bytes(JobEvent("closed", "T-1", "Trailer", Direction.IN, "ann"))
    stamp, now = clocks.stamp(), clocks.utc()
    await journal.append(Draft(clocks.entry_id(), "job", schema_of("job"), now, stamp, body, "in"))
    await journal.close()
    step = f"zonegate verify {config.store}"
    with pytest.RaisesGroup(pytest.RaisesExc(StoreError, match=step), flatten_subgroups=True):
        await made(config).run(asyncio.Event())


async def test_a_read_that_cannot_be_judged_is_a_stop_and_no_end(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(config)
    read = Read("scanner-in-1", b"nonsense", None, system_clocks().utc(), 0, "barcode", False)
    async with serving(service):
        await until(service, lambda: service.dock.recording)
        monkeypatch.setattr("edge.dock.judge_read", _fail)
        service.dock.take_read("in", read)
        assert service.dock.door("in").reason == "cannot-record"
        monkeypatch.undo()
        service.dock.take_read("in", read)
        assert service.dock.door("in").reason == "unreadable", "the control: the door goes on"


async def test_a_search_tells_its_story_from_the_beginning(config: NodeConfig) -> None:
    service = made(config)
    async with serving(service):
        await until(service, lambda: told(service) == 2)  # its Begin and its settings
        everything = await service.desk.entries(None, 100)
        assert len(everything) == 2
        assert await service.desk.story(" zonegate. ") == everything[::-1]
        assert await service.desk.story("zonegate.begin") == everything[-1:]
        assert await service.desk.story("nothing like it") == await service.desk.story("  ") == []


async def test_a_position_is_said_in_digits_alone(config: NodeConfig) -> None:
    service = made(config)
    async with serving(service):
        await until(service, lambda: told(service) == 2)
        journal = service._running.journal
        assert journal is not None
        for seq in ("\u0661", "\u00b9", "1_0", "9" * 5000, ""):
            with pytest.raises(Refused, match="is no position"):
                await service.desk.entries(f"{journal.epoch}:{seq}", 100)
        assert len(await service.desk.entries(f"{journal.epoch}:1", 100)) == 1, "the control"


def _fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("planted")


async def test_what_is_releasable_and_past_retention_is_pruned_and_the_books_need_it_no_more(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "PRUNE_S", 0.01)
    config = dataclasses.replace(config, retention_days=5)
    now = system_clocks()
    past = dataclasses.replace(now, utc=lambda: now.utc() - timedelta(days=10))
    service = Service(config, past, "0.1.0", lambda _: None)
    async with serving(service):
        await until(service, lambda: service.dock.recording)
        await service.dock.scan("in", b"nonsense", "client-1", "screen in")
    with JournalReader(config.store) as reader:
        head = reader.head(reader.epochs()[-1])
    assert head is not None
    service = made(config)
    assert service._upload is not None
    service._upload.releasable = {head.epoch: head}
    async with serving(service), asyncio.timeout(WAIT_S):
        while True:
            with JournalReader(config.store) as reader:
                if reader.base(head.epoch) is not None:
                    break
            await asyncio.sleep(0.01)
        assert len(service.dock.books.state.holds) == 1
        view = await service.dock.scan("in", b"more nonsense", "client-2", "screen in")
        assert view.state == "HOLD"
    assert verify_store(config.store).finding is None
    connection = sqlite3.connect(config.store / JOURNAL_FILE, isolation_level=None)
    connection.execute("UPDATE snapshot SET state = x'00'")
    connection.close()
    with pytest.RaisesGroup(pytest.RaisesExc(StoreError, match="install the version that wrote it")):
        await made(config).run(asyncio.Event())


# -- an epoch that ends ------------------------------------------------------------------------------


def closing(service: Service) -> Saw:
    """What a center says that has closed this epoch by a count."""
    epoch, when = service.dock.books.state.epoch, system_clocks()
    body = Close("dock-1", (epoch,), (), (), "office", "counted")
    draft = Draft(when.entry_id(), "close", schema_of("close"), when.utc(), when.stamp(), body_bytes(body))
    record = record_bytes(draft, "c" * 32, 7, when.utc(), "0" * 64)
    return Saw("c" * 32, Place("c" * 32, 7, record_hash(record)), (msgspec.Raw(record),))


def answering(saw: Callable[[], Saw | None]) -> Callable[..., Any]:
    """A center that has everything, and tells what `saw` says."""

    async def exchange(self: object, ask: Ask, signer: Signer) -> Answer:
        told = saw()
        have = tuple(part.head.place for part in ask.parts if part.head is not None)
        upto = told.upto if told else None
        return Answer(ask.ask_id, have, "c" * 32, ask.cursor, upto, told.entries if told else (), {})

    return exchange


async def test_an_epoch_that_the_center_has_closed_is_followed_by_one_that_proves_its_end(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(config)
    saws: list[Saw] = []
    monkeypatch.setattr("edge.upload.CenterClient.exchange", answering(lambda: saws.pop() if saws else None))
    states: list[str] = []
    service.dock.on_change(lambda _: states.append(service.dock.door("in").state))
    async with serving(service):
        await until(service, lambda: told(service) >= 2)
        first = service.dock.books.state.epoch
        saws.append(closing(service))
        assert service._upload is not None
        service._upload.wake()
        await until(service, lambda: service.dock.books.state.epoch != first and service.dock.recording)
        assert set(states) == {"READY"}, "no door says STOP meanwhile"
        view = service.desk.status().record
        assert [epoch.epoch for epoch in view.epochs] == [service.dock.books.state.epoch, first]
        assert "count" in view.epochs[0].reason
        assert not view.closed
    check_proven_end(config, first)


async def test_a_crash_before_the_next_epoch_begins_it_at_the_next_start(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(config)
    async with serving(service):
        await until(service, lambda: told(service) >= 2)
        first = service.dock.books.state.epoch
        await service.dock.write("saw", closing(service))
    again = made(config)
    async with serving(again):
        await until(again, lambda: again.dock.recording)
        assert again.dock.books.state.epoch != first
        assert not again.dock.books.is_closed
    check_proven_end(config, first)


def check_proven_end(config: NodeConfig, first: str) -> None:
    """The store has two epochs, and the second one names the head of the first."""
    with JournalReader(config.store) as reader:
        assert reader.epochs()[0] == first
        assert len(reader.epochs()) == 2
        record = reader.record_at(reader.epochs()[1], 1)
        assert record is not None
        begin = read_body(read_record(record))
        assert begin.parent == begin.end == reader.head(first)


async def test_the_key_is_changed_at_the_running_dock_and_the_doors_go_on(config: NodeConfig) -> None:
    service = made(config)
    async with serving(service):
        await until(service, lambda: told(service) >= 2)
        before = Anchor(config.anchor).signer().public
        first = service.dock.books.state.epoch
        key = await service.desk.rotate_key("supervisor ann")
        assert key == Anchor(config.anchor).signer().public != before
        assert service._running.journal is not None
        assert service._running.journal.signer.public == key
        view = await service.dock.scan("in", b"nonsense", "client-1", "screen in")
        assert view.reason == "unreadable"
        keys = [epoch.key for epoch in service.desk.status().record.epochs]
        assert keys == [key, before]
    check_proven_end(config, first)


async def test_a_dock_that_cannot_record_keeps_its_key(config: NodeConfig) -> None:
    service = made(config)
    with pytest.raises(Refused, match="key stays"):
        await service.rotate_key("supervisor")


async def test_a_dock_whose_journal_is_full_up_keeps_its_key_and_says_so(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(config)
    async with serving(service):
        await until(service, lambda: told(service) >= 2)
        before = Anchor(config.anchor).signer().public

        def full(*_: object) -> None:
            raise Backlogged("20000 items wait for the disk")

        with monkeypatch.context() as planted:
            planted.setattr(service.dock, "write", full)
            with pytest.raises(Refused, match=r"wait for the disk.*The key stays"):
                await service.rotate_key("supervisor")
        assert service.dock.recording
        assert Anchor(config.anchor).signer().public == before
        assert await service.rotate_key("supervisor") != before, "the control: else it is changed"
