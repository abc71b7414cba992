# SPDX-License-Identifier: Apache-2.0
"""Tables at the center: from a file to entries, from entries to rows, and back as they were known then."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from central import projector
from central.datasets import FAULTS_TOLD_MAX, PART_BYTES_MAX
from central.errors import Unavailable
from central.intake import ImportSummary, Told
from central.service import Central
from customs.imports import Refused, Upload
from customs.known import KNOWN_ALL, Known
from customs.law import Program, TariffRow
from sync.bodies import read_body
from sync.center import DOWN, concerns
from sync.customs_bodies import Dataset, ImportRefused, Rows
from sync.entry import BODY_BYTES_MAX, read_record
from tests.central.dock import Dock
from tests.customs.tables.examples import MOTOR, OWNER, PUMP, ROWS, as_csv, as_json, read

PRODUCTS = as_csv(
    {"gtin": gtin, "name": name}
    for gtin, name in (
        (MOTOR, "MOT-24"),
        ("09521999001034", "HSG-7"),
        (PUMP, "PUMP-100"),
        ("09521999001065", "BRKT-9"),
    )
)
PERMIT = as_csv(
    {
        "number": "A1", "kind": "admission", "owner": OWNER, "valid_from": "2026-06-01",
        "valid_to": "2026-06-07", "line": line, "product": product, "status": status, "quantity": quantity,
        "unit": "EA", "direction": "in",
    }
    for line, product, status, quantity in (
        ("1", MOTOR, "NPF", "1000"),
        ("2", "09521999001034", "PF", "1020"),
    )
)  # fmt: skip
EVERYTHING = [
    Upload("products.csv", PRODUCTS),
    Upload("permits.csv", PERMIT),
    *(Upload(f"{kind}.csv", as_csv(rows)) for kind, rows in ROWS.items()),
]
TABLES = ("dataset", "dataset_row")


async def rows_of(center: Central) -> list[list[tuple[Any, ...]]]:
    await center.projector.catch_up()
    async with center.database.session() as connection:
        return [
            [tuple(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY 3, 4")]
            for table in TABLES
        ]


async def own_entries(center: Central) -> list[Any]:
    async with center.database.session() as connection:
        rows = await connection.fetch(
            "SELECT record FROM entry WHERE tenant = 'example' AND node = 'center' ORDER BY seq"
        )
    return [read_record(row["record"]) for row in rows]


async def take(center: Central, *uploads: Upload, **more: Any) -> ImportSummary:
    taken = await center.import_files(uploads, "anna", **more)
    assert isinstance(taken, ImportSummary), taken
    await center.projector.catch_up()
    return taken


async def refuse(center: Central, *uploads: Upload, **more: Any) -> Refused:
    refused = await center.import_files(uploads, "anna", **more)
    assert isinstance(refused, Refused)
    return refused


async def test_tables_of_every_kind_are_imported_with_the_papers_that_they_name(center: Central) -> None:
    taken = await take(center, *EVERYTHING)
    assert {table.kind for table in taken.tables} == ROWS.keys()
    async with center.database.session() as connection:
        book = await center.customs.law_book(connection)
        found = book.at().one(TariffRow, "8501/general", date(2026, 6, 1))
        assert found is not None
        assert found.row.rate.advalorem == Decimal("0.04")
        lines = await center.customs.admission_lines(connection, [("A1", "2"), ("A1", "9")])
        assert lines["A1", "2"].values.dutiable() == Decimal(20400)
        assert len(lines) == 1
        product = await center.customs.product(connection, MOTOR, OWNER, date(2026, 6, 1))
        assert product is not None
        assert product.hts == "85013140"
        assert await center.customs.product(connection, MOTOR, OWNER, date(2025, 12, 31)) is None
        (bom,) = await center.customs.boms(connection)
        assert bom.wasted("09521999001034") == Decimal("0.02")
        assert list(await center.customs.opening_balances(connection)) == ["A0/7"]


async def test_rows_of_every_kind_are_read_back_as_they_were_typed(center: Central) -> None:
    await take(center, *EVERYTHING)
    for kind, rows in ROWS.items():
        sheet, faults = read(as_csv(rows))
        assert sheet is not None
        assert faults.kept == []
        async with center.database.session() as connection:
            found = await center.customs._all(connection, kind, KNOWN_ALL)
        assert found == [kept.row for kept in sheet.rows], kind


async def test_the_same_tables_again_write_nothing(center: Central) -> None:
    await take(center, *EVERYTHING)
    before = await own_entries(center)
    again = await take(center, *EVERYTHING)
    assert (again.tables, again.unchanged) == ((), 5 + len(ROWS))
    assert await own_entries(center) == before


async def test_rows_made_anew_from_the_record_are_the_same(center: Central) -> None:
    await take(center, *EVERYTHING)
    before = await rows_of(center)
    assert all(before)
    async with center.database.session() as connection:
        await connection.execute("DELETE FROM dataset_row WHERE number = 1")
    assert await rows_of(center) != before
    await center.projector.rebuild()
    assert await rows_of(center) == before


async def test_rows_are_the_same_however_few_entries_one_transaction_takes(
    center: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**ROWS["tariff"][0], "hts": f"{number:08d}"} for number in range(10_000_000, 10_002_000)]
    await take(center, *EVERYTHING[:2], Upload("long.csv", as_csv(rows)), *EVERYTHING[2:4])
    before = await rows_of(center)
    for bound, value in (("OWN_BYTES_MAX", 1), ("REBUILD_PAGES", (1, 1))):
        folded: list[tuple[int, int]] = []
        with monkeypatch.context() as narrow:
            narrow.setattr(projector, bound, value)
            await center.projector.rebuild(lambda *done, told=folded: told.append(done))
        assert await rows_of(center) == before
        assert len(folded) == folded[-1][1] == len(await own_entries(center))
    assert {(row["taken"], row["parts"]) for row in await datasets(center)} == {(1, 1), (4, 4)}


async def datasets(center: Central) -> list[Any]:
    async with center.database.session() as connection:
        return await connection.fetch("SELECT * FROM dataset")


async def test_the_record_of_a_refusal_is_bounded(center: Central) -> None:
    lines = "\n".join(f"{number}," for number in range(3_000))
    refused = await refuse(center, Upload("x.csv", b"gtin,name\n" + lines.encode()))
    assert refused.total == 6_000
    wide = ",".join(f"column{number}" for number in range(60))
    header = as_csv(ROWS["opening-balance"]).split(b"\r\n")[0]
    await refuse(center, Upload("y.csv", header + b"," + wide.encode()))
    for entry in await own_entries(center):
        if entry.type == "import-refused":
            assert 0 < len(read_body(entry).faults) <= FAULTS_TOLD_MAX
            assert len(entry.body) < 128 * 1024


async def test_a_refused_table_leaves_the_books_and_is_recorded(center: Central) -> None:
    await take(center, *EVERYTHING)
    before = await rows_of(center)
    entries = await own_entries(center)
    bad = as_csv([{**ROWS["tariff"][0], "advalorem": "-0.04"}, {**ROWS["tariff"][0], "code": "8"}])
    sound = as_csv([{**ROWS["harbor-port"][0], "code": "2704"}])
    refused = await refuse(center, Upload("ports.csv", sound), Upload("bad.csv", bad))
    assert [fault.where for fault in refused.faults] == ["row 2, column advalorem", "row 3, column code"]
    assert await rows_of(center) == before
    (new,) = (await own_entries(center))[len(entries) :]
    said = read_body(new)
    assert isinstance(said, ImportRefused)
    assert (said.file, said.rows, said.total, said.by) == ("ports.csv, bad.csv", 3, 2, "anna")
    assert said.faults == refused.faults


async def test_a_long_table_is_stored_in_bounded_parts_and_read_back_whole(center: Central) -> None:
    rows = [{**ROWS["tariff"][0], "hts": f"{number:08d}"} for number in range(10_000_000, 10_003_000)]
    await take(center, Upload("long.csv", as_csv(rows)))
    entries = [entry for entry in await own_entries(center) if entry.type in ("dataset", "rows")]
    assert all(len(entry.body) < 128 * 1024 < BODY_BYTES_MAX for entry in entries)
    header = read_body(entries[0])
    parts = [read_body(entry) for entry in entries[1:]]
    assert isinstance(header, Dataset)
    assert all(isinstance(part, Rows) for part in parts)
    assert len(parts) == header.parts > 3
    assert sum(len(part.rows) for part in parts) == header.rows == 3000
    assert max(len(entry.body) for entry in entries) > PART_BYTES_MAX // 2
    async with center.database.session() as connection:
        (dataset,) = (await center.customs.law_book(connection)).datasets
    assert [row.hts for row in dataset.rows if isinstance(row, TariffRow)] == [row["hts"] for row in rows]


async def test_a_dataset_is_in_force_with_its_last_part_alone(center: Central) -> None:
    await take(center, *EVERYTHING)
    async with center.database.session() as connection:
        whole = (await center.customs.law_book(connection)).datasets
        await connection.execute("UPDATE dataset SET taken = taken - 1 WHERE kind = 'tariff'")
        less = (await center.customs.law_book(connection)).datasets
    assert len(less) == len(whole) - 1


async def test_what_supersedes_is_known_from_its_own_place_on(center: Central) -> None:
    first = ROWS["program"][0]
    await take(center, Upload("p.csv", as_csv([first])))
    async with center.database.session() as connection:
        old = await center.customs.law_book(connection)
    changed = {**first, "advalorem": "0.10", "valid_from": "2026-06-08"}
    refused = await refuse(center, Upload("q.csv", as_csv([changed])))
    assert "no other row holds it" in refused.faults[0].expected
    await take(center, Upload("q.csv", as_csv([changed])), supersedes_from=date(2026, 6, 8))
    async with center.database.session() as connection:
        book = await center.customs.law_book(connection)
        then = await center.customs.law_book(connection, old.datasets[0].known)
    rates = [
        found.row.rate.advalorem
        for day in (date(2026, 6, 7), date(2026, 6, 8))
        if (found := book.at().one(Program, "S301-X", day))
    ]
    assert rates == [Decimal("0.25"), Decimal("0.10")]
    assert then.datasets == old.datasets
    assert then.at(Known(0, 0)).one(Program, "S301-X", date(2026, 6, 7)) is None


async def test_a_product_is_another_to_customs_from_a_day_on_and_was_what_it_was(center: Central) -> None:
    await take(center, *EVERYTHING)
    (known,) = (
        Known(row["known_order"], row["known_seq"])
        for row in await datasets(center)
        if row["kind"] == "customs-product"
    )
    changed = {**ROWS["customs-product"][0], "hts": "8501.99", "valid_from": "2026-06-08"}
    await take(center, Upload("c.csv", as_csv([changed])), supersedes_from=date(2026, 6, 8))

    async def number(day: date, known: Known = KNOWN_ALL) -> str | None:
        async with center.database.session() as connection:
            found = await center.customs.product(connection, MOTOR, OWNER, day, known)
        return found.hts if found else None

    assert await number(date(2026, 6, 7)) == "85013140"
    assert await number(date(2026, 6, 8)) == "850199"
    assert await number(date(2026, 6, 8), known) == "85013140"
    assert await number(date(2026, 6, 8), Known(0, 0)) is None


async def test_a_lot_counts_once_whatever_is_imported_again(center: Central) -> None:
    await take(center, *EVERYTHING)
    opening = ROWS["opening-balance"][0]
    more = as_csv([opening, {**opening, "lot": "A0/8"}])
    for supersedes in (None, date(2026, 6, 1)):
        refused = await refuse(center, Upload("o.csv", more), supersedes_from=supersedes)
        assert [fault.where for fault in refused.faults] == ["row 2, column lot"]
    by_door = as_csv([{**opening, "lot": "A1/1"}])
    assert "when it comes" in (await refuse(center, Upload("o.csv", by_door))).faults[0].expected
    line = as_csv([{**ROWS["admission-line"][0], "price": "30000"}])
    assert (await refuse(center, Upload("a.csv", line))).faults[0].where == "row 2, column line"
    await take(center, Upload("a.csv", line), supersedes_from=date(2026, 6, 1))
    async with center.database.session() as connection:
        lines = await center.customs.admission_lines(connection, [("A1", "2")])
    assert lines["A1", "2"].values.price == Decimal(30_000)


async def test_a_lot_that_has_opened_is_let_in_by_no_permit(center: Central) -> None:
    """Its goods would be in the books twice; the same the other way round, and in one import."""
    await take(center, *EVERYTHING)
    way = {"number": "A0", "kind": "admission", "direction": "in"}
    row = {**csv_rows(PERMIT)[0], **way}
    both = as_csv([{**row, "line": "8"}, {**row, "line": "7"}])
    (fault,) = (await refuse(center, Upload("p.csv", both))).faults
    assert (fault.where, fault.got) == ("row 3, column line", "A0/7")
    assert "no opening balance has" in fault.expected
    assert (await own_entries(center))[-1].type == "import-refused"
    # What it lets out may be of any lot, and other lines are other lots.
    out = {**row, "line": "7", "kind": "export", "direction": "out"}
    await take(center, Upload("p.csv", as_csv([out])))
    await take(center, Upload("q.csv", as_csv([{**row, "number": "A00", "line": "7"}])))
    opening = {**ROWS["opening-balance"][0], "lot": "A00/7"}
    (fault,) = (await refuse(center, Upload("o.csv", as_csv([opening])))).faults
    assert "when it comes" in fault.expected
    new = Upload("r.csv", as_csv([{**row, "number": "A01"}]))
    late = Upload("o.csv", as_csv([{**opening, "lot": "A01/1"}]))
    assert (await refuse(center, new, late)).faults[0].got == "A01/1"


def csv_rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


async def test_nodes_never_get_customs_data(center: Central, dock: Dock) -> None:
    await take(center, *EVERYTHING)
    await refuse(center, Upload("x.csv", b"gtin,name\n1,x\n"))
    for entry in await own_entries(center):
        if entry.type in ("dataset", "rows", "import-refused"):
            assert not concerns(entry.type, read_body(entry), dock.node, dock.epoch)
            assert entry.type not in DOWN
    assert {"dataset", "rows", "import-refused"} <= {entry.type for entry in await own_entries(center)}


async def test_a_database_that_fails_in_mid_import_leaves_nothing(
    center: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = await own_entries(center)
    before = await rows_of(center)
    write = center._own.record.store

    async def broken(*args: Any) -> Any:
        await write(*args)
        raise OSError("the server went away")

    monkeypatch.setattr(center._own.record, "store", broken)
    with pytest.raises(Exception, match="the server went away"):
        await center.import_files(EVERYTHING, "anna")
    monkeypatch.undo()
    assert await own_entries(center) == entries
    assert await rows_of(center) == before
    await take(center, *EVERYTHING)


async def test_json_tables_name_themselves(center: Central) -> None:
    await take(center, *EVERYTHING[:2])
    data = as_json("tariff", ROWS["tariff"], name="hts-2026", supersedes_from="2026-02-01")
    taken = await take(center, Upload("t.json", data))
    assert [(table.kind, table.name, table.rows) for table in taken.tables] == [("tariff", "hts-2026", 3)]


async def test_a_server_that_cuts_the_connection_in_mid_import_leaves_nothing(
    center: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = await own_entries(center)
    write = center._own.record.store

    async def cut(connection: Any, *args: Any) -> Any:
        own = await write(connection, *args)
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return own

    monkeypatch.setattr(center._own.record, "store", cut)
    with pytest.raises(Unavailable):
        await center.import_files(EVERYTHING, "anna")
    monkeypatch.undo()
    assert await own_entries(center) == entries
    assert await rows_of(center) == [[], []]
    await take(center, *EVERYTHING)
    assert all(await rows_of(center))


async def test_imports_wait_for_each_other_and_see_what_the_other_brought(center: Central) -> None:
    await take(center, *EVERYTHING[:2])
    one = as_csv([{**ROWS["tariff"][0], "advalorem": "0.04"}])
    other = as_csv([{**ROWS["tariff"][0], "advalorem": "0.05"}])
    results = await asyncio.gather(
        *(center.import_files([Upload("t.csv", data)], "anna") for data in (one, other))
    )
    assert [type(result) for result in results] == [ImportSummary, Refused]
    async with center.database.session() as connection:
        assert len((await center.customs.law_book(connection)).datasets) == 1


async def test_two_tables_of_one_import_are_judged_by_each_other(center: Central) -> None:
    await take(center, *EVERYTHING[:2])
    for kind in ("tariff", "admission-line", "customs-product"):
        first = ROWS[kind][0]
        changed = (
            {**first, "valid_to": "2026-03-01"} if "valid_from" in first else {**first, "price": "30000"}
        )
        refused = await refuse(center, Upload("a.csv", as_csv([first])), Upload("b.csv", as_csv([changed])))
        assert {fault.file for fault in refused.faults} == {"b.csv"}


async def test_how_far_an_import_is_can_be_asked(center: Central) -> None:
    await take(center, *EVERYTHING[:2])
    rows = [{**ROWS["harbor-port"][0], "code": f"{number:04d}"} for number in range(9_000)]
    told: list[Told] = []
    await take(center, Upload("ports.csv", as_csv(rows)), progress=told.append)
    assert told == [Told("reading ports.csv", 5_000), Told("writing", 9_000)]
    assert center.importing == Told()
