# SPDX-License-Identifier: Apache-2.0
"""What the command line offers of the center: run it, act at it, rebuild its books, import files.

Each command has its arguments beside it and returns an exit code: 0 fine, 1 a finding, 2 wrong usage.
The anchor and the clocks are handed in by the command line's own room.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from central.acts import add_acts, add_by, ask, case_lines, desk, do_act, is_act
from central.backup import restore_backup, write_backup
from central.config import LISTEN, CentralConfig, read_config
from central.database import Database
from central.errors import CentralError, ConfigError, Denied, SetupError
from central.given import Given
from central.intake import UPLOAD_BYTES_MAX, Asked, ImportAnswer, Told, answer_of
from central.looks import add_looks, do_look, is_look
from central.projector import Projector
from central.service import Central
from central.tasks import end
from customs.imports import FILES_MAX, Upload
from customs.tables.reading import TOLD_EVERY

if TYPE_CHECKING:
    import aiohttp

CONFIG: Final = Path("/etc/zonegate/zonegate.toml")
TOKEN_VARIABLE: Final = "ZONEGATE_TOKEN"  # noqa: S105 - the name of the variable, not a token

_TOLD_EVERY_SECONDS: Final = 5.0
"""Between two words on how far a rebuild is."""

_IMPORT_SECONDS_MAX: Final = 600
"""A table of ROWS_MAX rows takes a quarter of a minute, and imports wait for each other."""

_LOOK_SECONDS: Final = 1.0


def add_central_arguments(parser: argparse.ArgumentParser) -> None:
    """`zonegate central [ACT]`."""
    _add_config(parser)
    acts = parser.add_subparsers(dest="act", metavar="ACT")
    books = acts.add_parser(
        "rebuild", help="make the books anew from the record; the center may run meanwhile"
    )
    backup = acts.add_parser("backup", help="write a backup of the record into a new folder, and verify it")
    restore = acts.add_parser("restore", help="put a backup into an empty database")
    for act in (backup, restore):
        act.add_argument("folder", type=Path, help="the backup's folder")
    add_by(backup)
    for act in (*add_acts(acts), *add_looks(acts), books, backup, restore):
        _add_config(act, default=argparse.SUPPRESS)  # people write it behind the act as well


def run_central(args: argparse.Namespace, given: Given) -> int:
    """Run the center until SIGINT or SIGTERM; or act at it; or make the books anew."""

    async def work() -> int:
        config = read_config(args.config)
        if is_act(args.act):
            return await do_act(config, args, given)
        if is_look(args.act):
            return await do_look(config, args, given)
        if args.act == "rebuild":
            return await _rebuild(config, given)
        if args.act == "backup":
            return await _backup(config, args.folder.resolve(), args.by, given)
        if args.act == "restore":
            return await _restore(config, args.folder.resolve(), given)
        return await _serve(config, given)

    return _run(work, given)


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """`zonegate import FILE...`: into a running center, or with --database while none runs."""
    _add_config(parser)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files ending in .json or .csv")
    parser.add_argument(
        "--center", default=f"http://{LISTEN}", metavar="URL", help="the running center (%(default)s)"
    )
    parser.add_argument("--token-file", type=Path, help=f"a file with its token (else ${TOKEN_VARIABLE})")
    parser.add_argument(
        "--database", action="store_true", help="write to the configured database; the center must not run"
    )
    parser.add_argument(
        "--supersedes-from",
        type=date.fromisoformat,
        metavar="DAY",
        help="tables replace what is on file under the same keys from this day on",
    )


def import_files(args: argparse.Namespace, given: Given) -> int:
    """Import all files or none; every fault is printed."""

    async def work() -> int:
        uploads = await asyncio.to_thread(_read_files, args.files)
        order = Asked(uploads, "command line", args.supersedes_from)
        if args.database:
            return await _import_directly(read_config(args.config), order, given)
        return await _import_by_url(args.center, _token(args.token_file), order, given)

    return _run(work, given)


def _add_config(parser: argparse.ArgumentParser, default: object = CONFIG) -> None:
    parser.add_argument("--config", type=Path, default=default, help=f"the configuration ({CONFIG})")


def _run(work: Callable[[], Coroutine[Any, Any, int]], given: Given) -> int:
    try:
        return asyncio.run(work())
    except Denied as error:
        print(f"{error}. {error.next_step}", file=sys.stderr)  # noqa: T201 - the command line's answer
    except CentralError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's answer
        return 2 if isinstance(error, ConfigError) else 1
    except given.anchor_errors as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's answer
    return 1


async def _serve(config: CentralConfig, given: Given) -> int:
    from central.web.access import Access
    from central.web.app import make_app, serving

    tls = _tls_context(config)
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    central = await Central.open(
        config.database,
        config.tenant,
        config.zone,
        given.anchor(config.data),
        given.clocks,
        config.timezone,
    )
    try:
        access = Access(config.data)
        app = make_app(central, access, config.hosts, config.timezone)
        async with serving(app, config.listen, tls, config.data) as url:
            print(f"the center of {config.tenant}/{config.zone} is at {url}", file=given.out)
            if access.made:
                print("the token is shown only this once:", file=given.out)
                print(f"token for center: {access.made}", file=given.out)
            given.out.flush()
            await _told_to_end()
    finally:
        await central.close()
    return 0


async def _told_to_end() -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    try:
        await end.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _tls_context(config: CentralConfig) -> ssl.SSLContext | None:
    if config.tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.tls.cert, config.tls.key)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"[central.tls] cannot be used: {error}; name a PEM certificate and its key"
        ) from error
    return context


async def _rebuild(config: CentralConfig, given: Given) -> int:
    database = await Database.open(config.database)
    try:
        await Projector(database, config.tenant, config.zone).rebuild(_how_far(given))
    finally:
        await database.close()
    print("the books are made anew from the record", file=given.out)
    return 0


def _how_far(given: Given) -> Callable[[int, int], None]:
    """Tells now and then how far the books are: nobody sees them before they are done."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _TOLD_EVERY_SECONDS:
            last = time.monotonic()
            print(f"{done:,} of {total:,} entries of the center's log", file=given.out, flush=True)

    return tell


async def _backup(config: CentralConfig, folder: Path, by: str, given: Given) -> int:
    database = await Database.open(config.database)
    try:
        manifest = await write_backup(database, config.tenant, config.zone, folder, given.clocks.utc())
    finally:
        await database.close()
    heads = msgspec.to_builtins(manifest.heads)
    async with desk(config, given) as session:
        await ask(session, "POST", "backups", {"name": folder.name, "heads": heads, "by": by})
    print(
        f"{folder} holds {len(manifest.heads)} logs, verified. Not in it, and never to be put back: the data "
        f"folder {config.data} with the center's key, its anchor and its roll.",
        file=given.out,
    )
    return 0


async def _restore(config: CentralConfig, folder: Path, given: Given) -> int:
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    anchor = given.anchor(config.data)
    anchor.hold()  # no center may run meanwhile
    try:
        database = await Database.open(config.database)
        try:
            manifest = await restore_backup(database, config.tenant, config.zone, folder)
        finally:
            await database.close()
    finally:
        anchor.release()
    print(
        f"{len(manifest.heads)} logs are as they were at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC. Destroy "
        "backups that were made later, or never restore them: this center does not know of them.\n",
        file=given.out,
    )
    async with desk(config, given) as session:  # it begins anew where its anchor says so
        answer = await ask(session, "GET", "cases")
    print("What stands open now:\n", file=given.out)
    print(case_lines(answer), file=given.out)
    return 0


async def _import_directly(config: CentralConfig, order: Asked, given: Given) -> int:
    central = await Central.open(
        config.database,
        config.tenant,
        config.zone,
        given.anchor(config.data),
        given.clocks,
        config.timezone,
    )
    try:
        result = await central.import_files(order.uploads, order.by, order.supersedes_from, _tell)
        await central.projector.catch_up()
    finally:
        await central.close()
    return _print_answer(answer_of(result), given)


async def _import_by_url(url: str, token: str, order: Asked, given: Given) -> int:
    import aiohttp

    form = aiohttp.FormData()
    if order.supersedes_from is not None:
        form.add_field("supersedes_from", order.supersedes_from.isoformat())
    for upload in order.uploads:
        form.add_field("files", upload.data, filename=upload.name, content_type="application/octet-stream")
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=_IMPORT_SECONDS_MAX)
    address = f"{url.rstrip('/')}/api/v1/import"
    try:
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            watching = asyncio.create_task(_watch(session, address))
            try:
                async with session.post(address, data=form) as response:
                    answer = await response.json()
            finally:
                await end(watching)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SetupError(f"the center at {url} does not answer: {error}; is it running?") from error
    if "error" in answer:
        raise Denied(response.status, answer["error"], answer["next"])
    return _print_answer(msgspec.convert(answer, ImportAnswer), given)


async def _watch(session: aiohttp.ClientSession, address: str) -> None:
    """Tell how far a long import is, as often as a person looks."""
    import aiohttp

    last = Told()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError, msgspec.MsgspecError):
            async with session.get(address) as response:
                told = msgspec.convert(await response.json(), Told)
            if told != last:
                _tell(told)
            last = told


def _tell(told: Told) -> None:
    """How far a long import is."""
    if told.rows >= TOLD_EVERY:
        print(f"{told.doing}: {told.rows} rows", file=sys.stderr)  # noqa: T201 - the command line's answer


def _print_answer(answer: ImportAnswer, given: Given) -> int:
    if answer.faults_total:
        return _print_faults([str(fault) for fault in answer.faults], answer.faults_total)
    tables = "".join(f"; table {table.kind} {table.name}: {table.rows} rows" for table in answer.tables)
    print(
        f"imported {answer.products} products, {answer.permits} permits, {answer.trucks} trucks; "
        f"{answer.unchanged} were on file just so{tables}",
        file=given.out,
    )
    return 0


def _print_faults(lines: list[str], total: int) -> int:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - the command line's answer
    more = f", the first {len(lines)} are shown" if total > len(lines) else ""
    print(f"nothing was imported; faults: {total}{more}", file=sys.stderr)  # noqa: T201 - as above
    return 1


def _read_files(paths: list[Path]) -> list[Upload]:
    if len(paths) > FILES_MAX:
        raise SetupError(f"{len(paths)} files; at most {FILES_MAX} in one import, send them in turn")
    uploads = []
    left = UPLOAD_BYTES_MAX + 1
    for path in paths:
        try:
            with path.open("rb") as file:
                uploads.append(Upload(path.name, file.read(left)))
            left -= len(uploads[-1].data)
        except OSError as error:
            raise SetupError(f"{path}: {error.strerror}") from error
    return uploads


def _token(path: Path | None) -> str:
    if path is not None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return path.read_text("ascii").strip()
        raise SetupError(f"{path} cannot be read as a token")
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise SetupError(f"no token: set {TOKEN_VARIABLE}, or name a file with --token-file")
    return token
