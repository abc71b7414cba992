# SPDX-License-Identifier: Apache-2.0
"""Suspensions and holds as docks and center fold them, what a restored center gets back, what crossed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Direction
from sync.bodies import Begin, Saw
from sync.cases import cases
from sync.chain import Stored
from sync.entry import Draft, read_record, record_bytes, record_hash
from sync.restraints import Goods, HoldLifted, HoldPut, Remembered, Restraints, ZoneEvent
from tests.sync.memory import TENANT, ZONE, Center, Node, enrolled, movement
from zonegate.simulation.stores import Chance

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOODS = Goods("/00/1", "09521999001058", "Example Two", frozenset(("L1",)))


def suspension(name: str = "s", at: datetime = AT) -> ZoneEvent:
    return ZoneEvent("suspended", name, "inspection", "Dana", at)


def resumption(name: str = "s", at: datetime = AT + HOUR) -> ZoneEvent:
    return ZoneEvent("resumed", name, "found nothing", "Dana", at)


def hold(name: str = "h", kind: str = "agency", at: datetime = AT, **scope: Any) -> HoldPut:
    return msgspec.convert(
        {"id": name, "kind": kind, "agency": "Customs", "reason": "exam", "by": "Dana", "at": at, **scope},
        HoldPut,
    )


def lifted(name: str = "h", at: datetime = AT + HOUR) -> HoldLifted:
    return HoldLifted(name, "Dana", "released", at)


def folded(*bodies: ZoneEvent | HoldPut | HoldLifted) -> Restraints:
    restraints = Restraints()
    for body in bodies:
        restraints.take(body)
    return restraints


ALL = (suspension("a"), suspension("b"), resumption("a"), hold("c"), hold("d"), lifted("c"))


@given(st.permutations(ALL * 2))
def test_the_fold_is_the_same_in_every_order_and_for_what_comes_twice(
    order: list[ZoneEvent | HoldPut | HoldLifted],
) -> None:
    restraints = folded(*order)
    assert restraints.suspended.keys() == {"b"}
    assert restraints.holds.keys() == {"d"}
    assert restraints.past_suspended.keys() | restraints.past_holds.keys() == {"a", "c"}
    assert restraints.ended.keys() == {"a", "c"}


def test_an_end_ends_what_it_names_and_nothing_else() -> None:
    restraints = folded(suspension("a"), suspension("b"), resumption("a"))
    assert restraints.suspension is not None
    assert restraints.suspension.id == "b"
    restraints.take(resumption("b"))
    assert restraints.suspension is None


SCOPES = (
    ({"gtin": GOODS.gtin}, True),
    ({"gtin": "09521999001065"}, False),
    ({"owner": "Example Two"}, True),
    ({"owner": "Example One"}, False),
    ({"load": "/00/1"}, True),
    ({"load": "/00/2"}, False),
    ({"gtin": GOODS.gtin, "lot": "L1"}, True),
    ({"gtin": GOODS.gtin, "lot": "L2"}, False),
    ({"gtin": GOODS.gtin, "owner": "Example One"}, False),
)


@pytest.mark.parametrize(("scope", "is_meant"), SCOPES)
def test_a_hold_means_goods_that_fit_all_that_it_names(scope: dict[str, Any], is_meant: bool) -> None:
    restraints = folded(hold(**scope))
    for way in Direction:
        assert (restraints.on(GOODS, way) is not None) is is_meant


def test_goods_of_a_held_product_whose_lot_nobody_knows_are_meant() -> None:
    restraints = folded(hold(gtin=GOODS.gtin or "", lot="L2"))
    unknown = msgspec.structs.replace(GOODS, lots=frozenset())
    assert restraints.on(unknown, Direction.OUT) is not None
    both = msgspec.structs.replace(GOODS, lots=frozenset(("L1", "L2")))
    assert restraints.on(both, Direction.OUT) is not None, "papers and label name two lots"
    assert restraints.on(GOODS, Direction.OUT) is None, "the control"


def test_a_hold_for_quality_keeps_goods_in_and_an_agency_outranks_it() -> None:
    restraints = folded(hold("q", "quality", gtin=GOODS.gtin or ""))
    assert restraints.on(GOODS, Direction.IN) is None
    found = restraints.on(GOODS, Direction.OUT)
    assert found is not None
    assert found.kind == "quality"
    restraints.take(hold("z", "agency", gtin=GOODS.gtin or ""))
    found = restraints.on(GOODS, Direction.OUT)
    assert found is not None
    assert found.kind == "agency"


@pytest.mark.parametrize(
    ("moment", "forbidden"),
    [(AT - HOUR, False), (AT, True), (AT + HOUR / 2, True), (AT + HOUR, False), (AT + 2 * HOUR, False)],
)
def test_what_stood_at_a_moment_is_known_afterwards(moment: datetime, forbidden: bool) -> None:
    for order in itertools.permutations((suspension(), resumption())):
        assert any(folded(*order).at(moment, GOODS, Direction.IN)) is forbidden
    standing = folded(hold(gtin=GOODS.gtin or ""))
    assert any(standing.at(moment, GOODS, Direction.OUT)) is (moment >= AT)


def test_a_dock_brings_back_what_was_put_and_no_end() -> None:
    known, remembered = Restraints(), Remembered()
    remembered.take(known, suspension("s"))
    remembered.take(known, resumption("s"))
    [(kind, again)] = list(remembered.again())
    assert kind == "zone"
    assert again == msgspec.structs.replace(suspension("s"), again=True)
    known.take(again)
    remembered.told(again)
    assert not list(remembered.again())
    assert known.suspension is not None, "a dock's word ends nothing"
    assert remembered.ends.keys() == {"s"}
    remembered.take(known, suspension("s"))
    assert not list(remembered.again()), "the own log has it"


# -- docks and a center -----------------------------------------------------------------------------


def case_kinds(center: Center) -> set[str]:
    return {case.name.partition(":")[0] for case in cases(center.book)}


def test_a_suspension_goes_down_and_its_end_too(center: Center, node: Node) -> None:
    center.write("zone", suspension())
    node.exchange(center)
    assert node.books.state.restraints.suspended.keys() == {"s"}
    assert "suspended" in case_kinds(center)
    node.start()
    assert node.books.state.restraints.suspended.keys() == {"s"}, "its own log tells it after a restart"
    center.write("zone", resumption())
    node.exchange(center)
    assert not node.books.state.restraints.suspended
    assert "suspended" not in case_kinds(center)


def test_the_docks_that_have_not_heard_of_a_suspension_are_named(
    chance: Chance, center: Center, node: Node
) -> None:
    other = enrolled(Node(chance, "dock-2"), center, "code-2")
    center.write("zone", suspension())

    def said() -> str:
        return next(case.next_step for case in cases(center.book) if case.name == "suspended:s")

    assert "Not heard of it yet: dock-1, dock-2; stop the doors there by hand." in said()
    node.settle(center)
    assert "Not heard of it yet: dock-2;" in said()
    other.settle(center)
    assert said() == "When goods may move again, resume the zone: `zonegate central resume`."
    assert center.folded_anew().remembered.heard == center.book.remembered.heard


def restored(center: Center, node: Node, *bodies: tuple[str, msgspec.Struct]) -> Center:
    """The center says something, the dock hears it, and an older center is put back and hears of the dock."""
    older = center.backup()
    for kind, body in bodies:
        center.write(kind, body)
    node.settle(center)
    older.chance, older.epoch = center.chance, center.chance.hex()
    begin = Begin(TENANT, ZONE, "center", older.signer.public, "put back", older.book.head)
    stored = older.chance.entry(older.epoch, None, "begin", begin)
    older.log.append(stored)
    older.book.fold(stored)
    node.settle(older)
    return older


def test_a_restored_center_is_told_that_the_zone_is_suspended_and_tells_all_docks(
    chance: Chance, center: Center, node: Node
) -> None:
    center = restored(center, node, ("zone", suspension()), ("hold-put", hold(gtin="09521999001058")))
    assert center.book.restraints.suspended["s"].again
    assert {"suspended", "hold-again"} <= case_kinds(center)
    assert center.types().count("zone") == 1, "said once more, in the new log"
    assert node.books.state.restraints.suspended.keys() == {"s"}
    other = enrolled(Node(chance, "dock-2"), center, "code-2")
    assert other.books.state.restraints.suspended.keys() == {"s"}, "a dock that is new hears of it as well"
    center.write("zone", resumption())
    node.settle(center)
    other.settle(center)
    assert not node.books.state.restraints.suspended
    assert not other.books.state.restraints.suspended


def test_an_end_that_a_restored_center_forgot_is_a_case_and_ends_nothing(center: Center, node: Node) -> None:
    center.write("zone", suspension())
    node.settle(center)
    center = restored(center, node, ("zone", resumption()))
    assert center.book.restraints.suspension is not None
    assert not node.books.state.restraints.suspended, "the dock had been told"
    assert "ended-elsewhere" in case_kinds(center)
    center.write("zone", resumption())
    node.settle(center)
    assert not case_kinds(center) & {"ended-elsewhere", "suspended"}


def test_a_center_that_was_never_restored_believes_no_dock_of_a_suspension(
    center: Center, node: Node
) -> None:
    lie = node.chance.entry(center.epoch, center.book.head, "zone", suspension("lie"))
    upto = node.books.state.cursor
    assert upto is not None
    node.write("saw", Saw(center.epoch, upto, (msgspec.Raw(lie.record),)))
    node.settle(center)
    assert center.book.restraints.suspension is None
    assert not list(center.book.remembered.again())


# -- what crossed unseen ------------------------------------------------------------------------------


def test_movements_of_a_dock_that_could_not_know_are_one_case(center: Center, node: Node) -> None:
    now = node.chance.now(timedelta(0))
    center.write("zone", suspension(at=now))
    first = node.withdraw(5)
    node.withdraw(5)
    node.exchange(center)
    [found] = [case for case in cases(center.book) if case.name.startswith("under-hold:")]
    assert "2 loads" in found.what
    assert "crossed under a hold" in found.what
    assert "inspection" in found.what
    assert found.settles
    [told] = center.book.under_hold.values()
    assert (told.count, told.restraint, told.movements[0]) == (2, "s", first.entry.entry_id)
    node.exchange(center)
    assert len(center.book.under_hold) == 1, "told once"


def test_movements_before_a_hold_or_of_other_goods_are_no_case(center: Center, node: Node) -> None:
    node.withdraw(5)
    center.write("zone", suspension(at=node.chance.now(timedelta(0)) + HOUR))
    center.write("hold-put", hold(gtin="09521999001065", at=AT))
    node.exchange(center)
    assert not center.book.under_hold


def test_a_movement_by_an_unsure_clock_is_held_against_what_stands_now(center: Center, node: Node) -> None:
    center.write("zone", suspension(at=node.chance.now(timedelta(0)) + HOUR))
    like = node.chance.entry(
        node.epoch, node.store.head(node.epoch), "withdrawal", movement(5), node.doors[0]
    )
    entry = like.entry
    unsure = msgspec.structs.replace(entry.clock, synchronized=False)
    draft = Draft(
        entry.entry_id, entry.type, entry.schema, entry.occurred_at, unsure, bytes(entry.body), entry.door
    )
    record = record_bytes(draft, entry.epoch, entry.seq, entry.recorded_at, entry.prev)
    moved = Stored(record, read_record(record), record_hash(record))
    node.store.append(moved)
    node.anchor = moved.place
    node.exchange(center)
    [told] = center.book.under_hold.values()
    assert told.movements == (moved.entry.entry_id,)
