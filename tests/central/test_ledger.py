# SPDX-License-Identifier: Apache-2.0
"""The zone's ledger in the database: what entries post, and what is read of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from central.ledger_queries import Ledger
from central.service import Central
from customs.imports import Upload
from sync.bodies import Use
from tests.central.dock import GTIN, SSCC, Dock


@pytest.fixture
def ledger(center: Central) -> Ledger:
    return Ledger(center.database, "example", "zone-999")


async def told(center: Central, dock: Dock) -> None:
    """The dock tells the center, and the books take it in."""
    await dock.talk(center)
    await center.projector.catch_up()


async def test_what_a_door_admits_and_lets_out_is_posted_to_its_lot(
    center: Central, dock: Dock, papers: bytes, ledger: Ledger
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    came = dock.move(quantity="125", use=Use("A214", "1", Decimal(125)))
    left = dock.move("withdrawal", "50", Use("W24", "1", Decimal(50)))
    await told(center, dock)
    (lot,) = (await ledger.lots()).items
    assert (lot["lot"], lot["owner"], lot["product"], lot["status"]) == (
        "A214/1",
        "Example User",
        GTIN,
        "NPF",
    )
    balances = {account: amount.quantity for account, amount in lot["accounts"].items()}
    assert balances == {"stock": 75, "territory": 50, "abroad": -125}
    story = await ledger.story("A214/1")
    assert [(row["entry_id"], row["quantity"], row["account_to"]) for row in story.movements] == [
        (came, 125, "stock"),
        (left, 50, "territory"),
    ]
    assert [row["evidence"]["code"] for row in story.movements] == [SSCC, SSCC]
    assert story.movements[1]["picked"] == "A214/1"
    assert {row["permit"] for row in story.movements} == {"A214", "W24"}
    assert [row["kind"] for row in (await ledger.search("A214")).items] == ["document", "lot"]
    assert [row["lots"] for row in (await ledger.search(SSCC)).items] == [["A214/1"], ["A214/1"]]


async def test_what_leaves_without_being_there_is_a_case_and_never_stock_below_zero(
    center: Central, dock: Dock, papers: bytes, ledger: Ledger
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    dock.move(quantity="125", use=Use("A214", "1", Decimal(125)))
    left = dock.move("withdrawal", "130", Use("W24", "1", Decimal(130)))
    await told(center, dock)
    (case,) = (await ledger.overdraws()).items
    assert (case["entry_id"], case["quantity"], case["permit"]) == (left, 5, "W24")
    (goods,) = (await ledger.goods()).items
    assert {account: amount.quantity for account, amount in goods["accounts"].items()} == {
        "abroad": -125,
        "territory": 130,
        "overdrawn": -5,
    }
    (difference,) = (await ledger.differences()).items
    assert (difference["physical"], difference["legal"], difference["overdrawn"]) == (-5, 0, -5)
    assert (await ledger.lots()).items == []
