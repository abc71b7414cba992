# SPDX-License-Identifier: Apache-2.0
"""Numbers are written in the digits 0 to 9: what Python reads besides is refused, on pages and over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from central.admitting import Admit
from central.bookkeeping import Adjust
from central.errors import Denied
from central.looks import _LOOKS
from central.web import acts, forms
from central.web.digits import check_numbers, number_of
from central.web.orders import _made, _scrap, _waste
from tests.central.conftest import Client
from tests.central.ledger_zone import GTINS, OWNER, Zone
from tests.central.test_admitting import LABEL, deposit
from tests.central.test_floor import floor, key

OTHERS = (
    "\u0663",
    "\uff13",
    "\u0967\u0968",
    "1_0",
    "1e1",
    "+7",
    " 7",
    "7 ",
    "7.",
    ".7",
    "NaN",
    "Infinity",
    "-",
    "",
)
HTML = {"Accept": "text/html"}
SAID = {"note": "counted", "by": "anna"}
ADJUST = {
    "number": "C-1", "owner": OWNER, "product": GTINS[0], "status": "SUSPENSE", "quantity": "7", **SAID,
}  # fmt: skip
ADMIT = {
    "document": "214-1",
    "line": "1",
    "loads": [{"load": key(1), "quantity": "7", "onto": LABEL}],
    **SAID,
}


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_not_in_digits_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A"):
        number_of(text)
    if text.strip():
        with pytest.raises(Denied, match="is no number"):
            check_numbers(Admit("d", "1", "n", "b", Decimal(7)), {"quantity": text})


def test_the_control_is_that_all_others_of_these_are_numbers_to_python() -> None:
    read = [text for text in OTHERS if text.strip(" -")]
    assert all(msgspec.convert(text, Decimal) is not None for text in read) and len(read) == 12
    assert number_of("-0.5") == Decimal("-0.5") and number_of("1000000000000") == 10**12


def test_a_number_is_looked_at_wherever_it_stands_in_an_order() -> None:
    order = msgspec.convert(ADMIT, Admit)
    check_numbers(order, ADMIT)
    with pytest.raises(Denied):
        check_numbers(order, {**ADMIT, "loads": [{"load": key(1), "quantity": "\u0667", "onto": LABEL}]})
    check_numbers(msgspec.convert({**ADJUST, "quantity": 7}, Adjust), {**ADJUST, "quantity": 7})
    named = {**ADJUST, "note": "\u0663", "by": "\uff13"}
    check_numbers(msgspec.convert(named, Adjust), named)  # names and words may be of any script


@pytest_asyncio.fixture
async def zone(center: Any) -> Zone:
    made = await Zone.open(center, docks=1)
    deposit(made, 10, "60", "1")
    await made.tell()
    await center.projector.catch_up()
    return made


async def adjust(client: Client, quantity: str) -> tuple[int, str]:
    answer = await client.post("/api/v1/adjust", json={**ADJUST, "quantity": quantity})
    return answer.status, await answer.text()


async def admit(client: Client, quantity: str) -> tuple[int, str]:
    form = {"document": "214-1", "line": "1", "loads": f"{key(1)} {quantity} {LABEL}", **SAID}
    answer = await client.post("/admit", data=form, headers=HTML, allow_redirects=False)
    return answer.status, await answer.text()


@pytest.mark.parametrize(("where", "say"), [(acts, adjust), (forms, admit)])
async def test_acts_take_only_digits_and_the_control_without_the_look_takes_others(
    client: Client, zone: Zone, monkeypatch: pytest.MonkeyPatch, where: ModuleType, say: Any
) -> None:
    before = await floor(zone.center)
    for other in ("\u0667", "\uff17", "0_7"):
        status, told = await say(client, other)
        assert status == 400 and "is no number" in told and "digits 0 to 9" in told
    assert await floor(zone.center) == before
    monkeypatch.setattr(where, "check_numbers", lambda *_: None)
    status, _ = await say(client, "\u0667")
    assert status in (200, 303), "the control: it would have been booked"


@pytest.mark.parametrize(
    ("read", "line"),
    [(_made, "load=7"), (_waste, "input=7"), (_scrap, "a 7 b 1 2 load"), (_scrap, "a 1 b 7 2 load")],
)
def test_a_report_of_an_order_is_read_in_digits_alone(read: Callable[[str], Any], line: str) -> None:
    assert Decimal(7) in read(line).values(), "the control"
    for other in ("\u0667", "\uff17", "0_7", "7e0"):
        with pytest.raises(ValueError, match=r"\A"):
            read(line.replace("7", other))


@pytest.mark.parametrize(("text", "status"), [("\uff17", 400), ("1_0", 400), ("1e1", 400), ("7", 200)])
async def test_a_cost_is_asked_for_in_digits_alone(client: Client, text: str, status: int) -> None:
    asked = {"owner": OWNER, "product": GTINS[0], "quantity": text}
    assert (await client.get("/api/v1/cost", params=asked)).status == status


async def test_an_sscc_in_other_digits_holds_no_load_that_nobody_has(client: Client) -> None:
    hold = {"kind": "quality", "reason": "wet", "by": "anna"}
    for number in (f"{1:018d}", "\u0661" * 18, "\u00b9" * 18):
        answer = await client.post("/api/v1/hold", json={**hold, "load": number})
        assert answer.status == 400 and "is no SSCC" in await answer.text()
    assert (await client.post("/api/v1/hold", json={**hold, "load": LABEL})).status == 200, "the control"


@pytest.mark.parametrize(
    ("name", "number", "told"),
    [("suspense", 1, " 1 day "), ("suspense", 2, " 2 days "), ("in-transit", 1, " 1 day "),
     ("in-transit", 0, " 0 days "), ("locations", 1, " 1 load "), ("locations", 0, " no loads ")],
)  # fmt: skip
def test_one_of_a_thing_is_told_as_one(name: str, number: int, told: str) -> None:
    words = ("sscc", "owner", "product", "document", "status", "entry_id", "name", "description")
    row = dict.fromkeys(words, "x")
    row |= {"quantity": "5", "unit": "EA", "last_day": "2026-06-16", "papers_due": "2026-06-03"}
    answer = {"items": [{**row, "days": number, "loads": number, "over": False, "closed": False}]}
    (line,) = _LOOKS[name].tell(answer)
    assert told in line
