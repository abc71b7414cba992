# SPDX-License-Identifier: Apache-2.0
"""Products, permits and trucks from people's files: all of them, or every fault at once.

Pure: bytes and what the center already knows come in, papers or faults go out. docs/integrate/imports.md
describes every field and column.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

import msgspec

from customs import fields
from customs.documents import (
    PERMIT_KINDS,
    Conveyance,
    Direction,
    LineRef,
    Permit,
    PermitLine,
    PlannedLoad,
    Product,
    Status,
)
from customs.faults import Fault, Faults, shown
from customs.fields import Check, CheckDigit, Misfit
from customs.forms import PARTS, Raw, read_file
from customs.us.matrix import DISPOSITIONS, MATRIX, kind_forbids
from customs.us.rulings import Allowed

IMPORT_BYTES_MAX: Final = 8 * 1024 * 1024
"""All files of one import together: read into memory once, judged within seconds."""

FILES_MAX: Final = 20
"""Files of one import: products, permits and trucks of several weeks at once."""

DOCUMENTS_MAX: Final = 5_000
"""Documents of one import, which is one transaction."""

DOCUMENT_BYTES_MAX: Final = 128 * 1024
"""One paper as an entry's body: it must fit one answer to a node with room to spare."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its name tells its form, `data` its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What the center has on file, and the doors (door to node) that its nodes have announced. `opened` are
    lots that an opening balance has brought into the books.
    """

    products: Mapping[str, Product] = field(default_factory=dict)
    permits: Mapping[str, Permit] = field(default_factory=dict)
    conveyances: Mapping[str, Conveyance] = field(default_factory=dict)
    doors: Mapping[str, str] = field(default_factory=dict)
    opened: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Papers:
    """What an import brings that was not known; `unchanged` counts papers that were known just so."""

    products: tuple[Product, ...] = ()
    permits: tuple[Permit, ...] = ()
    conveyances: tuple[Conveyance, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was imported: the first faults, and how many there are in all."""

    faults: tuple[Fault, ...]
    total: int


def read_papers(uploads: Sequence[Upload], known: Known, check_digit: CheckDigit) -> Papers | Refused:
    """The papers of all files, or every fault in them.

    Papers may name each other across files and what is `known`. The same content under a known number
    is no fault and no paper; other content under a known number is a fault. `check_digit` gives the
    GS1 check digit of a run of digits.
    """
    faults = Faults()
    if not _bounded(uploads, faults):
        return Refused(tuple(faults.kept), faults.total)
    raws = [raw for upload in uploads for raw in read_file(upload.name, upload.data, faults)]
    if len(raws) > DOCUMENTS_MAX:
        faults.add(
            uploads[0].name,
            "",
            f"{len(raws)} documents",
            f"at most {DOCUMENTS_MAX} in one import",
            "Split it.",
        )
        return Refused(tuple(faults.kept), faults.total)
    if not raws and not faults.total:
        name = uploads[0].name if uploads else "the import"
        faults.add(name, "", "no document", "at least one product, permit or truck", "Add one.")
    reading = _Reading(known, _Forms(check_digit), faults)
    for raw in raws:
        reading.mention(raw)
    for kind in ("product", "permit", "truck"):
        for raw in raws:
            if raw.kind == kind:
                reading.take(raw)
    if faults.total:
        return Refused(tuple(faults.kept), faults.total)
    return reading.papers()


def _bounded(uploads: Sequence[Upload], faults: Faults) -> bool:
    size = sum(len(upload.data) for upload in uploads)
    name = uploads[0].name if uploads else "the import"
    if len(uploads) > FILES_MAX:
        faults.add(
            name, "", f"{len(uploads)} files", f"at most {FILES_MAX} in one import", "Send them in turn."
        )
    if size > IMPORT_BYTES_MAX:
        faults.add(name, "", f"{size} bytes", f"at most {IMPORT_BYTES_MAX} in one import", "Split the files.")
    return not faults.total


@dataclass(frozen=True, slots=True)
class _Field:
    check: Check
    required: bool = True


class _Forms:
    """What may stand in every field of every paper."""

    def __init__(self, check_digit: CheckDigit) -> None:
        gtin = _Field(fields.digits(14, "GTIN", check_digit))
        sscc = _Field(fields.digits(18, "SSCC", check_digit))
        owner = _Field(fields.text(80))
        status = _Field(fields.choice([status.value for status in Status], Status))
        direction = _Field(fields.choice([way.value for way in Direction], Direction))
        quantity = _Field(fields.quantity)
        self.own: dict[str, dict[str, _Field]] = {
            "product": {
                "gtin": gtin,
                "name": _Field(fields.text(120)),
                "unit": _Field(fields.UNIT, required=False),
                "per_pallet": _Field(fields.quantity, required=False),
            },
            "permit": {
                "number": _Field(fields.NUMBER),
                "kind": _Field(fields.choice(PERMIT_KINDS)),
                "owner": owner,
                "valid_from": _Field(fields.day),
                "valid_to": _Field(fields.day),
                "rules": _Field(fields.each(_WORD, "rule names"), required=False),
            },
            "truck": {
                "job": _Field(_JOB),
                "conveyance": _Field(fields.text(40)),
                "carrier": _Field(fields.text(80)),
                "door": _Field(_DOOR),
                "direction": direction,
                "seals": _Field(fields.each(_SEAL, "seals"), required=False),
                "permit_lines": _Field(fields.each(_line_ref, "permit lines"), required=False),
                "in_bond": _Field(fields.NUMBER, required=False),
            },
        }
        self.part: dict[str, dict[str, _Field]] = {
            "permit": {
                "line": _Field(fields.LINE),
                "product": gtin,
                "status": status,
                "quantity": quantity,
                "unit": _Field(fields.UNIT),
                "direction": direction,
                "quota_opens": _Field(fields.day, required=False),
                "quota_closes": _Field(fields.day, required=False),
            },
            "truck": {
                "sscc": sscc,
                "gtin": gtin,
                "quantity": quantity,
                "lot": _Field(_LOT, required=False),
                "owner": owner,
                "status": status,
                "expiry": _Field(fields.day, required=False),
                "imported": _Field(fields.day, required=False),
            },
        }


_STEP: Final = "Correct its spelling."
_JOB: Final = fields.coded(
    "[A-Z0-9-]{0,23}[A-Z0-9]", "a job of 1 to 24 of A-Z, 0-9 and hyphen, as on its work order", _STEP
)
_DOOR: Final = fields.coded(
    "[a-z0-9_-]{1,40}", "a door id of a-z, 0-9, _ and -", "Use the id in the node's config."
)
_SEAL: Final = fields.coded(
    "[A-Za-z0-9][A-Za-z0-9._-]{0,29}", "a seal of 1 to 30 letters, digits, points, hyphens", _STEP
)
_WORD: Final = fields.coded("[a-z0-9][a-z0-9_.-]{0,39}", "a rule name of a-z, 0-9, points, hyphens", _STEP)
_LOT_TEXT: Final = fields.text(20)
_LOT_CODED: Final = fields.coded(
    r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}""",
    "a lot of 1 to 20 characters that GS1 allows (AI 10)",
    _STEP,
)


def _LOT(value: Any) -> str:  # noqa: N802 - one of the checks above, of two parts
    return str(_LOT_CODED(_LOT_TEXT(value)))


def _line_ref(value: Any) -> LineRef:
    """`PERMIT/LINE` as text, or an object with both."""
    if isinstance(value, str) and value.count("/") == 1:
        permit, line = value.split("/")
        return LineRef(fields.NUMBER(permit), fields.LINE(line))
    if isinstance(value, dict) and value.keys() == {"permit", "line"}:
        return LineRef(fields.NUMBER(value["permit"]), fields.LINE(value["line"]))
    raise Misfit("permit lines such as W24/1", "Write the permit's number, a slash and the line.")


class _Reading:
    """One import on its way: papers that came so far, and who names whom."""

    def __init__(self, known: Known, forms: _Forms, faults: Faults) -> None:
        self._known = known
        self._forms = forms
        self._faults = faults
        self._products: dict[str, Product] = {}
        self._permits: dict[str, Permit] = {}
        self._trucks: dict[str, Conveyance] = {}
        self._mentioned: dict[str, set[str]] = {"product": set(), "permit": set(), "truck": set()}
        self._unchanged = 0

    def mention(self, raw: Raw) -> None:
        """Note a paper's number, so that a faulty paper is not reported again by those that name it."""
        for name in ("gtin", "number", "job"):
            value = raw.values.get(name)
            if isinstance(value, str):
                self._mentioned[raw.kind].add(value)

    def take(self, raw: Raw) -> None:
        """Judge one paper and its parts, and what they name."""
        own = self._values(raw, self._forms.own[raw.kind])
        parts = [self._values(part, self._forms.part[raw.kind]) for part in raw.parts]
        if raw.kind == "product":
            if own is not None:
                self._keep(raw, own["gtin"], Product(**own), self._products, self._known.products)
        elif raw.kind == "permit":
            self._permit(raw, own, parts)
        else:
            self._truck(raw, own, parts)

    def papers(self) -> Papers:
        """All that is new."""
        return Papers(
            tuple(self._products.values()),
            tuple(self._permits.values()),
            tuple(self._trucks.values()),
            self._unchanged,
        )

    def _values(self, raw: Raw, form: Mapping[str, _Field]) -> dict[str, Any] | None:
        """The typed values of all fields, or None when one was faulty; each fault is noted."""
        values: dict[str, Any] = {}
        sound = True
        for name, rule in form.items():
            value = raw.values.get(name)
            if value is None:
                if rule.required:
                    sound = False
                    self._faults.add(
                        raw.file, raw.at(name), "nothing", "a value", f"Add the {raw.kind}'s {name}."
                    )
                continue
            try:
                values[name] = rule.check(value)
            except Misfit as misfit:
                sound = False
                got = shown(value) if isinstance(value, str) and value else _kind(value)
                self._faults.add(raw.file, raw.at(name), got, misfit.expected, misfit.next_step)
        return values if sound else None

    def _permit(self, raw: Raw, own: dict[str, Any] | None, parts: list[dict[str, Any] | None]) -> None:
        if raw.whole and not raw.parts:
            self._fault(raw, "lines", "no line", "at least one line", "Add what the permit lets cross.")
        lines: list[PermitLine] = []
        names: set[str] = set()
        for part, values in zip(raw.parts, parts, strict=True):
            if values is not None:
                line = PermitLine(**values)
                self._check_line(part, line, names)
                self._check_status(part, line, raw.values.get("kind"))
                names.add(line.line)
                lines.append(line)
        if own is None or not lines or len(lines) != len(raw.parts):
            return
        first, last = cast(date, own["valid_from"]), cast(date, own["valid_to"])
        if first > last:
            self._fault(
                raw, "valid_to", str(last), f"a date not before valid_from {first}", "Correct one of them."
            )
        permit = Permit(**own, lines=tuple(lines))
        for part, line in zip(raw.parts, lines, strict=True):
            lot = f"{permit.number}/{line.line}"
            if line.direction is Direction.IN and lot in self._known.opened:
                expected = "a line that no opening balance has: its goods are in these books already"
                step = "Take the line out, or number it apart if it lets in more goods."
                self._fault(part, "line", lot, expected, step)
        self._keep(raw, permit.number, permit, self._permits, self._known.permits)

    def _check_line(self, part: Raw, line: PermitLine, before: set[str]) -> None:
        if line.line in before:
            self._fault(part, "line", line.line, "each line once", "Number the lines of a permit apart.")
        opens, closes = line.quota_opens, line.quota_closes
        if opens is not None and closes is not None and opens > closes:
            self._fault(
                part, "quota_closes", str(closes), f"a date not before quota_opens {opens}", "Correct one."
            )
        product = self._product(part, "product", line.product)
        if product is not None and line.unit != product.unit:
            self._fault(
                part,
                "unit",
                line.unit,
                f"{product.unit}, the unit of {product.gtin}",
                "Convert the quantity.",
            )

    def _check_status(self, part: Raw, line: PermitLine, kind: Any) -> None:
        """The door would let none of a line's goods out whose status the permit's kind forbids."""
        if line.direction is not Direction.OUT or not isinstance(kind, str):
            return
        forbidden = kind_forbids(kind, line.status)
        if forbidden is None:
            return
        rulings = MATRIX[DISPOSITIONS[kind]] if kind in DISPOSITIONS else {}
        let_out = ", ".join(status for status, ruling in rulings.items() if isinstance(ruling, Allowed))
        expected = f"a status that may leave on {kind}" + (f": {let_out}" if let_out else "")
        self._fault(part, "status", line.status, f"{expected} ({forbidden.section})", forbidden.words)

    def _truck(self, raw: Raw, own: dict[str, Any] | None, parts: list[dict[str, Any] | None]) -> None:
        loads: list[PlannedLoad] = []
        first_at: dict[str, str] = {}
        for part, values in zip(raw.parts, parts, strict=True):
            if values is None:
                continue
            load = PlannedLoad(**values)
            if load.sscc in first_at:
                self._fault(
                    part,
                    "sscc",
                    load.sscc,
                    "each SSCC once on a truck",
                    f"It stands at {first_at[load.sscc]} too.",
                )
            first_at.setdefault(load.sscc, part.at("sscc"))
            self._product(part, "gtin", load.gtin)
            loads.append(load)
        if own is None:
            return
        truck = Conveyance(**own, loads=tuple(loads))
        self._check_truck(raw, truck)
        if len(loads) == len(raw.parts):
            self._keep(raw, truck.job, truck, self._trucks, self._known.conveyances)

    def _check_truck(self, raw: Raw, truck: Conveyance) -> None:
        if truck.door not in self._known.doors:
            doors = ", ".join(sorted(self._known.doors)[:40]) or "none yet"
            self._fault(
                raw,
                "door",
                truck.door,
                f"a door that a node has announced ({doors})",
                "Correct it, or start the node of that door first.",
            )
        for ref in truck.permit_lines:
            permit = self._permits.get(ref.permit) or self._known.permits.get(ref.permit)
            if permit is None:
                if ref.permit not in self._mentioned["permit"]:
                    self._fault(
                        raw, "permit_lines", str(ref), "a permit that is on file", "Import the permit too."
                    )
                continue
            line = next((line for line in permit.lines if line.line == ref.line), None)
            if line is None:
                lines = ", ".join(line.line for line in permit.lines[:40])
                self._fault(
                    raw, "permit_lines", str(ref), f"a line of {ref.permit}: {lines}", "Correct the line."
                )
            elif line.direction != truck.direction:
                self._fault(
                    raw,
                    "permit_lines",
                    f"{ref}, which is for goods going {line.direction.value}",
                    f"lines for goods going {truck.direction.value}, as the truck",
                    "Correct the truck's direction or take the line off.",
                )

    def _product(self, raw: Raw, name: str, gtin: str) -> Product | None:
        product = self._products.get(gtin) or self._known.products.get(gtin)
        if product is None and gtin not in self._mentioned["product"]:
            self._fault(raw, name, gtin, "a product that is on file", "Import the product too.")
        return product

    def _keep(
        self,
        raw: Raw,
        number: str,
        paper: Product | Permit | Conveyance,
        new: dict[str, Any],
        known: Mapping[str, Product | Permit | Conveyance],
    ) -> None:
        size = len(msgspec.json.encode(paper))
        if size > DOCUMENT_BYTES_MAX:
            parts = PARTS.get(raw.kind, "it")
            self._fault(
                raw, parts, f"{size} bytes", f"at most {DOCUMENT_BYTES_MAX} a document", f"Split the {parts}."
            )
            return
        before = new.get(number) or known.get(number)
        if before is None:
            new[number] = paper
        elif before == paper:
            self._unchanged += 1
        else:
            where = "in this import" if number in new else "on file"
            self._fault(
                raw,
                "",
                f"{raw.kind} {number} with other content than {where}",
                "each number once",
                "Give the changed paper a number of its own, or import it unchanged.",
            )

    def _fault(self, raw: Raw, name: str, got: str, expected: str, next_step: str) -> None:
        self._faults.add(raw.file, raw.at(name), shown(got), expected, next_step)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "the list " + shown(", ".join(map(shown, value[:8])))
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, bool):
        return str(value).lower()
    return shown(value) or "empty text"


__all__ = ["Fault", "Known", "Papers", "Refused", "Upload", "read_papers"]
