# SPDX-License-Identifier: Apache-2.0
"""`zonegate node`: the dock service of one node, until SIGTERM or SIGINT; `backup` and `restore` of its
store, and `rotate-key` at the running node.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zonegate import __version__, logs

if TYPE_CHECKING:
    from edge.config import NodeConfig
    from edge.service import Service

CONFIG: Final = Path("/etc/zonegate/zonegate.toml")
TOKEN_VARIABLE: Final = "ZONEGATE_TOKEN"  # noqa: S105 - the name of the variable, not a token

_ANSWER_S: Final = 20.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate node`."""
    _add_config(parser, CONFIG)
    parser.add_argument(
        "--log", default="info", choices=["debug", "info", "warning", "error"], help="least level"
    )
    acts = parser.add_subparsers(dest="act", metavar="ACT")
    backup = acts.add_parser("backup", help="copy the journal into a new folder, also while the node runs")
    backup.add_argument("folder", type=Path, help="a folder that is new or empty")
    back = acts.add_parser("restore", help="put a backup where the store was, while the node does not run")
    back.add_argument("folder", type=Path, help="a folder that `backup` has made")
    rotate = acts.add_parser("rotate-key", help="change the running node's key")
    rotate.add_argument("--node", metavar="URL", help="the node's address (else as configured)")
    rotate.add_argument(
        "--token-file", type=Path, help=f"a file with the supervisor's token (else ${TOKEN_VARIABLE})"
    )
    for act in (backup, back, rotate):
        _add_config(act, argparse.SUPPRESS)  # people write it behind the act as well


def run(args: argparse.Namespace) -> int:
    """Serve, or do the act that was asked for; 0 when all is well, 2 for a wrong configuration."""
    from edge.config import read_config
    from edge.errors import ConfigError, EdgeError

    logs.set_up("warning" if args.act else args.log)
    try:
        config = read_config(args.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    acts = {"backup": _backup, "restore": _restore, "rotate-key": _rotate}
    if args.act is None:
        return _run(config)
    try:
        print(acts[args.act](config, args))
    except (EdgeError, OSError) as error:
        print(f"zonegate node {args.act}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(config: NodeConfig) -> int:
    from edge.clock import system_clocks
    from edge.errors import EdgeError
    from edge.service import Service

    code = 0
    try:
        asyncio.run(_serve(Service(config, system_clocks(), __version__, _say)))
    except* (EdgeError, OSError) as group:
        for fault in group.exceptions:
            print(f"zonegate node: {fault}", file=sys.stderr)
        code = 1
    return code


def _say(line: str) -> None:
    print(line, flush=True)


async def _serve(service: Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service.run(stop)


def _backup(config: NodeConfig, args: argparse.Namespace) -> str:
    from edge.clock import system_clocks
    from zonegate.keeping import back_up

    note = back_up(config, args.folder, system_clocks().utc())
    head = note.heads[-1]
    return (
        f"{args.folder} holds the journal of node {note.node} up to entry {head.seq} of epoch {head.epoch}, "
        "verified. The anchor, the private key and the tokens are not in it, and must be in no backup."
    )


def _restore(config: NodeConfig, args: argparse.Namespace) -> str:
    from zonegate.keeping import restore

    follows = restore(config, args.folder)
    return f"restored into {config.store}. {follows} At its first start the node prints new tokens."


def _rotate(config: NodeConfig, args: argparse.Namespace) -> str:
    url = (args.node or f"http://{config.listen}").rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise OSError(f"{url} is no address; expected http://host:port")
    request = urllib.request.Request(  # noqa: S310 - http or https, as looked at above
        f"{url}/api/v1/rotate-key",
        data=b"{}",
        headers={"Authorization": f"Bearer {_token(args.token_file)}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310 - as above
            key = json.load(answer)["key"]
    except urllib.error.HTTPError as error:
        said = json.load(error)
        raise OSError(f"{said['error']} {said['next']}") from error
    except urllib.error.URLError as error:
        raise OSError(f"the node at {url} does not answer: {error.reason}; is it running?") from error
    return (
        f"the node signs with the key {key} from now on, in another epoch. The center believes it as soon as "
        "it has been reached; revoke the old key there if somebody else may have it."
    )


def _token(path: Path | None) -> str:
    token = path.read_text("ascii").strip() if path is not None else os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise OSError(f"no token: set {TOKEN_VARIABLE}, or name a file with --token-file")
    return token


def _add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument("--config", type=Path, default=default, help="zonegate.toml")
