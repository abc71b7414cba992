# SPDX-License-Identifier: Apache-2.0
"""`zonegate llrp dump`: the frames of a file, or of a reader, as one JSON object a line."""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import msgspec

from drivers.errors import LinkUrlError
from drivers.llrp.document import as_document
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import (
    FRAME_LENGTH_MAX,
    HEADER_LENGTH,
    LlrpError,
    Message,
    decode,
    decode_body,
    encode,
    layout_of,
    message_name,
    message_names,
)
from drivers.llrp.settings import ReaderAddress, parse_reader_url

_CHUNK: Final = 65_536
_CONNECT_S: Final = 10.0
_SKIPPED_BYTES_MAX: Final = 1024 * 1024
"""Twenty frames of 4 KiB in hex, several times over."""
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
# Questions that change nothing at the reader. What it holds back for its client is not asked for: it would
# be lost to the dock that the reader belongs to.
_QUESTIONS: Final = (
    Message("GET_READER_CAPABILITIES", 1),
    Message("GET_READER_CONFIG", 2),
    Message("GET_ROSPECS", 3),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate llrp`."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    dump = what.add_parser("dump", help="print frames as JSON, one a line")
    dump.add_argument(
        "source",
        metavar="FILE|HOST",
        help="recorded bytes, - for standard input, or a reader: host, host:port, llrp://host, llrps://host",
    )
    dump.add_argument(
        "--body",
        metavar="NAME",
        help="the bytes are one message without its header, such as RO_ACCESS_REPORT",
    )
    dump.add_argument(
        "--listen", action="store_true", help="ask the reader nothing, only print what it says by itself"
    )
    dump.add_argument("--seconds", type=float, metavar="S", help="leave the reader after so long")
    dump.add_argument("--ca", type=Path, metavar="FILE", help="who signs the certificate of an llrps reader")
    dump.set_defaults(parser=dump)


def run(args: argparse.Namespace) -> int:
    """0 when everything could be read, 1 when something could not, 2 when called wrongly."""
    if args.body is not None and _message_name(args.body) is None:
        args.parser.error(f"no message is called {args.body!r}, there are: {', '.join(message_names())}")
    printed = _Printed()
    path = Path(args.source)
    if args.source == "-":
        _dump_stream(sys.stdin.buffer, args.body, printed)
    elif path.is_dir() or ("/" in args.source and "://" not in args.source and not path.exists()):
        args.parser.error(f"{args.source} is no file that can be read")
    elif path.exists():
        try:
            with path.open("rb") as stream:
                _dump_stream(stream, args.body or _name_of(path), printed, guessed=args.body is None)
        except OSError as error:
            printed.error(f"{args.source} cannot be read: {error.strerror}")
    else:
        _dump_reader(args, printed)
    return 1 if printed.errors else 0


class _Printed:
    """The lines on standard output, and how many of them tell of an error."""

    def __init__(self) -> None:
        self.errors = 0

    def line(self, line: dict[str, Any]) -> None:
        """One line, out at once."""
        self.errors += "error" in line
        print(json.dumps(line), flush=True)

    def error(self, problem: str, **more: object) -> None:
        """A line for what is no frame."""
        self.line({**more, "error": problem})

    def frame(self, frame: bytes | BadHeader, offset: int, more: Mapping[str, object] = _NOTHING) -> None:
        """A line for what came at byte `offset`, with what `more` is known of it."""
        if isinstance(frame, BadHeader):
            self.error(
                f"no header of a frame: {frame.problem}; what follows cannot be cut into frames"
                " (one message without its header is read with --body NAME)",
                offset=offset,
                header=frame.header.hex(),
                **more,
            )
            return
        self.message(lambda: decode(frame), *_header(frame), more)

    def message(
        self,
        read: Callable[[], Message],
        kind: int,
        message_id: int,
        length: int,
        more: Mapping[str, object] = _NOTHING,
    ) -> None:
        """A line for a message, or for why it cannot be read."""
        line: dict[str, Any] = {
            "type": message_name(kind) or kind,
            "id": message_id,
            "length": length,
            **more,
        }
        try:
            message = read()
        except LlrpError as error:
            self.line(line | {"error": str(error)})
            return
        if message.name != "Unknown":
            line["type"] = message.name
        self.line(line | {"version": message.version} | _document(message))


def _document(message: Message) -> dict[str, Any]:
    """As recordings have it, and each tag's EPC in hexadecimal as well, as people and labels write it."""
    document = as_document(message)
    tags = document.get("TagReportData", [])
    # A CLIENT_REQUEST_OP holds one, and a message that has no place for any lists them as unexpected.
    tags = [tags] if isinstance(tags, dict) else tags
    for report, shown in zip(message.every("TagReportData"), tags, strict=False):
        data = report.first("EPC96") or report.first("EPCData")
        if data is not None and isinstance(epc := data.fields["EPC"], bytes):
            shown["epc"] = epc.hex().upper()
    return document


def _header(frame: bytes) -> tuple[int, int, int]:
    head, length, message_id = struct.unpack_from(">HII", frame)
    return head & 0x3FF, message_id, length


def _dump_stream(stream: BinaryIO, body: str | None, printed: _Printed, *, guessed: bool = False) -> None:
    """All frames of `stream`; with `body` all of it is one message's. A guess yields to a header."""
    first = stream.read(_CHUNK)
    if first[:1] == b"{":  # no header begins so: its first three bits are 0
        _dump_skipped(first + stream.read(_SKIPPED_BYTES_MAX - len(first)), printed)
        return
    if body is not None and not (guessed and _has_header(first)):
        _dump_body(body, first + stream.read(FRAME_LENGTH_MAX + 1 - len(first)), printed)
        return
    if not first:
        printed.error("there are no bytes, expected frames")
    framer, offset, came = LlrpFramer(), 0, 0
    chunk = first
    while chunk:
        came += len(chunk)
        for frame in framer.feed(chunk):
            printed.frame(frame, offset)
            if isinstance(frame, BadHeader):
                return
            offset += len(frame)
        chunk = stream.read(_CHUNK)
    if offset < came:
        printed.error(f"the bytes end within a frame, {came - offset} bytes of it came", offset=offset)


def _dump_skipped(data: bytes, printed: _Printed) -> None:
    """What a node tells of frames that its reader sent and it could not understand (`/skipped` of a device):
    each as it came, with why the node passed it over.
    """
    from edge.view import SkippedView

    try:
        kept = msgspec.json.decode(data, type=SkippedView).frames
        starts = [bytes.fromhex(each.start) for each in kept]
    except (msgspec.MsgspecError, ValueError) as error:
        printed.error(f"this JSON is not a node's word on skipped frames: {error}")
        return
    for each, start in zip(kept, starts, strict=True):
        why = {"at": each.at.isoformat(), "skipped": each.reason}
        kind, message_id, length = _header(start) if len(start) >= HEADER_LENGTH else (0, 0, each.length)
        if len(start) < each.length:
            problem = f"of {each.length} bytes the first {len(start)} were kept"
            name = message_name(kind) or kind
            printed.error(problem, type=name, id=message_id, length=length, start=each.start[:128], **why)
        else:
            for frame in LlrpFramer().feed(start):
                printed.frame(frame, 0, why)


def _has_header(data: bytes) -> bool:
    """Whether a frame begins here: a body begins with a parameter, whose first bytes make no header."""
    if len(data) < HEADER_LENGTH:
        return False
    return not any(isinstance(frame, BadHeader) for frame in LlrpFramer().feed(data[:HEADER_LENGTH]))


def _dump_body(said: str, body: bytes, printed: _Printed) -> None:
    name = _message_name(said) or said
    kind = layout.number if (layout := layout_of(name)) else 0
    printed.message(lambda: decode_body(name, body), kind, 0, HEADER_LENGTH + len(body))


def _message_name(said: str) -> str | None:
    """The message that is meant, whichever way its name is written."""
    plain = said.replace("_", "").upper()
    return next((name for name in message_names() if name.replace("_", "") == plain), None)


def _name_of(path: Path) -> str | None:
    """The message that a recording's name begins with: ROAccessReport-001.bytes."""
    return _message_name(path.name.partition("-")[0].partition(".")[0])


def _dump_reader(args: argparse.Namespace, printed: _Printed) -> None:
    address = _address(args)
    context = None
    try:
        if address.tls:
            context = ssl.create_default_context(cafile=args.ca)
    except OSError as error:
        args.parser.error(f"{args.ca} cannot be read: {error.strerror or error}")
    with suppress(TimeoutError):
        asyncio.run(asyncio.wait_for(_listen(address, context, args.listen, printed), args.seconds))


def _address(args: argparse.Namespace) -> ReaderAddress:
    try:
        address = parse_reader_url(args.source if "://" in args.source else f"llrp://{args.source}")
        if address.null_modem is not None:
            raise LinkUrlError(f"{args.source} is a cable within one process, expected a reader's address")
    except LinkUrlError as error:
        args.parser.error(str(error))
        raise AssertionError("a parser ends the program") from error
    return address


async def _listen(
    address: ReaderAddress, context: ssl.SSLContext | None, silent: bool, printed: _Printed
) -> None:
    """Everything that the reader says until it closes the connection."""
    try:
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error) or f"no answer within {_CONNECT_S:g} s"
        printed.error(f"no reader answers at {address}: {why}; expected a file or a reader's address")
        return
    framer, offset = LlrpFramer(), 0
    try:
        writer.writelines([] if silent else map(encode, _QUESTIONS))
        while chunk := await reader.read(_CHUNK):
            for frame in framer.feed(chunk):
                printed.frame(frame, offset)
                if isinstance(frame, BadHeader):
                    return
                offset += len(frame)
                writer.writelines(_answer(frame))
            await writer.drain()
        if framer.pending:
            printed.error(
                f"the reader hung up within a frame, {framer.pending} bytes of it came", offset=offset
            )
    except OSError as error:
        printed.error(f"the connection to {address} was lost: {error.strerror or error}")
    finally:
        writer.close()


def _answer(frame: bytes) -> Iterator[bytes]:
    """A reader that hears no answer to its KEEPALIVE hangs up."""
    kind, message_id, _ = _header(frame)
    if message_name(kind) == "KEEPALIVE":
        yield encode(Message("KEEPALIVE_ACK", message_id))
