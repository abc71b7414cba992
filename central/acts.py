# SPDX-License-Identifier: Apache-2.0
"""The commands by which people act at the center: `zonegate central enrol NODE` and its like.

Each asks the running center by the socket in its data folder; while none runs, the center is opened for this
one act. Who may read the data folder's key may act, so no token is asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from central.act import Act as _Act
from central.config import CentralConfig
from central.errors import Denied, SetupError
from central.given import Given
from central.ledger_acts import LEDGER_ACTS
from central.people import WARNING, attestation

if TYPE_CHECKING:
    import aiohttp

_SECONDS_MAX: Final = 600
"""A filing of years is recomputed in minutes."""

_HERE: Final = "http://localhost"


def add_acts(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[argparse.ArgumentParser]:
    """The parsers of all acts."""
    made = []
    for name, act in (_ACTS | LEDGER_ACTS).items():
        parser = acts.add_parser(name, help=act.help)
        for argument, settings in act.arguments:
            parser.add_argument(argument, **settings)
        if act.method == "POST":
            add_by(parser)
        made.append(parser)
    return made


def add_by(parser: argparse.ArgumentParser) -> None:
    """Who acts, for the entry."""
    parser.add_argument("--by", default=getpass.getuser(), help="who does it (%(default)s)")


def is_act(name: str | None) -> bool:
    """Whether a command is one of these."""
    return name in _ACTS or name in LEDGER_ACTS


async def do_act(config: CentralConfig, args: argparse.Namespace, given: Given) -> int:
    """Ask the center; 0 when it is done, 1 when its answer is a finding."""
    act = (_ACTS | LEDGER_ACTS)[args.act]
    if getattr(args, "on", "") is None:
        args.on = given.clocks.utc().astimezone(ZoneInfo(config.timezone)).date().isoformat()
    order = act.order(args)
    if order is not None and "attest" in order and order["attest"] is None:
        print(f"{WARNING}\n\nIf it is so, say it again with\n", file=given.out)
        print(f'  --attest "{attestation(args.node)}"', file=given.out)
        return 1
    async with desk(config, given) as session:
        answer = await ask(session, act.method, act.path(args), order)
    print(act.tell(answer), file=given.out)
    return int(act.is_finding(answer))


async def ask(
    session: aiohttp.ClientSession, method: str, path: str, order: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One request to the center's own interface; Denied when it refuses."""
    import aiohttp

    try:
        async with session.request(method, f"{_HERE}/api/v1/{path}", json=order) as response:
            answer: dict[str, Any] = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SetupError(f"the center does not answer: {error}; look into its log") from error
    if "error" in answer:
        raise Denied(response.status, answer["error"], answer["next"])
    return answer


@contextlib.asynccontextmanager
async def desk(config: CentralConfig, given: Given) -> AsyncIterator[aiohttp.ClientSession]:
    """A session at the running center, or at one that is opened for the while."""
    import aiohttp

    from central.service import Central
    from central.web.access import Access
    from central.web.app import make_app, serving_locally, socket_path

    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        path = stack.enter_context(socket_path(config.data))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path), timeout=aiohttp.ClientTimeout(total=_SECONDS_MAX)
            )
        )
        if not await _answers(session):
            central = await Central.open(
                config.database,
                config.tenant,
                config.zone,
                given.anchor(config.data),
                given.clocks,
                config.timezone,
            )
            stack.push_async_callback(central.close)
            # A token that nobody knows: the center's own is made, and shown, when it is first run.
            nowhere = stack.enter_context(tempfile.TemporaryDirectory())
            app = make_app(central, Access(Path(nowhere)), config.hosts, config.timezone)
            await stack.enter_async_context(serving_locally(app, config.data))
        yield session


async def _answers(session: aiohttp.ClientSession) -> bool:
    import aiohttp

    try:
        async with session.get(f"{_HERE}/healthz") as response:
            await response.read()
    except aiohttp.ClientConnectorError:
        return False
    return True


def case_lines(answer: dict[str, Any]) -> str:
    """The open cases for a person at a terminal."""
    lines = []
    for case in answer["cases"]:
        lines.append(f"{case['kind']} {case['name']}\n  {case['what']}")
        for stake in case["stake"]:
            unit = stake["unit"] or ""
            lines.append(f"  at stake: {stake['quantity']} {unit} of {stake['permit']}/{stake['line']}")
        lines.append(f"  {case['next_step']}")
    if not answer["lends"]:
        lines.append("Nothing is lent to docks until the cases above that say so are done.")
    return "\n".join(lines) or "nothing is open"


def _import_lines(answer: dict[str, Any]) -> str:
    """Imports for a person at a terminal, newest first."""
    return "\n".join(map(_import_line, answer["items"])) or "nothing was imported"


def _import_line(one: dict[str, Any]) -> str:
    if one["type"] == "act-refused":
        return f"{one['at']} {one['by']}: {one['act']} refused: {one['why']}; see entry {one['entry_id']}"
    if one["type"] == "import-refused":
        what = f"refused, faults: {one['faults']}; see entry {one['entry_id']}"
    elif one["type"] == "dataset":
        since = f", supersedes from {one['supersedes_from']}" if one["supersedes_from"] else ""
        what = f"table {one['kind']} {one['name']}, {one['rows']} rows{since}"
    else:
        what = f"{one['products']} products, {one['permits']} permits, {one['trucks']} trucks"
    return f"{one['at']} {one['by']}: {one['file']}: {what}"


def _counts(args: argparse.Namespace) -> list[dict[str, str]]:
    counted = []
    for text in args.count:
        ref, sign, quantity = text.rpartition("=")
        permit, slash, line = ref.rpartition("/")
        if not (sign and slash):
            raise SetupError(f"--count {text}: expected PERMIT/LINE=QUANTITY, such as W06/1=40")
        counted.append({"permit": permit, "line": line, "quantity": quantity})
    return counted


def _write_off(args: argparse.Namespace) -> dict[str, Any]:
    logs = {"epochs": args.epoch, "gaps": args.gap}
    return {**logs, **_retire(args)}


def _retire(args: argparse.Namespace) -> dict[str, Any]:
    said = {"node": args.node, "note": args.note, "by": args.by, "attest": args.attest}
    return {**said, "counted": _counts(args)}


def _hold(args: argparse.Namespace) -> dict[str, Any]:
    said = {"kind": args.kind, "agency": args.agency, "reason": args.note, "by": args.by}
    return {**said, "owner": args.owner, "gtin": args.gtin, "lot": args.lot, "load": args.load}


def restraint_lines(answer: dict[str, Any]) -> str:
    """What keeps goods where they are, for a person at a terminal."""
    lines = [f"THE ZONE IS SUSPENDED: {one['reason']} ({one['by']})" for one in answer["suspended"]]
    for one in answer["holds"]:
        named = [f"{name} {one[name]}" for name in ("owner", "gtin", "lot", "load") if one[name]]
        agency = f" of {one['agency']}" if one["agency"] else ""
        lines.append(f"{one['id']} {one['kind']} hold{agency} on {', '.join(named)}\n  {one['reason']}")
    return "\n".join(lines) or "nothing is held, and the zone is open"


def _written(answer: dict[str, Any]) -> str:
    lines = [f"{one['type']} is entry {one['seq']} of the center's log" for one in answer["written"]]
    return "\n".join(lines) or "it was so already"


def _filing_line(answer: dict[str, Any]) -> str:
    number, seq = answer["filed"]["number"], answer["filed"]["place"]["seq"]
    word = "the same figures" if answer["equal"] else "OTHER FIGURES: the record was changed"
    return f"filing {number} (entry {seq}): the record says {word}"


def _figures(answer: dict[str, Any]) -> str:
    lines = [f"{one['permit']}/{one['line']}: {one['quantity']} used" for one in answer["figures"]]
    return "\n".join([f"filed as {answer['number']}", *lines])


def _pairs(option: str, texts: Sequence[str], left: str, right: str = "quantity") -> list[dict[str, str]]:
    """`LEFT=RIGHT` of an option that may come more than once; a load's key may hold an equals sign."""
    found = []
    for text in texts:
        name, sign, quantity = text.rpartition("=")
        if not (sign and name):
            raise SetupError(f"{option} {text}: expected {left.upper()}=QUANTITY")
        found.append({left: name, right: quantity})
    return found


def _order_step(args: argparse.Namespace) -> dict[str, Any]:
    """What a step of a work order says, by its arguments."""
    said: dict[str, Any] = {"order": args.order, "on": args.on, "by": args.by, "note": args.note or ""}
    takes = _pairs("--take", args.take, "load")
    takes += [
        {**row, "lot": lot} for lot, *texts in args.take_of for row in _pairs("--take-of", texts, "load")
    ]
    if args.step == "plan":
        said |= {"owner": args.owner, "product": args.product, "quantity": args.quantity}
    elif args.step == "start":
        said |= {"permit": args.permit, "authority": args.authority, "takes": takes}
    elif args.step == "report":
        said |= _came_of(args) | {"returned": _pairs("--back", args.back, "load"), "takes": takes}
    elif args.step == "correct":
        said |= _came_of(args)
        said["note"] = args.note
    missing = [name for name, value in said.items() if value is None]
    if missing:
        raise SetupError(f"order {args.step} needs {', '.join('--' + name for name in missing)}")
    return said


def _came_of(args: argparse.Namespace) -> dict[str, Any]:
    """What was made of an order, scrap and waste, by its arguments."""
    names = ("input", "taken", "product", "quantity", "value", "load")
    made = _pairs("--made", args.made, "load")
    made += [
        {**row, "product": product}
        for product, *texts in args.co_product
        for row in _pairs("--co-product", texts, "load")
    ]
    scrap = [dict(zip(names, row, strict=True)) for row in args.scrap]
    return {"made": made, "scrap": scrap, "waste": _pairs("--waste", args.waste, "input")}


def _order_lines(answer: dict[str, Any]) -> str:
    """Work orders for a person at a terminal."""
    orders = answer.get("items", [answer])
    lines = []
    for order in orders:
        what = f"{order['quantity']} {order['unit']} of {order['product']}"
        lines.append(f"{order['order']} {order['state']}: {what}, {order['owner']}")
        for step in order["steps"]:
            lines.append(f"  {step['on']} {step['event']} by {step['by']}")
            lines += [
                f"    made {made['quantity']} {made['unit']} as lot {made['lot']}"
                for made in step.get("made", ())
            ]
            lines += [
                f"    {line['input']}: {line['used']} {line['unit']} used, the bill says {line['expected']}"
                for line in step.get("variances", ())
            ]
    return "\n".join(lines) or "no work order is planned"


_LOADS: Final = {"action": "append", "default": [], "metavar": "LOAD=QUANTITY"}
_ORDER: Final = (
    (
        "step",
        {"choices": ["plan", "start", "report", "correct", "close"], "help": "what is told of the order"},
    ),
    ("order", {"help": "the order's name, of A-Z, 0-9 and hyphen"}),
    ("--on", {"default": None, "metavar": "DATE", "help": "the zone's day of the step, YYYY-MM-DD; today"}),
    ("--owner", {"help": "plan: whose goods"}),
    ("--product", {"metavar": "GTIN", "help": "plan: what is made"}),
    ("--quantity", {"help": "plan: how much"}),
    ("--permit", {"metavar": "NUMBER", "help": "start: the permit for manufacture, form 216"}),
    ("--authority", {"metavar": "NUMBER", "help": "start: the production authority"}),
    ("--take", {**_LOADS, "help": "start, report: goods of a load, by SSCC or key, that go to the order"}),
    (
        "--take-of",
        {
            "action": "append",
            "default": [],
            "nargs": 2,
            "metavar": ("LOT", "LOAD=QUANTITY"),
            "help": "start, report: as --take, of a zone lot, where an election has goods attributed by it",
        },
    ),
    ("--made", {**_LOADS, "help": "report, correct: a load that was made"}),
    (
        "--co-product",
        {
            "action": "append",
            "default": [],
            "nargs": 2,
            "metavar": ("GTIN", "LOAD=QUANTITY"),
            "help": "report, correct: a load of another product that came with it",
        },
    ),
    (
        "--scrap",
        {
            "action": "append",
            "default": [],
            "nargs": 6,
            "metavar": ("INPUT", "TAKEN", "GTIN", "QUANTITY", "VALUE", "LOAD"),
            "help": "report, correct: so much of an input is scrap now, sold for VALUE dollars, on a load",
        },
    ),
    (
        "--waste",
        {
            "action": "append",
            "default": [],
            "metavar": "INPUT=QUANTITY",
            "help": "report, correct: so much of an input is gone and was not recovered",
        },
    ),
    ("--back", {**_LOADS, "help": "report: goods that went back to their load"}),
    ("--note", {"help": "what is worth remembering; correct: what was wrong"}),
)
_NODE: Final = ("node", {"help": "the node's id"})
_NOTE: Final = ("--note", {"required": True, "help": "what was found, or why"})
_COUNTED: Final = (
    (
        "--count",
        {
            "action": "append",
            "default": [],
            "metavar": "PERMIT/LINE=QUANTITY",
            "help": "what of a line went out at the counted logs together; 0 where nothing did",
        },
    ),
    _NOTE,
    ("--attest", {"metavar": "SENTENCE", "help": "the sentence that is printed without it"}),
)
_HEX: Final = {"action": "append", "default": [], "metavar": "HEX"}

_ACTS: Final[dict[str, _Act]] = {
    "enrol": _Act(
        "print a one-time code by which a node's key is trusted",
        (_NODE,),
        "POST",
        lambda _: "enrol",
        lambda args: {"node": args.node, "by": args.by},
        lambda answer: str(answer["code"]),
    ),
    "cases": _Act(
        "print what people must look into",
        (),
        "GET",
        lambda _: "cases",
        lambda _: None,
        case_lines,
    ),
    "imports": _Act(
        "print the last imports, also those that were refused",
        (),
        "GET",
        lambda _: "imports",
        lambda _: None,
        _import_lines,
    ),
    "write-off": _Act(
        "close logs of a node by a count of what they let out",
        (
            _NODE,
            ("--epoch", {**_HEX, "help": "a log that the count speaks for"}),
            ("--gap", {**_HEX, "help": "a log before whose beginning something may be missing"}),
            *_COUNTED,
        ),
        "POST",
        lambda _: "write-off",
        _write_off,
        _written,
    ),
    "retire": _Act(
        "take a node off the roll, with a count of all its open logs",
        (_NODE, *_COUNTED),
        "POST",
        lambda _: "retire",
        _retire,
        _written,
    ),
    "revoke": _Act(
        "believe a node's keys no more",
        (_NODE, ("--key", {**_HEX, "help": "one of its keys; all of them when none is named"}), _NOTE),
        "POST",
        lambda _: "revoke",
        lambda args: {"node": args.node, "keys": args.key, "reason": args.note, "by": args.by},
        _written,
    ),
    "attest-roll": _Act(
        "say which nodes there are, after the roll was lost",
        (("nodes", {"nargs": "+", "metavar": "node", "help": "every node, also a broken one"}),),
        "POST",
        lambda _: "attest-roll",
        lambda args: {"nodes": args.nodes, "by": args.by},
        _written,
    ),
    "dispute": _Act(
        "object to a movement: its load is held at every door",
        (("movement", {"help": "the movement's entry id"}), _NOTE),
        "POST",
        lambda _: "dispute",
        lambda args: {"movement": args.movement, "reason": args.note, "by": args.by},
        lambda answer: f"the dispute is {answer['written'][0]['entry_id']}",
    ),
    "decide": _Act(
        "end a dispute",
        (
            ("dispute", {"help": "the dispute's entry id"}),
            ("decision", {"choices": ["stands", "corrected"], "help": "what became of the movement"}),
            _NOTE,
        ),
        "POST",
        lambda _: "decide",
        lambda args: {"dispute": args.dispute, "decision": args.decision, "note": args.note, "by": args.by},
        _written,
    ),
    "suspend": _Act(
        "suspend the zone: every door says STOP",
        (_NOTE,),
        "POST",
        lambda _: "suspend",
        lambda args: {"reason": args.note, "by": args.by},
        _written,
    ),
    "resume": _Act(
        "end what suspended the zone",
        (_NOTE,),
        "POST",
        lambda _: "resume",
        lambda args: {"note": args.note, "by": args.by},
        _written,
    ),
    "holds": _Act(
        "print what keeps goods where they are",
        (),
        "GET",
        lambda _: "restraints",
        lambda _: None,
        restraint_lines,
    ),
    "hold": _Act(
        "hold goods: they stop at every door",
        (
            (
                "kind",
                {"choices": ["agency", "quality"], "help": "who holds them: an agency, or the operator"},
            ),
            ("--agency", {"default": "", "help": "the agency, as doors say it (Customs)"}),
            ("--owner", {"default": "", "help": "goods of this owner"}),
            ("--gtin", {"default": "", "help": "goods of this product"}),
            ("--lot", {"default": "", "help": "of this lot of the product"}),
            ("--load", {"default": "", "help": "this one load: its SSCC, or its key in the inventory"}),
            _NOTE,
        ),
        "POST",
        lambda _: "hold",
        _hold,
        lambda answer: f"the hold is entry {answer['written'][0]['seq']}; `zonegate central holds` names it",
    ),
    "lift-hold": _Act(
        "end a hold",
        (("hold", {"help": "the hold's id, as `zonegate central holds` prints it"}), _NOTE),
        "POST",
        lambda _: "lift-hold",
        lambda args: {"hold": args.hold, "note": args.note, "by": args.by},
        _written,
    ),
    "settle": _Act(
        "end a case by what was found",
        (("case", {"help": "the case's name"}), _NOTE),
        "POST",
        lambda _: "settle",
        lambda args: {"case": args.case, "note": args.note, "by": args.by},
        _written,
    ),
    "file": _Act(
        "state what was used of all permit lines",
        (("number", {"help": "the filing's number"}),),
        "POST",
        lambda _: "filings",
        lambda args: {"number": args.number, "by": args.by},
        _figures,
    ),
    "filing": _Act(
        "make a filing's figures anew from the record and compare",
        (("number", {"help": "the filing's number"}),),
        "GET",
        lambda args: f"filings/{quote(args.number, safe='')}",
        lambda _: None,
        _filing_line,
    ),
    "order": _Act(
        "plan, start, report, correct or close a work order",
        _ORDER,
        "POST",
        lambda args: f"orders/{args.step}",
        _order_step,
        _written,
    ),
    "orders": _Act(
        "print the work orders, or one of them",
        (("name", {"nargs": "?", "metavar": "order", "help": "only this one"}),),
        "GET",
        lambda args: f"orders/{quote(args.name, safe='')}" if args.name else "orders",
        lambda _: None,
        _order_lines,
    ),
    "backup-gone": _Act(
        "say that a backup was destroyed",
        (("name", {"help": "the backup's name"}),),
        "POST",
        lambda _: "backup-gone",
        lambda args: {"name": args.name, "by": args.by},
        _written,
    ),
}
