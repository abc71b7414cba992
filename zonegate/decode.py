# SPDX-License-Identifier: Apache-2.0
"""`zonegate decode`: what a scanned code, a link or a tag is, as one JSON object a line.

Streams: an answer leaves before the next line is read, and no line can fill the memory.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

from gs1.answer import answer_code, answer_link, answer_tag, refusal
from gs1.errors import Fault, Gs1Error
from gs1.load import TagRead
from gs1.patterns import SitePattern, compile_patterns
from gs1.printable import shown

LINE_BYTES_MAX: Final = 65_536
"""The longest code has 7,089 bytes, in JSON at most six times as many; a longer line is no code."""

_HEX_DIGITS_MAX: Final = 1_024
"""No tag has an EPC bank of more than 62 words, 248 digits; longer ones are refused by their length."""

_HEX: Final = re.compile("[0-9A-Fa-f]*")
_SAID: Final = (("scan", str), ("link", str), ("epc", str))
_WORDS: Final = (("pc", str), ("today", str))
_SWITCHES: Final = ("lenient", "short_names", "short_gtins", "partners")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate decode`."""
    parser.add_argument(
        "scan", nargs="*", help="a code as scanned; write GS as \\x1d, an AIM identifier first"
    )
    parser.add_argument("--link", action="append", default=[], metavar="URL", help="a Digital Link")
    parser.add_argument("--epc", action="append", default=[], metavar="HEX", help="a tag's EPC bank")
    parser.add_argument("--pc", metavar="HEX", help="the protocol control word of the tags, such as 3000")
    parser.add_argument("--jsonl", action="store_true", help="one JSON object a line on standard input")
    parser.add_argument("--lenient", action="store_true", help="keep what can be kept of a wrong code")
    parser.add_argument(
        "--no-partners",
        dest="partners",
        action="store_false",
        help="one barcode of several: allow what it lacks",
    )
    parser.add_argument("--short-names", action="store_true", help="links with names as /gtin/ and /lot/")
    parser.add_argument("--short-gtins", action="store_true", help="links with GTINs of 8, 12 or 13 digits")
    parser.add_argument(
        "--company-prefix-digits", type=int, metavar="N", help="the owner's prefix length, for EPC URIs"
    )
    parser.add_argument(
        "--today", type=date.fromisoformat, default=None, metavar="DATE", help="gives dates their century"
    )
    parser.add_argument("--config", type=Path, help="zonegate.toml of a node, for its own codes")
    parser.set_defaults(parser=parser)


def run(args: argparse.Namespace) -> int:
    """0 when no code breaks a rule, 1 when one does, 2 when called wrongly."""
    given = [*({"scan": _unescaped(scan)} for scan in args.scan)]
    given += [{"link": link} for link in args.link]
    given += [{"epc": epc} if args.pc is None else {"epc": epc, "pc": args.pc} for epc in args.epc]
    if args.jsonl == bool(given):
        args.parser.error("give codes, --link or --epc, or --jsonl to read them from standard input")
    patterns: tuple[SitePattern, ...] = ()
    try:
        patterns = _patterns(args.config)
    except Gs1Error as error:
        args.parser.error(str(error))
    defaults = {name: getattr(args, name) for name in (*_SWITCHES, "company_prefix_digits")}
    today = args.today or date.today()  # noqa: DTZ011 - the century of a date needs no time zone
    lines: Iterable[dict[str, Any] | Fault] = _read_lines(sys.stdin.buffer) if args.jsonl else given
    worst = 0
    for line in lines:
        answer = refusal(line) if isinstance(line, Fault) else decode(line, today, patterns, defaults)
        print(json.dumps(answer), flush=True)
        worst = max(worst, not answer["ok"])
    return worst


def decode(
    asked: dict[str, Any],
    today: date,
    patterns: tuple[SitePattern, ...] = (),
    defaults: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer for one object: `scan`, `link`, or `epc` with or without `pc`.

    `today`, `lenient`, `partners`, `short_names`, `short_gtins` and `company_prefix_digits` in it go before
    the arguments; `id` comes back in the answer; other keys are passed over. Never raises.
    """
    fault = _shape_fault(asked)
    answer = refusal(fault) if fault else _decoded(asked, today, patterns, defaults or {})
    return {"id": asked["id"], **answer} if isinstance(asked.get("id"), str | int) else answer


def _decoded(
    asked: dict[str, Any], today: date, patterns: tuple[SitePattern, ...], defaults: dict[str, Any]
) -> dict[str, Any]:
    today = date.fromisoformat(asked["today"]) if "today" in asked else today
    options = {name: asked.get(name, defaults.get(name, name == "partners")) for name in _SWITCHES}
    partners = options.pop("partners")
    digits = asked.get("company_prefix_digits", defaults.get("company_prefix_digits"))
    if "epc" in asked:
        tag = TagRead(_bits(asked["epc"]), int(asked["pc"], 16) if "pc" in asked else None)
        return answer_tag(tag, today, company_prefix_digits=digits, lenient=options["lenient"])
    if "link" in asked:
        return answer_link(asked["link"], today, company_prefix_digits=digits, **options)
    code = asked["scan"].encode("utf-8", "surrogatepass")
    return answer_code(
        code, today, patterns=patterns, company_prefix_digits=digits, partners=partners, **options
    )


def _shape_fault(asked: dict[str, Any]) -> Fault | None:
    """What is wrong with the object itself, before any code is looked at."""
    named = [name for name, _ in _SAID if name in asked]
    if len(named) != 1:
        came = ", ".join(named) or "none"
        return Fault("shape", f"{came} of scan, link and epc, expected exactly one of them")
    for name, kind in (*_SAID, *_WORDS):
        if name in asked and not isinstance(asked[name], kind):
            return Fault("shape", f"{name} is {_json_type(asked[name])}, expected a text")
    for name in _SWITCHES:
        if not isinstance(asked.get(name, False), bool):
            return Fault("shape", f"{name} is {_json_type(asked[name])}, expected true or false")
    digits = asked.get("company_prefix_digits", 7)
    if isinstance(digits, bool) or not isinstance(digits, int):
        return Fault("shape", f"company_prefix_digits is {_json_type(digits)}, expected a whole number")
    return _text_fault(asked)


def _text_fault(asked: dict[str, Any]) -> Fault | None:
    try:
        date.fromisoformat(asked.get("today", "2026-01-01"))
    except ValueError:
        return Fault("shape", f"today is {shown(asked['today'])}, expected a date such as 2026-11-22")
    epc, pc = asked.get("epc", ""), asked.get("pc", "0000")
    if "epc" in asked and not (0 < len(epc) <= _HEX_DIGITS_MAX and _HEX.fullmatch(epc)):
        message = f"epc is {len(epc)} characters {shown(epc)}, expected hexadecimal digits"
        return Fault("hex", message)
    if not (len(pc) == 4 and _HEX.fullmatch(pc)):
        return Fault("hex", f"pc is {shown(pc)}, expected four hexadecimal digits such as 3000")
    return None


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


def _bits(digits: str) -> bytes:
    """The bytes of a tag's memory; what does not fill the last one is filled with zeros, as memory is."""
    return bytes.fromhex(digits + "0" * (len(digits) % 2))


def _read_lines(stream: BinaryIO) -> Iterator[dict[str, Any] | Fault]:
    """One object or one fault for each line of `stream`; holds no more than LINE_BYTES_MAX of it."""
    while line := stream.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX:
            length = len(line)
            while not line.endswith(b"\n") and (line := stream.readline(LINE_BYTES_MAX)):
                length += len(line)
            yield Fault("line_too_long", f"a line of {length} bytes, expected at most {LINE_BYTES_MAX}")
            continue
        yield _object(line)


def _object(line: bytes) -> dict[str, Any] | Fault:
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError as error:
        return Fault("not_utf8", f"byte {line[error.start]:02X}, expected UTF-8", None, error.start)
    except json.JSONDecodeError as error:
        return Fault("not_json", f"no JSON: {error.msg.lower()}", None, error.pos)
    except (ValueError, RecursionError):
        return Fault("not_json", "no JSON that can be read: too deep, or a number too long")
    if not isinstance(value, dict):
        example = '{"scan": "]C100..."}'
        return Fault("shape", f"{_json_type(value)}, expected an object such as {example}")
    return value


def _patterns(config: Path | None) -> tuple[SitePattern, ...]:
    if config is None:
        return ()
    from edge.config import read_config
    from edge.errors import ConfigError

    try:
        return compile_patterns(read_config(config).codes)
    except ConfigError as error:
        raise Gs1Error(str(error)) from error


def _unescaped(scan: str) -> str:
    return scan.replace("\\x1d", "\x1d").replace("\\x1e", "\x1e").replace("\\x04", "\x04")
