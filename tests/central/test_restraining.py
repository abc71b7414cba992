# SPDX-License-Identifier: Apache-2.0
"""People suspend the zone and hold goods: each act an entry, each refusal a reason, whatever was restored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from central.errors import Denied
from central.restraining import LiftHold, PutHold, Resume, Suspend
from central.service import Central
from customs.imports import Upload
from sync.bodies import read_body
from sync.entry import read_record
from sync.restraints import HOLDS_MAX, HoldPut
from tests.central.dock import GTIN, SSCC, Dock
from tests.central.running import Running, Wire
from tests.central.test_people import cases, own_types


def hold(**said: Any) -> PutHold:
    order: dict[str, Any] = {"kind": "agency", "reason": "exam", "by": "Dana", **said}
    return PutHold(**order)


async def test_a_suspension_is_an_entry_that_goes_to_every_dock(center: Central, dock: Dock) -> None:
    [written] = await center.restraining.suspend(Suspend("fire inspection", "Dana"))
    assert written.type == "zone"
    answer = await dock.talk(center)
    told = read_body(read_record(bytes(answer.entries[-1])))
    assert (told.event, told.reason, told.by, told.again) == ("suspended", "fire inspection", "Dana", False)
    found = await center.people.open_cases()
    assert found.suspended == "fire inspection"
    assert [case.name for case in found.cases] == [f"suspended:{told.id}"]
    with pytest.raises(Denied, match="suspended already: fire inspection"):
        await center.restraining.suspend(Suspend("again", "Dana"))
    await center.restraining.resume(Resume("nothing", "Dana"))
    assert (await center.people.open_cases()).suspended == ""
    with pytest.raises(Denied, match="not suspended"):
        await center.restraining.resume(Resume("again", "Dana"))
    assert (await own_types(center)).count("zone") == 2, "what was refused is no entry"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "names no goods"),
        ({"kind": "hunch", "gtin": GTIN}, "Say agency or quality|kind is 'hunch'"),
        ({"lot": "L1"}, "names no goods"),
        ({"owner": "Example User", "lot": "L1"}, "has no product"),
        ({"gtin": "123"}, "no GTIN"),
        ({"gtin": GTIN[:-1] + "0"}, "no GTIN"),
        ({"load": SSCC[:-1] + "0"}, "no SSCC"),
        ({"load": "42"}, "no SSCC"),
        ({"gtin": "٠٩٥٢١٩٩٩٠٠١٠٥٨"}, "no GTIN"),
    ],
)
async def test_a_hold_that_means_nothing_or_everything_is_refused(
    center: Central, said: dict[str, str], why: str
) -> None:
    with pytest.raises(Denied, match=why):
        await center.restraining.put_hold(hold(**said))
    assert "hold-put" not in await own_types(center)


async def test_holds_stand_until_they_are_lifted(center: Central) -> None:
    await center.restraining.put_hold(hold(load=SSCC))
    await center.restraining.put_hold(hold(kind="quality", gtin=GTIN, lot="L1"))
    first, second = (await center.restraining.standing()).holds
    assert (first.agency, first.load) == ("Customs", f"https://id.gs1.org/00/{SSCC}")
    assert (second.agency, second.gtin, second.lot) == ("", GTIN, "L1")
    await center.restraining.lift_hold(LiftHold(first.id, "released", "Dana"))
    assert (await center.restraining.standing()).holds == (second,)
    with pytest.raises(Denied, match="no hold"):
        await center.restraining.lift_hold(LiftHold(first.id, "released", "Dana"))


async def test_more_holds_than_a_door_can_ask_are_refused(center: Central) -> None:
    async with center._own.lock:
        book = await center._own.book()
        for number in range(HOLDS_MAX):
            name = f"h-{number}"
            put = HoldPut(name, "agency", "Customs", "exam", "Dana", datetime.now(UTC), owner=name)
            book.restraints.take(put)
    with pytest.raises(Denied, match="1000 holds stand already"):
        await center.restraining.put_hold(hold(gtin=GTIN))


async def test_a_load_that_a_dock_let_out_before_it_could_know_is_a_case(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    await dock.talk(center)
    early = dock.move("withdrawal")
    await center.restraining.put_hold(hold(gtin=GTIN))
    late = dock.move("withdrawal", sscc="095219990000000020")
    await dock.talk(center)
    name, found = next(
        (name, case) for name, case in (await cases(center)).items() if name.startswith("under-hold:")
    )
    assert "1 load (095219990000000020) crossed under a hold at dock-1" in found.what
    assert "agency hold, exam" in found.what
    async with center._own.lock:
        [told] = (await center._own.book()).under_hold.values()
    assert (told.movements, early in told.movements) == ((late,), False)
    assert name == f"under-hold:{next(iter((await _book(center)).under_hold))}"


async def _book(center: Central) -> Any:
    async with center._own.lock:
        return await center._own.book()


async def test_the_book_read_anew_knows_the_same(center: Central, dock: Dock) -> None:
    await center.restraining.suspend(Suspend("fire", "Dana"))
    await center.restraining.put_hold(hold(gtin=GTIN))
    dock.move("withdrawal")
    await dock.talk(center)
    before = await _book(center)
    center._own._book = None
    after = await _book(center)
    assert after is not before
    assert after.restraints == before.restraints
    assert after.under_hold == before.under_hold
    assert after.under_hold


async def test_the_commands_suspend_and_hold(running: Running) -> None:
    config = ("--config", str(running.config))

    async def central(*words: str) -> tuple[int, str, str]:
        return await running.command("central", *words, *config)

    code, said, _ = await central("enrol", "dock-1")
    dock = Dock()
    dock.code = said.strip()
    await dock.talk(Wire(running.url))
    assert (await central("holds"))[1] == "nothing is held, and the zone is open\n"
    assert (await central("suspend", "--note", "fire", "--by", "Dana"))[0] == 0
    code, _, wrong = await central("suspend", "--note", "fire", "--by", "Dana")
    assert (code, "suspended already" in wrong) == (1, True)
    assert (await central("hold", "agency", "--gtin", GTIN, "--note", "exam", "--by", "Dana"))[0] == 0
    code, said, _ = await central("holds")
    assert "THE ZONE IS SUSPENDED: fire (Dana)" in said
    line = next(line for line in said.splitlines() if "agency hold" in line)
    assert line.endswith(f"agency hold of Customs on gtin {GTIN}")
    code, said, _ = await central("lift-hold", line.split()[0], "--note", "released", "--by", "Dana")
    assert (code, said.startswith("hold-lifted is entry")) == (0, True)
    assert (await central("resume", "--note", "out", "--by", "Dana"))[0] == 0
    assert (await central("holds"))[1] == "nothing is held, and the zone is open\n"
