# SPDX-License-Identifier: Apache-2.0
"""What either side may send, malformed or beyond counting: a refusal in this room's words, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from aiohttp import web

from customs.documents import Permit
from sync import wire
from sync.bodies import Holdings, Moved, read_body
from sync.center import TOLD_LENGTH_MAX
from sync.client import CenterClient
from sync.entry import GENESIS, Place, read_record
from sync.errors import SyncError, TransportError, WireError
from sync.keys import Signer
from sync.wire import ANSWER_ENTRY_BYTES_MAX, ASK_ENTRIES_MAX
from tests.sync.memory import LINE, Center, Node, enrolled, movement
from zonegate.simulation.stores import Chance

DEEP = b"[" * 100_000
BEYOND = str(2**70).encode()


@pytest.mark.parametrize("inner", [DEEP, b'{"a":' * 50_000])
@pytest.mark.parametrize(
    ("read", "frame"),
    [
        (wire.read_answer, b'{"ask_id":"a","entries":['),
        (wire.read_ask, b'{"parts":[{"entries":['),
        (read_record, b'{"body":'),
    ],
)
def test_a_message_nested_without_end_is_refused(
    read: Callable[[bytes], object], frame: bytes, inner: bytes
) -> None:
    with pytest.raises(SyncError):
        read(frame + inner)


def test_a_place_that_no_store_can_number_is_refused(node: Node, center: Center) -> None:
    answer = center.answer(*node.ask())
    assert wire.read_answer(answer).have[0].seq > 0, "the control: as it stands it is read"
    for seq in (BEYOND, b"-1"):
        told = msgspec.json.decode(answer)
        told["have"][0]["seq"] = msgspec.Raw(seq)
        with pytest.raises(WireError):
            wire.read_answer(msgspec.json.encode(told))
        asked = msgspec.json.decode(node.ask()[0])
        asked["parts"][0]["head"]["seq"] = msgspec.Raw(seq)
        with pytest.raises(WireError):
            wire.read_ask(msgspec.json.encode(asked))


def test_a_use_beyond_counting_is_stored_and_blocks_nothing(node: Node, center: Center) -> None:
    huge = Decimal("9E+999999")
    body = movement(1)
    assert body.use is not None
    for quantity, used in ((huge, huge), (Decimal(1), huge), (Decimal("NaN"), Decimal(1))):
        use = msgspec.structs.replace(body.use, quantity=used)
        node.commit("withdrawal", msgspec.structs.replace(body, quantity=quantity, use=use), node.doors[0])
    node.anchor = node.store.head(node.epoch)
    node.exchange(center)
    assert center.copies.head(node.epoch) == node.anchor
    assert center.book.epochs[node.epoch].unread, "its use is not known: only a count may close it"
    assert center.charged() == 800
    assert center.folded_anew().accounts == center.book.accounts
    assert "holdings" not in center.types(), "no other dock is told of such goods"


def test_what_a_full_ask_moved_goes_down_in_entries_that_an_answer_can_carry(
    chance: Chance, node: Node, center: Center
) -> None:
    other = enrolled(Node(chance, "dock-2"), center, "code-2")
    body = movement(1)
    load = msgspec.structs.replace(body.load, owner="\N{HEAVY CHECK MARK}" * 80, lot="L" * 20, key="k" * 90)
    long = msgspec.structs.replace(body, load=load, use=None)
    for _ in range(ASK_ENTRIES_MAX):
        node.commit("withdrawal", long, node.doors[0])
    node.anchor = node.store.head(node.epoch)
    node.exchange(center)
    down = [stored for stored in center.log if stored.entry.type == "holdings"]
    assert max(len(stored.record) for stored in down) < ANSWER_ENTRY_BYTES_MAX
    node.settle(center)
    moves: list[Moved] = []
    for stored in center.log:
        if stored.entry.type == "holdings":
            told: Holdings = read_body(stored.entry)
            moves += told.moves
    assert [move.seq for move in moves] == list(range(moves[0].seq, moves[0].seq + ASK_ENTRIES_MAX))
    other.exchange(center)


@pytest.mark.parametrize("length", [TOLD_LENGTH_MAX - 1000, TOLD_LENGTH_MAX + 1, 40_000])
def test_loads_named_at_any_length_leave_no_entry_that_an_answer_cannot_carry(
    chance: Chance, node: Node, center: Center, length: int
) -> None:
    other = enrolled(Node(chance, "dock-2"), center, "code-2")
    before = other.told
    body = movement(1)
    load = msgspec.structs.replace(body.load, key="\x01" * length)
    for _ in range(6 if length > TOLD_LENGTH_MAX else 40):
        node.commit("withdrawal", msgspec.structs.replace(body, load=load), node.doors[0])
    node.anchor = node.store.head(node.epoch)
    node.settle(center)
    assert center.copies.head(node.epoch) == node.anchor, "stored like any other"
    down = [stored for stored in center.log if stored.entry.type == "holdings"]
    assert all(len(stored.record) < ANSWER_ENTRY_BYTES_MAX for stored in down)
    assert bool(down) == (length < TOLD_LENGTH_MAX)
    assert center.book.epochs[node.epoch].unread == (length > TOLD_LENGTH_MAX)
    assert center.folded_anew().epochs == center.book.epochs
    other.settle(center)
    assert (other.told != before) == bool(down)


def test_a_paper_of_a_newer_center_is_not_taken_and_says_to_update(node: Node, center: Center) -> None:
    center.write("permit", msgspec.structs.replace(center.book.permits[LINE.permit], number="W07"))
    known = center.answer(*node.ask())
    newer = known.replace(b'zonegate.permit.v1","occurred', b'zonegate.permit.v2","occurred')
    assert newer != known
    told, seen = node.told, node.books.state.cursor
    with pytest.raises(WireError, match="update"):
        node.take(newer)
    assert (node.told, node.books.state.cursor) == (told, seen), "nothing of it was written"
    node.settle(center)
    assert isinstance(node.books.state.permits["W07"], Permit), "the control: in a known form it is taken"


def test_more_than_a_dock_can_write_at_once_is_said_and_not_skipped(node: Node, center: Center) -> None:
    """A center that fills an answer with more than one entry can carry; it is asked for it again."""
    permit = center.book.permits[LINE.permit]
    for number in (7, 8):
        center.write("permit", msgspec.structs.replace(permit, number=f"W{number:02}", owner="x" * 150_000))
    told, seen = node.told, node.books.state.cursor
    answer = wire.read_answer(center.answer(*node.ask()))
    full = tuple(msgspec.Raw(stored.record) for stored in center.log if stored.entry.type == "permit")
    body = wire.encode(msgspec.structs.replace(answer, entries=full, upto=center.book.head))
    with pytest.raises(WireError, match="at most"):
        node.take(body)
    assert (node.told, node.books.state.cursor) == (told, seen), "nothing of it was written"
    node.settle(center)
    assert {"W07", "W08"} <= set(node.books.state.permits), "the control: in two answers it comes"


def test_what_was_not_written_is_asked_for_again(node: Node, center: Center) -> None:
    """The journal may refuse the entry that takes an answer in: the same dock goes on where it had come."""
    center.write("permit", msgspec.structs.replace(center.book.permits[LINE.permit], number="W07"))
    known = node.books.state.center_ids.__contains__
    taken = node.sync.take(wire.read_answer(center.answer(*node.ask())), node.store, known)
    assert taken is not None
    assert taken.saw is not None
    assert "W07" not in node.books.state.permits, "the control: it was not written"
    node.settle(center)
    assert "W07" in node.books.state.permits


def test_a_foreign_head_is_heard_beside_what_cannot_be_read(node: Node, center: Center) -> None:
    """Rule E does not wait for an update: whoever may be a copy writes no further."""
    twin = node.clone()
    twin.anchor, twin.secret = node.anchor, node.secret
    twin.start()
    node.withdraw(1)
    node.settle(center)
    twin.withdraw(2)
    center.write("permit", msgspec.structs.replace(center.book.permits[LINE.permit], number="W07"))
    answer = center.answer(*twin.ask())
    newer = answer.replace(b'zonegate.permit.v1","occurred', b'zonegate.permit.v2","occurred')
    assert newer != answer
    taken = twin.take(newer)
    assert taken is not None
    assert taken.foreign is not None
    assert taken.saw is None


@pytest.mark.parametrize("body", [b'{"error":"\xff"}', b'{"error":' + DEEP, b"\xff", b""])
@pytest.mark.parametrize("status", [200, 400, 502])
async def test_an_answer_that_is_no_answer_is_an_error_of_this_room(
    chance: Chance, status: int, body: bytes
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_post("/api/v1/exchange", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ask = wire.Ask(
        "a", "t", "z", "n", "0" * 32, (), (wire.Part("0" * 32, 0, GENESIS, ()),), Place("0", 0, "")
    )
    try:
        host, port = runner.addresses[0][:2]
        async with CenterClient(f"http://{host}:{port}") as client:
            with pytest.raises((WireError, TransportError)):
                await client.exchange(ask, Signer(chance.secret()))
    finally:
        await runner.cleanup()
