# SPDX-License-Identifier: Apache-2.0
"""Forms by which people decide at the center; each goes the way of the API's acts (`central.people`).

What is refused comes back with all that was entered. After an act the entry that it became is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from central import people
from central.errors import Denied
from central.people import Written, attestation
from central.refusals import Refusals
from central.service import Central
from central.web import count, docks
from central.web.count import Fault, Said
from central.web.digits import check_numbers
from central.web.docks import LOGS_SHOWN_MAX
from central.web.fields import BY, NOTE_LENGTH_MAX, Field, Form
from central.web.frame import Frame
from central.web.gate import bounded_body
from central.web.reading import Reading
from central.web.restraints import RESTRAINTS
from central.web.storing import STORING
from central.web.waiting import ADMISSIONS
from sync.center import CenterBook
from sync.decisions import Undecidable

_FORM_BYTES_MAX: Final = 256 * 1024
"""The longest form is a count of 200 lines."""

_LINES: Final = Field("nodes", "Docks, one a line", "lines", length_max=4000)

FORMS: Final = (
    *RESTRAINTS,
    *STORING,
    *ADMISSIONS,
    Form(
        "/enrol",
        "Let a dock in",
        "A dock is let in with a code that works once and ends after 24 hours. It is shown one time, on the "
        "next page: here only its hash is kept.",
        "The dock is on the roll from now on: after this center was put back to an older state, nothing is "
        "lent before the dock has reported.",
        "Make a code",
        people.Enrol,
        (Field("node", "The dock's name", hint="1 to 40 of a-z, 0-9, _ and -", length_max=40), BY),
    ),
    Form(
        "/revoke",
        "Believe a dock's key no more",
        "For a key that may be in foreign hands: a stolen disk, a machine that was copied.",
        "What is signed with these keys is refused from now on, also what the dock itself still has to send. "
        "It comes back with a new code. What it holds of permits stays charged until it is counted.",
        "Revoke its keys",
        people.Revoke,
        (
            Field("node", "Dock", "told", length_max=40),
            Field("reason", "Why", "note", "What happened, for the record.", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/roll",
        "Say which docks there are",
        "This center was put back to an older state and lost the list of its docks. Name every dock that was "
        "ever let in, also broken and retired ones: what was done since that state is forgotten.",
        "Nothing is lent until each of them has reported or was counted. A dock that you forget may hold "
        "quantities of permits that would then be lent a second time.",
        "These are all docks",
        people.AttestRoll,
        (_LINES, BY),
    ),
    Form(
        "/dispute",
        "Object to a movement",
        "For a movement that cannot be right: a wrong quantity, goods that still stand there.",
        "The load is a HOLD at every door until you decide this.",
        "Object",
        people.Object,
        (
            Field("movement", "Entry of the movement", "told"),
            Field("reason", "What is wrong", "note", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/decide",
        "Decide a dispute",
        "Look at the load first.",
        "The load moves again at every door. A correction itself is made at a door or by a new movement; "
        "this says only how the question ended.",
        "Decide",
        people.Decide,
        (
            Field("dispute", "Entry of the objection", "told"),
            Field(
                "decision",
                "The movement",
                "choice",
                choices=(("stands", "stands as recorded"), ("corrected", "was wrong and has been corrected")),
            ),
            Field("note", "What you found", "note", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/settle",
        "Settle a case",
        "Say what you found and what was done.",
        "The case leaves the list of open ones. It stays in the record with your name.",
        "Settle",
        people.Settle,
        (
            Field("case", "Case", "told", length_max=200),
            Field("note", "What you found", "note", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/backup-gone",
        "A backup was destroyed",
        "Say so only when nobody can restore it any more, on no medium.",
        "Docks may forget what all other backups contain. If this one is restored after all, what docks "
        "forgot meanwhile is lost.",
        "It is destroyed",
        people.DropBackup,
        (Field("name", "Backup", "told"), BY),
    ),
)


class Forms:
    """The handlers of all forms."""

    def __init__(self, central: Central, reading: Reading, frame: Frame) -> None:
        self._central = central
        self._reading = reading
        self._frame = frame
        self._refusals = central.refusals
        did = central.people
        self._acts: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "/enrol": did.enrol,
            "/revoke": did.revoke,
            "/roll": did.attest_roll,
            "/dispute": did.dispute,
            "/decide": did.decide,
            "/settle": did.settle,
            "/suspend": central.restraining.suspend,
            "/resume": central.restraining.resume,
            "/hold": central.restraining.put_hold,
            "/lift-hold": central.restraining.lift_hold,
            "/backup-gone": did.drop_backup,
            "/declare-location": central.storing.declare,
            "/put-away": central.storing.put_away,
            "/close-location": central.storing.close,
            "/open-location": central.storing.open,
            "/correct-put-away": central.storing.correct,
            "/admit": central.admitting.admit,
            "/undo-admission": central.admitting.undo,
            "/pick-up": central.admitting.pick_up,
            "/undo-pick-up": central.admitting.undo_pick_up,
        }

    def routes(self) -> list[web.RouteDef]:
        """A form's page and its act have one address."""
        routes = [
            web.get("/write-off", self._count),
            web.post("/write-off", self._count_now),
            web.get("/retire", self._count),
            web.post("/retire", self._count_now),
        ]
        for form in FORMS:
            routes += [web.get(form.path, self._show(form)), web.post(form.path, self._do(form))]
        return routes

    # -- acts with a few fields --------------------------------------------------------------------

    def _show(self, form: Form) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return await self._form(request, form, Said(request.query.items()))

        return handle

    def _do(self, form: Form) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            said = await read_act(request, self._refusals)
            faults = _faults(form.fields, said)
            if faults:
                await refuse(request, self._refusals, said, faulty(faults))
                return await self._form(request, form, said, 422, faults)
            try:
                done = await self._acts[form.path](_order(form, said))
            except Denied as error:
                await refuse(request, self._refusals, said, error)
                return await self._form(request, form, said, error.status, denied=error)
            if isinstance(done, people.Code):
                return await self._frame.page(request, "code.html", code=done, hours=24)
            raise _see(done)

        return handle

    async def _form(
        self,
        request: web.Request,
        form: Form,
        said: Said,
        status: int = 200,
        faults: Sequence[Fault] = (),
        denied: Denied | None = None,
    ) -> web.Response:
        values = {field.name: said.one(field.name)[: field.length_max] for field in form.fields}
        about = await self._about(form, values)
        if form.path == "/roll" and not values["nodes"]:
            values["nodes"] = "\n".join(about["docks"])
        return await self._frame.page(
            request, "form.html", status, form=form, values=values, faults=faults, denied=denied, about=about
        )

    async def _about(self, form: Form, values: Mapping[str, str]) -> dict[str, Any]:
        """What a person must see beside the fields."""
        about: dict[str, Any] = {
            "case": None,
            "dispute": None,
            "movement": None,
            "restraints": None,
            "docks": [],
            "codes": [],
            "known": False,
        }
        if form.path == "/settle":
            found = await self._central.people.open_cases()
            about["case"] = next((case for case in found.cases if case.name == values["case"]), None)
        elif form.path in ("/resume", "/lift-hold"):
            about["restraints"] = await self._central.restraining.standing()
        elif form.path == "/decide":
            about["dispute"] = await self._central.people.look(
                lambda book: book.disputes.get(values["dispute"])
            )
        elif form.path == "/roll":
            about["docks"] = await self._central.people.look(lambda book: sorted(book.roll()))
            about["known"] = not await self._central.people.look(lambda book: docks.roll_call(book)[1])
        elif form.path == "/dispute" and values["movement"]:
            entry = await self._reading.entry(values["movement"])
            about["movement"] = {**entry, "body": msgspec.json.decode(entry["record"])["body"]}
        elif form.path == "/enrol":
            about["codes"] = await self._reading.open_codes()
        return about

    # -- the count -----------------------------------------------------------------------------------

    async def _count(self, request: web.Request) -> web.Response:
        asked = _with_way(request, request.query.items())
        said = await self._central.people.look(lambda book: count.with_logs_before(book, asked))
        return await self._counting(request, said)

    async def _count_now(self, request: web.Request) -> web.Response:
        said = await read_act(request, self._refusals)
        faults = _faults((Field("note", "Why", "note", length_max=NOTE_LENGTH_MAX), BY), said)
        counting = await self._central.people.look(lambda book: count.read(book, said, asked=True))
        faults = [*counting.faults, *faults]
        if not (counting.epochs or counting.gaps or counting.retires):
            step = "Mark the logs and gaps that the count is for."
            faults.insert(0, Fault("log", "no log and no gap", "at least one", step))
        writing = said.one("step") == "write"
        if faults:
            if writing:  # to look at what a count comes to is no act
                await refuse(request, self._refusals, said, faulty(faults))
            return await self._counting(request, said, 422, faults)
        if not writing:
            return await self._counting(request, said, previewing=True)
        return await self._write(request, said, counting)

    async def _write(self, request: web.Request, said: Said, counting: count.Counting) -> web.Response:
        if faults := _attested(said, counting.node):
            await refuse(request, self._refusals, said, faulty(faults))
            return await self._counting(request, said, 422, faults, previewing=True)
        try:
            written = await self._write_now(said, counting)
        except Denied as error:
            await refuse(request, self._refusals, said, error)
            return await self._counting(request, said, error.status, denied=error, previewing=True)
        raise _see(written)

    async def _write_now(self, said: Said, counting: count.Counting) -> list[Written]:
        by, note, seen = said.one("by"), said.one("note"), said.one("seen")

        def is_as_shown(book: CenterBook) -> bool:  # asked by the act itself: nothing may come in between
            return count.preview(book, count.read(book, said, asked=True), by, note).seen == seen

        acts, node = self._central.people, counting.node
        attest, counted = attestation(node), tuple(counting.amounts)
        if counting.retires:
            return await acts.retire(people.Retire(node, counted, by, note, attest), is_as_shown)
        epochs, gaps = tuple(counting.epochs), tuple(counting.gaps)
        order = people.WriteOff(node, counted, by, note, attest, epochs, gaps)
        return await acts.write_off(order, is_as_shown)

    async def _counting(
        self,
        request: web.Request,
        said: Said,
        status: int = 200,
        faults: Sequence[Fault] = (),
        denied: Denied | None = None,
        *,
        previewing: bool = False,
    ) -> web.Response:
        node = said.one("node")
        firsts = await self._reading.firsts([node])

        def look(book: CenterBook) -> tuple[Any, ...]:
            view = docks.dock(book, node, firsts, LOGS_SHOWN_MAX)
            if view is None:
                raise Denied(404, f"no dock {node[:40]!r} is known", "Open the form from the dock's page.")
            counting = count.read(book, said, asked=previewing)
            others = list(count.other_lines(book, counting))
            if not previewing:
                return view, counting, others, None
            return view, counting, others, count.preview(book, counting, said.one("by"), said.one("note"))

        try:
            view, counting, others, preview = await self._central.people.look(look)
        except Undecidable as error:
            return await self._counting(request, said, 409, denied=_denied(error))
        return await self._frame.page(
            request,
            "write-off.html",
            status,
            view=view,
            counting=counting,
            other_lines=others,
            preview=preview,
            said=said,
            faults=faults,
            denied=denied,
            warning=people.WARNING,
            attestation=attestation(node),
        )


async def read_form(request: web.Request) -> Said:
    """The fields of a form; Denied (413, 415) when it is too long or no form."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Denied(415, "this is no form", "Use the page, or the acts of /api/v1/openapi.json.")
    body = await bounded_body(request, _FORM_BYTES_MAX)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Denied(400, "the form is not in UTF-8", "Use the page's own form.") from error
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=2000)
    except ValueError as error:
        raise Denied(413, "the form has over 2000 fields", "Count fewer lines at once.") from error
    return _with_way(request, pairs)


async def read_act(request: web.Request, refusals: Refusals) -> Said:
    """The fields of a form that asks for an act; that it could not be read is recorded."""
    try:
        return await read_form(request)
    except Denied as error:
        await refuse(request, refusals, Said(()), error)
        raise


async def refuse(request: web.Request, refusals: Refusals, said: Said, denied: Denied) -> None:
    """Record that the act of a form was refused."""
    came: dict[str, str | list[str]] = dict(request.match_info)
    for name, text in said.pairs():
        if name not in _OF_THE_PAGE:
            texts = said.all(name)
            came[name] = texts if len(texts) > 1 else text
    act = request.path.strip("/").partition("/")[0]
    await refusals.note(_ACTS.get(act, act), msgspec.json.encode(came), denied)


def faulty(faults: Sequence[Fault]) -> Denied:
    """Fields that cannot be taken, as one refusal."""
    told = "; ".join(f"{fault.field}: {fault.came}, expected {fault.expected}" for fault in faults)
    return Denied(422, told, faults[0].next_step)


_OF_THE_PAGE: Final = ("retires", "step", "seen")
"""Fields that no person fills in."""

_ACTS: Final = {"roll": "attest-roll", "orders": "orders/correct"}
"""Acts that another word leads to on pages."""


def _with_way(request: web.Request, pairs: Iterable[tuple[str, str]]) -> Said:
    """A form's fields; the address says whether its dock is retired."""
    return Said([("retires", "yes" if request.path == "/retire" else "no"), *pairs])


def _faults(fields: Sequence[Field], said: Said) -> list[Fault]:
    faults = []
    for field in fields:
        text = said.one(field.name)
        stripped, expected = text.strip(), f"{field.label}: 1 to {field.length_max} characters"
        allowed = "\r\n\t" if field.kind in ("note", "lines") else ""
        words = " or ".join(words for _, words in field.choices)
        if words:
            expected = f"{field.label}: {words}"
        if not stripped and field.may_be_empty:
            continue
        if not stripped:
            faults.append(Fault(field.name, "nothing", expected, "Fill it in."))
        elif len(stripped) > field.length_max:
            faults.append(Fault(field.name, f"{len(stripped)} characters", expected, "Shorten it."))
        elif any(not sign.isprintable() and sign not in allowed for sign in stripped):
            faults.append(Fault(field.name, "a sign that cannot be printed", expected, "Type it by hand."))
        elif field.choices and stripped not in dict(field.choices):
            faults.append(Fault(field.name, stripped[:40], expected, "Choose one."))
    return faults


def _attested(said: Said, node: str) -> list[Fault]:
    faults = []
    typed = said.one("attest")
    if typed != node:
        step = "Type the name of the dock whose logs you write off."
        faults.append(Fault("attest", typed[:40] or "nothing", f"the dock's name, {node[:40]}", step))
    if said.one("out_of_service") != "yes":
        step = "Take the machine out of service and count first; then mark the box."
        faults.append(Fault("out_of_service", "the box is not marked", "your word that both is done", step))
    return faults


def _order(form: Form, said: Said) -> msgspec.Struct:
    values: dict[str, Any] = {
        field.name: text for field in form.fields if (text := said.one(field.name).strip())
    }
    if "nodes" in values:
        values["nodes"] = values["nodes"].split()
    if "scanned" in values:
        values["scanned"] = values["scanned"].split("\n")
    for name, columns in _ROWS.items():
        if name in values:
            values[name] = [_row(line, columns) for line in values[name].splitlines() if line.strip()]
    try:
        order = msgspec.convert(values, form.order, strict=False)
    except msgspec.ValidationError as error:
        raise Denied(422, f"this cannot be taken: {error}", "Correct the field that it names.") from error
    check_numbers(order, values)
    return order


_ROWS: Final = {"loads": ("load", "quantity", "onto"), "goods": ("line", "quantity")}
"""Fields of which each line is a row: its columns."""


def _row(line: str, columns: Sequence[str]) -> dict[str, str]:
    """A line of a field by its columns, which stand in it one behind the other; Denied (422) for more."""
    words = line.split()
    if len(words) > len(columns):
        raise Denied(
            422, f"the line {line.strip()[:60]!r} has {len(words)} words", f"Write {', '.join(columns)}."
        )
    return dict(zip(columns, words, strict=False))


def _see(written: Sequence[Written]) -> web.HTTPSeeOther:
    """To the entry that an act became; the first one says what was decided."""
    return web.HTTPSeeOther(f"/entry/{written[0].entry_id}?done={len(written)}" if written else "/cases")


def _denied(error: Undecidable) -> Denied:
    return Denied(409, str(error), "Mark other logs, or look at the dock's page.")
