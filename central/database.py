# SPDX-License-Identifier: Apache-2.0
"""The connection to PostgreSQL and its migrations. Knows no entry and no book."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import asyncpg

from central.errors import SetupError, Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

VERSION_MIN: Final = 150000
"""PostgreSQL 15."""

POOL_MAX: Final = 8
"""One writer, one projector, the rest readers of pages."""

TIMEOUT_SECONDS: Final = 30.0
"""No statement of the center honestly takes longer; a hung server must not hang the docks' exchange."""

LONG_SECONDS: Final = 3600.0
"""For what goes through whole tables: emptying books, looking at them, the bytes of a cut."""

_CLOSE_SECONDS: Final = 10.0
"""A statement under way may end; whatever it wrote is not committed when it is cut."""

_MIGRATION: Final = re.compile(r"([0-9]{4})_[a-z_]+\.sql\Z")
_LOCK: Final = 0x5A47_0001
"""Advisory lock under which migrations run, so that two starting centers do not race."""

_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of a statement
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


class Database:
    """A pool of connections. `session()` raises Unavailable while the server cannot be reached."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str) -> Database:
        """Connect and bring the schema up to date. SetupError when the server is too old, or newer
        than this program; Unavailable when it cannot be reached.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=POOL_MAX,
                command_timeout=TIMEOUT_SECONDS,
                timeout=TIMEOUT_SECONDS,
                reset=_clean,
                server_settings={"application_name": "zonegate-central", "timezone": "UTC"},
            )
        except _LOST as error:
            raise Unavailable(f"PostgreSQL cannot be reached: {str(error) or repr(error)}") from error
        except (asyncpg.PostgresError, ValueError) as error:
            raise SetupError(f"[central] database cannot be opened: {error}; correct the address") from error
        database = cls(pool)
        try:
            async with database.session() as connection:
                await migrate(connection)
        except BaseException:
            await pool.close()
            raise
        return database

    async def close(self) -> None:
        """Close all connections; those that a broken statement keeps busy are cut."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """A connection for one piece of work. What the server's absence raises becomes Unavailable."""
        try:
            async with self._pool.acquire(timeout=TIMEOUT_SECONDS) as connection:
                yield connection
        except (*_LOST, TimeoutError) as error:
            raise Unavailable(f"PostgreSQL cannot be reached: {str(error) or repr(error)}") from error


async def _clean(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Between two users of a connection. Nothing here leaves session state but a broken transaction, so the
    pool's usual reset, a round trip for every piece of work, is kept for that.
    """
    if connection.is_in_transaction():
        await connection.reset()


async def migrate(connection: Connection) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own; the names applied."""
    version = connection.get_server_version()
    if version.major * 10_000 < VERSION_MIN:
        raise SetupError(f"PostgreSQL {version.major} came, 15 or newer is needed; upgrade the server")
    scripts = migrations()
    applied = []
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL)"
        )
        done = {row["name"] for row in await connection.fetch("SELECT name FROM migration")}
        unknown = sorted(done - scripts.keys())
        if unknown:
            raise SetupError(
                f"the database was migrated by a newer center ({unknown[-1]}); install that version"
            )
        for name, script in scripts.items():
            if name not in done:
                async with connection.transaction():
                    await connection.execute(script)
                    await connection.execute("INSERT INTO migration VALUES ($1, now())", name)
                applied.append(name)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    return applied


def migrations() -> dict[str, str]:
    """The numbered scripts by name, in order."""
    folder = files("central") / "migrations"
    found = sorted(item.name for item in folder.iterdir() if _MIGRATION.match(item.name))
    return {name: (folder / name).read_text("utf-8") for name in found}
