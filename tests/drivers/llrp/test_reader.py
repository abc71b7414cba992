# SPDX-License-Identifier: Apache-2.0
"""A Reader against a peer that follows a script: readers that refuse, keep silent, lie or do not stop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from drivers import LinkUrlError, State
from drivers.llrp import client
from drivers.llrp.client import BAD_FRAME_BYTES_KEPT, BAD_FRAMES_KEPT, WORK_MAX, Reader
from drivers.llrp.messages import Message, Parameter, encode
from drivers.llrp.settings import ReaderSettings
from drivers.pauses import pauses
from tests.drivers.lines import RunningClock
from tests.drivers.llrp.peer import (
    OTHER,
    QUICK,
    SILENT,
    Peer,
    event,
    gate,
    greeting,
    numbers,
    reading,
    report,
    serving,
    status,
    tag,
)

EYES_AND_LAMP = replace(QUICK, inputs=(1, 2), outputs={1: False})


async def test_reads_arrive_with_all_that_they_told() -> None:
    peer = Peer(OTHER)
    async with gate(peer, replace(QUICK, power_dbm=25.5, antennas=(1, 2), pallets_first=False)) as heard:
        assert heard.healths[-1].detail == (
            "ready: Zebra model 2001002, firmware 5.14.0.240; antennas 1 2, 25 dBm, session 0, mode 1000"
        )
        await peer.send(report(tag(1), tag(2, antenna=2)))
        await heard.until(lambda: len(heard.reads) == 2)
        assert heard.states == [State.OPENING, State.READY]
    assert numbers(heard.reads) == [1, 2]
    assert [(read.antenna, read.rssi_cdbm, read.count) for read in heard.reads] == [
        (1, -6000, 1),
        (2, -6000, 1),
    ]
    assert heard.states[-1] is State.CLOSED
    counts = heard.reader.health.counts
    assert (counts.frames, counts.dropped, counts.reconnects) == (2, 0, 0)


async def test_a_reader_that_tells_no_time_has_its_reads_placed_by_arrival_through_reconnects() -> None:
    peer = Peer()
    peer.greetings = [greeting(at_us=None)]
    async with gate(peer) as heard:
        for round_ in (1, 2):
            await peer.send(report(*(tag(number, seen_us=None) for number in range(1000))))
            await heard.until(lambda round_=round_: len(heard.reads) == 1000 * round_)  # type: ignore[misc]
            assert all(read.last_us == batch[0].last_us for batch in heard.batches[-1:] for read in batch)
            peer.hang_up()
            await heard.until(lambda round_=round_: heard.states.count(State.LOST) == round_)  # type: ignore[misc]
            await heard.until_state(State.READY)
        assert heard.reader.health.counts.jumps == 0  # type: ignore[attr-defined]
        assert heard.reader.health.counts.late == 0  # type: ignore[attr-defined]


async def test_a_large_report_is_placed_as_one() -> None:
    peer = Peer()
    start_us = 1_700_000_000_000_000
    async with gate(peer) as heard:
        await peer.send(report(*(tag(number, seen_us=start_us + number) for number in range(2000))))
        await heard.until(lambda: len(heard.reads) == 2000)
        offsets = {read.last_us - int.from_bytes(read.epc, "big") for read in heard.reads}
        assert len(offsets) == 1
        assert heard.reader.health.counts.jumps == 0  # type: ignore[attr-defined]


async def test_nothing_is_asked_before_the_reader_has_greeted() -> None:
    peer = Peer()
    peer.greetings = [None]
    async with serving(peer), reading(peer.url, replace(QUICK, answer_s=0.1)) as heard:
        await heard.until_told("connected, but no greeting came within 0.1 s")
        assert set(peer.names()) <= {"CLOSE_CONNECTION"}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (1, "a connection of its own making"),
        (2, "another program is connected to this reader"),
        (3, "does not take the connection"),
        (99, "status 99"),
    ],
)
async def test_a_greeting_that_says_no_is_told_and_tried_again(state: int, words: str) -> None:
    peer = Peer()
    peer.greetings = [greeting(state), greeting(state), greeting()]
    async with gate(peer) as heard:
        assert words in heard.details
        assert heard.states == [State.OPENING, State.LOST, State.READY]


async def test_a_reader_that_hangs_up_over_the_question_for_its_version_is_not_asked_the_next_time() -> None:
    peer = Peer()

    def hang_up(message: Message) -> None:
        if message.name == "GET_SUPPORTED_VERSION":
            peer.hang_up()

    peer.refuses = hang_up
    async with gate(peer) as heard:
        assert heard.states == [State.OPENING, State.LOST, State.READY]
        assert peer.names().count("GET_SUPPORTED_VERSION") == 2, "once more: the first cut might be chance"
        for lost in (2, 3):
            peer.hang_up()
            await heard.until(lambda lost=lost: heard.states.count(State.LOST) == lost)  # type: ignore[misc]
            await heard.until_state(State.READY)
            assert peer.names().count("GET_SUPPORTED_VERSION") == 1 + lost


async def test_a_line_cut_by_chance_at_the_question_for_the_version_costs_no_version() -> None:
    peer = Peer(version=2)
    cuts = [True]

    def cut(message: Message) -> None:
        if message.name == "GET_SUPPORTED_VERSION" and cuts:
            cuts.pop()
            peer.hang_up()

    peer.refuses = cut
    async with gate(peer):
        assert peer.names().count("GET_SUPPORTED_VERSION") == 2
        assert peer.received[-1].version == 2


async def test_a_reader_that_ignores_the_question_for_its_version_speaks_1_0_1() -> None:
    peer = Peer()
    peer.refuse["GET_SUPPORTED_VERSION"] = SILENT
    async with gate(peer, replace(QUICK, answer_s=0.05)):
        assert {message.version for message in peer.received[1:]} == {1}


async def test_a_refused_inventory_is_replaced_by_a_plainer_one_and_told_with_the_chain() -> None:
    peer = Peer()
    chain = Parameter(
        "ParameterError",
        {"ParameterType": 177, "ErrorCode": 200},
        [Parameter("ParameterError", {"ParameterType": 224, "ErrorCode": 201}, [
            Parameter("FieldError", {"FieldIndex": 2, "ErrorCode": 301})
        ])],
    )  # fmt: skip

    def refuses(message: Message) -> Parameter | None:
        if message.name != "ADD_ROSPEC" or b"\0\xe0" not in encode(message):
            return None
        return status(100, "Transmit\x00power", chain)

    peer.refuses = refuses
    async with gate(peer, replace(QUICK, antennas=(1,), pallets_first=False)) as heard:
        assert heard.states[-1] is State.DEGRADED
        assert len(peer.asked("ADD_ROSPEC")) == 3
        assert heard.healths[-1].detail == (
            "it runs without our power, mode and session: it uses its own (the reader refused ADD_ROSPEC: "
            'an error in a parameter (100), "Transmit power"; field 2 of ROSpec > RFTransmitter '
            "(its fields: HopTableID, ChannelIndex, TransmitPowerIndex): a value out of range (301))"
        )


@pytest.mark.parametrize("name", ["GET_READER_CAPABILITIES", "ADD_ROSPEC", "ENABLE_ROSPEC"])
async def test_what_cannot_be_done_without_is_told_and_tried_again(name: str) -> None:
    peer = Peer()
    peer.refuse[name] = status(401, "antenna board")
    async with serving(peer), reading(peer.url) as heard:
        await heard.until_told(
            f'the reader refused {name}: a fault of the device itself (401), "antenna board"'
        )
        assert heard.states == [State.OPENING, State.LOST]
        del peer.refuse[name]
        await heard.until_state(State.READY)


@pytest.mark.parametrize(
    "name", ["GET_READER_CONFIG", "DELETE_ROSPEC", "DELETE_ACCESSSPEC", "IMPINJ_ENABLE_EXTENSIONS"]
)
async def test_what_can_be_done_without_is_done_without(name: str) -> None:
    peer = Peer()
    peer.refuse[name] = status(109)
    async with gate(peer) as heard:
        assert heard.states == [State.OPENING, State.READY]


async def test_a_reader_that_refuses_keepalives_and_events_is_probed_and_told() -> None:
    peer = Peer()
    peer.refuse["SET_READER_CONFIG"] = status(111)
    settings = replace(EYES_AND_LAMP, keepalive_s=0.05, probe_s=0.05)
    async with gate(peer, settings) as heard:
        for words in (
            "without keepalives",
            "without events",
            "without its inputs",
            "output 1: the reader refused",
        ):
            await heard.until_told(words)
        assert heard.healths[-1].state is State.DEGRADED
        await heard.until(lambda: peer.names().count("GET_ROSPECS") > 3)
        assert State.LOST not in heard.states


async def test_a_reader_without_keepalives_that_answers_no_probe_is_dead() -> None:
    peer = Peer()
    peer.refuse["SET_READER_CONFIG"] = status(111)
    peer.refuse["GET_ROSPECS"] = SILENT
    async with gate(peer, replace(QUICK, keepalive_s=0.05, probe_s=0.05, answer_s=0.2)) as heard:
        await heard.until_told("the reader did not answer GET_ROSPECS within 0.2 s")


async def test_an_inventory_that_stands_still_is_started_and_told() -> None:
    peer = Peer()
    peer.rospec_state = 1
    async with gate(peer) as heard:
        await peer.send(event(Parameter("ROSpecEvent", {"Event": 1, "ROSpecID": 1})))
        await heard.until_told("connected, no events: the reader's inventory stands still; starting it")
        await heard.until(lambda: "START_ROSPEC" in peer.names())
        assert heard.states == [State.OPENING, State.READY]
        await heard.until_told(
            "connected, no events: the reader's inventory does not run; setting it up again"
        )


async def test_an_inventory_that_is_gone_is_set_up_again() -> None:
    peer = Peer()
    async with gate(peer) as heard:
        peer.refuses = lambda message: status() if message.name == "GET_ROSPECS" else None
        await peer.send(event(Parameter("ROSpecEvent", {"Event": 2, "ROSpecID": 1})))
        await heard.until_told("our inventory is gone from the reader")
        peer.refuses = lambda message: None
        await heard.until(lambda: peer.names().count("ADD_ROSPEC") == 2)


async def test_a_reader_that_reads_nothing_for_long_is_told_and_not_ill() -> None:
    peer = Peer()
    async with gate(peer, replace(QUICK, probe_s=0.05, quiet_s=0.1)) as heard:
        await heard.until_told("connected and its inventory runs, but no tag was read for")
        assert heard.states == [State.OPENING, State.READY]


async def test_one_output_after_the_other_is_sent_and_a_crowd_of_them_is_not() -> None:
    peer = Peer()
    async with gate(peer, EYES_AND_LAMP) as heard:
        peer.refuse["SET_READER_CONFIG"] = SILENT
        before = len(peer.outputs)
        for number in range(1001):
            heard.reader.set_output(1, number % 2 == 0)
        await heard.until(lambda: len(peer.outputs) > before)
        del peer.refuse["SET_READER_CONFIG"]
        assert len(peer.outputs) - before <= 10
        heard.reader.set_output(1, False)
        heard.reader.set_output(1, True)


@pytest.mark.parametrize(("apart_us", "inputs"), [(2_000_000, 1), (500_000, 0)])
async def test_an_eye_counts_before_the_tags_that_were_read_behind_it(apart_us: int, inputs: int) -> None:
    """However late this machine is: by its own clock the eye's rest, of a second, would not be over. What
    was read during that rest says nothing of the eye.
    """
    peer = Peer()
    edge_us = 1_700_000_000_000_000 - 10_000_000
    async with gate(peer, replace(EYES_AND_LAMP, debounce_s=1.0)) as heard:
        await heard.until(lambda: len(heard.inputs) == len(peer.levels))
        known, before = len(heard.inputs), []
        heard.on_batch = lambda: before.append(len(heard.inputs) - known)
        eye = event(Parameter("GPIEvent", {"Port": 1, "Event": True}), at_us=edge_us)
        await peer.send(eye, report(tag(1, seen_us=edge_us + apart_us)))
        await heard.until(lambda: len(heard.reads) == 1)
        assert before == [inputs]


async def test_an_output_without_a_safe_level_is_refused_at_once() -> None:
    reader = Reader("gate-1", "llrp://192.0.2.1", ReaderSettings(outputs={1: False}), RunningClock())
    with pytest.raises(ValueError, match="output 2 has no safe level"):
        reader.set_output(2, True)
    reader.set_output(1, True, for_s=1)  # without a reader: kept for when there is one


@pytest.mark.parametrize("kind", ["RO_ACCESS_REPORT", "READER_EVENT_NOTIFICATION", "KEEPALIVE"])
async def test_a_bad_frame_of_any_kind_is_skipped_and_the_link_stays(kind: str) -> None:
    peer = Peer()
    async with gate(peer) as heard:
        good = encode(Message(kind, 5))
        body = b"\0\xf0\xff\xff"  # a parameter longer than what is left
        bad = good[:2] + (10 + len(body)).to_bytes(4, "big") + good[6:] + body
        await peer.send_bytes(bad)
        await peer.send(report(tag(9)))
        await heard.until(lambda: numbers(heard.reads) == [9])
        await heard.until(lambda: len(heard.reader.bad_frames) == 1)
        assert heard.reader.bad_frames[0].start == bad
        assert heard.reader.bad_frames[0].length == len(bad)
        await heard.until_told("a message was skipped")
        assert peer.connections == 1


async def test_what_happened_once_is_shown_for_a_while_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_NEWS_US", 300_000)
    peer = Peer()
    async with gate(peer, replace(QUICK, probe_s=0.05, pallets_first=False)) as heard:
        plain = heard.healths[-1].detail
        await peer.send(event(Parameter("ReaderExceptionEvent", {"Message": "fan"})))
        await heard.until(lambda: heard.healths[-1].detail == f'{plain}; the reader says: "fan"')
        await heard.until(lambda: heard.healths[-1].detail == plain)


async def test_only_the_last_bad_frames_are_kept_and_only_their_beginning() -> None:
    peer = Peer()
    head = encode(Message("RO_ACCESS_REPORT", 5))
    async with gate(peer) as heard:
        for number in range(BAD_FRAMES_KEPT + 7):
            body = bytes([0, 240, 255, 255, number]) + bytes(3 * BAD_FRAME_BYTES_KEPT)
            await peer.send_bytes(head[:2] + (10 + len(body)).to_bytes(4, "big") + head[6:] + body)
        await heard.until(lambda: heard.reader.health.counts.dropped == BAD_FRAMES_KEPT + 7)
        kept = heard.reader.bad_frames
        assert [frame.start[14] for frame in kept] == list(range(7, BAD_FRAMES_KEPT + 7))
        assert {len(frame.start) for frame in kept} == {BAD_FRAME_BYTES_KEPT}
        assert peer.connections == 1


async def test_what_is_no_llrp_ends_the_connection_and_the_next_one_works() -> None:
    peer = Peer()
    async with gate(peer) as heard:
        await peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await heard.until(lambda: heard.states[-2:] == [State.LOST, State.READY])
        assert "what came is no LLRP" in heard.details


async def test_a_length_that_swallows_all_that_follows_ends_with_the_missed_keepalives() -> None:
    peer = Peer()
    async with gate(peer, replace(QUICK, keepalive_s=0.1)) as heard:
        head = encode(Message("RO_ACCESS_REPORT", 5))
        await peer.send_bytes(head[:2] + (5_000_000).to_bytes(4, "big") + head[6:])

        async def go_on() -> None:
            while peer.connections == 1:
                await peer.send(Message("KEEPALIVE", 1))
                await asyncio.sleep(0.01)

        going_on = asyncio.create_task(go_on())
        await heard.until_told("missed 3 keepalives")
        await going_on
        await heard.until_state(State.READY)


async def test_a_message_that_is_no_report_has_no_reason_to_be_large() -> None:
    peer = Peer()
    async with gate(peer) as heard:
        await peer.send_bytes(encode(Message("CUSTOM_MESSAGE", 3, {"VendorID": 1, "Data": bytes(300_000)})))
        await peer.send(report(tag(3)))
        await heard.until(lambda: numbers(heard.reads) == [3])
        assert "expected at most 262144 but in a report" in heard.reader.bad_frames[0].reason


async def most_reads_in_one_turn(peer: Peer, data: bytes, expected: int) -> int:
    """How many reads were handed over at most between two turns of the loop, while `data` was taken in."""
    async with gate(peer) as heard:
        turn, turns = 0, []

        async def count_turns() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        def on_tags(reads: list[object]) -> None:
            turns.append((turn, len(reads)))

        heard.reader._on_tags = on_tags  # type: ignore[assignment]
        counting = asyncio.create_task(count_turns())
        sending = asyncio.create_task(peer.send_bytes(data))
        while sum(count for _, count in turns) < expected:  # noqa: ASYNC110 - looked at in every turn
            await asyncio.sleep(0)
        await sending
        counting.cancel()
    together: dict[int, int] = {}
    for at, count in turns:
        together[at] = together.get(at, 0) + count
    return max(together.values())


TEN_THOUSAND = encode(report(*(tag(number) for number in range(10_000))))
ONE_BY_ONE = b"".join(encode(report(tag(number))) for number in range(5_000))


@pytest.mark.parametrize(
    ("data", "count"), [(TEN_THOUSAND, 10_000), (ONE_BY_ONE, 5_000)], ids=["one", "many"]
)
async def test_the_loop_turns_at_least_every_few_hundred_reads(data: bytes, count: int) -> None:
    assert await most_reads_in_one_turn(Peer(), data, count) <= 2 * WORK_MAX


async def test_the_loop_turns_after_each_long_message() -> None:
    peer = Peer()
    long = event(*(Parameter("HoppingEvent", {"HopTableID": 1, "NextChannelIndex": 2}) for _ in range(480)))
    async with gate(peer) as heard:
        sending = asyncio.create_task(peer.send_bytes(encode(long) * 100 + encode(report(tag(1)))))
        most, before = 0, heard.reader._tally.messages
        while not heard.reads:
            await asyncio.sleep(0)
            now = heard.reader._tally.messages
            most, before = max(most, now - before), now
        await sending
    assert 1 <= most <= 2


async def test_without_its_bound_the_loop_would_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the same count finds a client that does not let others have their turn."""
    monkeypatch.setattr(client, "WORK_MAX", 10**9)
    assert await most_reads_in_one_turn(Peer(), TEN_THOUSAND, 10_000) > 2 * WORK_MAX


def test_attempts_to_reconnect_never_end_and_are_never_rarer_than_the_most() -> None:
    settings = ReaderSettings()
    waits = list(islice(pauses(settings.retry_s_min, settings.retry_s_max, Random(1)), 10_000))
    assert 0.25 <= waits[0] <= 0.5
    assert max(waits) <= settings.retry_s_max == 30
    assert min(waits[20:]) >= settings.retry_s_max / 2
    assert len(set(waits)) > 9_000, "readers of one switch do not come back in step"


@pytest.mark.parametrize(
    "url",
    [
        "http://reader",
        "llrp://",
        "llrp://reader:0",
        "llrp://reader:99999",
        "llrp://reader/path",
        "llrp://a@b",
        "x",
    ],
)
def test_an_address_that_is_none_is_told_at_once(url: str) -> None:
    with pytest.raises(LinkUrlError, match="expected llrp://"):
        Reader("gate-1", url, ReaderSettings(), RunningClock())
