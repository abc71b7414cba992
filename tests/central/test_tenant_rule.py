# SPDX-License-Identifier: Apache-2.0
"""`tenant` stands first in every key, constraint, index and reference, and every query filters by it.

The rule is checked on the text of all SQL and on the schema that PostgreSQL made of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import asyncpg
import pytest

from central.database import Database, migrations
from central.queries import queries

TABLES = re.compile(r"CREATE TABLE (\w+) \(")
SOURCES = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|DELETE FROM)\s+(\w+)(?:\s+(?:AS\s+)?(?!WHERE|ON|SET|LEFT|JOIN|ORDER)(\w+))?"
)


def tables() -> set[str]:
    return set(TABLES.findall("".join(migrations().values())))


def strays(sql: str, known: set[str]) -> list[str]:
    """Tables of a query that are read or written without their tenant and zone being given."""
    text = re.sub(r"--[^\n]*", "", sql)
    text = re.sub(r"\bFOR UPDATE\b|\bDO UPDATE\b", "", text)
    inserted = re.search(r"INSERT INTO (\w+)\s*\(([^)]*)\)\s*(VALUES|SELECT) \(?\$1, \$2", text)
    led = inserted is not None and inserted[2].split(",")[:2] == ["tenant", " zone"]
    found = [name for name in re.findall(r"INSERT INTO (\w+)", text) if name in known and not led]
    for match in SOURCES.finditer(text):
        table, alias = match[1], match[2]
        if table not in known:
            continue
        names = (alias,) if alias and alias.isidentifier() and len(alias) <= 2 else (table, "")
        if not any(_filtered(text, name) for name in names):
            found.append(table)
    return found


def _filtered(text: str, alias: str) -> bool:
    prefix = rf"\b{alias}\." if alias else r"(?<![.\w])"
    return bool(re.search(prefix + r"tenant = \$1 AND " + prefix + r"zone = \$2", text))


@pytest.mark.parametrize("name", sorted(queries()))
def test_every_query_names_tenant_and_zone_of_every_table(name: str) -> None:
    assert strays(queries()[name], tables()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "SELECT * FROM movement WHERE entry_id = $3",
        "SELECT * FROM movement WHERE zone = $2",
        "SELECT * FROM holding h JOIN product p ON p.gtin = h.gtin WHERE h.tenant = $1 AND h.zone = $2",
        "UPDATE movement SET reversed_by = $4 WHERE entry_id = $3",
        "DELETE FROM holding WHERE zone = $2",
        "INSERT INTO seen (node, epoch, seq) VALUES ($1, $2, $3)",
        "INSERT INTO seen (zone, tenant, node) VALUES ($1, $2, $3)",
        "SELECT (SELECT count(*) FROM movement m) FROM conveyance c WHERE c.tenant = $1 AND c.zone = $2",
    ],
)
def test_a_planted_query_without_its_tenant_is_caught(planted: str) -> None:
    assert strays(planted, tables()) != []


COLUMNS = """
SELECT c.conname AS name, t.relname AS of, c.contype::text, array_agg(a.attname ORDER BY k.at) AS columns
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace,
    unnest(c.conkey) WITH ORDINALITY AS k (number, at)
    JOIN pg_attribute a ON a.attnum = k.number
WHERE n.nspname = 'public' AND a.attrelid = c.conrelid AND c.contype IN ('p', 'u', 'f')
GROUP BY 1, 2, 3
UNION ALL
SELECT i.relname, t.relname, 'index', array_agg(a.attname ORDER BY k.at)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace,
    unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, at)
    JOIN pg_attribute a ON a.attnum = k.number
WHERE n.nspname = 'public' AND a.attrelid = x.indrelid
GROUP BY 1, 2, 3
"""


async def misplaced(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    rows = await connection.fetch(COLUMNS)
    assert len(rows) > 30
    return [
        row["name"] for row in rows if row["of"] != "migration" and row["columns"][:2] != ["tenant", "zone"]
    ]


async def test_every_key_index_and_reference_of_the_schema_starts_with_the_tenant(postgres: str) -> None:
    await (await Database.open(postgres)).close()
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(postgres)
    try:
        assert await misplaced(connection) == []
        await connection.execute("CREATE INDEX planted ON movement (job)")
        await connection.execute("ALTER TABLE holding ADD CONSTRAINT planted_too UNIQUE (zone, key, owner)")
        assert set(await misplaced(connection)) == {"planted", "planted_too"}
    finally:
        await connection.close()


async def test_another_tenants_goods_are_not_seen(postgres: str, open_center: Callable[..., object]) -> None:
    from central.web.reading import Reading

    database = await Database.open(postgres)
    try:
        async with database.session() as connection:
            await connection.execute(
                "INSERT INTO holding VALUES ('other', 'zone-999', '/00/1', 'o', 'PF', 'EA', '1', '2', '3', 5)"
            )
        assert (await Reading(database, "example", "zone-999").inventory(10, None)).items == []
        assert (await Reading(database, "other", "zone-1").inventory(10, None)).items == []
        assert len((await Reading(database, "other", "zone-999").inventory(10, None)).items) == 1
    finally:
        await database.close()
