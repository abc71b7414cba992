# SPDX-License-Identifier: Apache-2.0
"""The bodies of entries: one frozen type and one schema name for each entry type.

A released schema never changes; a changed body gets a new name and an upcaster. Node entries come
first, the center's after them. Nothing here decides anything.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from customs.documents import Conveyance, Direction, Holding, LineRef, Permit, Product, Status
from sync.entry import MALFORMED, Entry, Place, Seq, canonical
from sync.errors import EntryError

QUANTITY_MAX: Final = Decimal(10) ** 12
"""A thousand times what papers may say: a larger figure is no count of goods."""

DECIMALS_MAX: Final = 12
"""Twice what papers may say; sums of such quantities are exact in 28 digits."""

UNDO_MAX: Final = 200
"""Movements of one door that can still be undone; a job rarely has more loads."""


class Begin(msgspec.Struct, frozen=True):
    """First entry of an epoch, of a node's log and of the center's (`node` is then "center").

    `parent` is the head it continues from as its own store shows it, `end` the parent's proven last
    head (None when not proven), `key` the epoch's public key in hex.
    """

    tenant: str
    zone: str
    node: str
    key: str
    reason: str
    parent: Place | None = None
    end: Place | None = None


class Settings(msgspec.Struct, frozen=True):
    """What judging depends on beside the papers; written at start when it differs from before. `doors` maps
    each door to what its scanners say when they could not read.
    """

    build: str
    rules: int
    doors: dict[str, str]
    timezone: str


class Saw(msgspec.Struct, frozen=True):
    """The center's decisions that a node takes into its state; `entries` are records, verbatim."""

    center_epoch: str
    upto: Place
    entries: tuple[msgspec.Raw, ...]


class ReadSummary(msgspec.Struct, frozen=True, gc=False):
    """One observation as the entry keeps it. `code` is printable, `raw` the bytes in hex, `typed` the
    quantity that a person gave with it, `client_id` the screen's own id of the scan.
    """

    device: str
    carrier: str
    code: str
    raw: str
    at: datetime
    typed: str | None = None
    client_id: str | None = None


class Use(msgspec.Struct, frozen=True, gc=False):
    """So much of a permit line, debited from this epoch's account."""

    permit: str
    line: str
    quantity: Decimal

    @property
    def ref(self) -> LineRef:
        """The line that is debited."""
        return LineRef(self.permit, self.line)


class LoadFacts(msgspec.Struct, frozen=True, gc=False):
    """A load as it was judged: its identity and what the papers say is in it."""

    key: str
    sscc: str | None = None
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    owner: str | None = None
    status: Status | None = None


class Movement(msgspec.Struct, frozen=True, gc=False):
    """Body of `admission` and `withdrawal`: goods that crossed and were booked.

    `have` is the seq up to which the center had confirmed this log when it was judged, `clears` the
    Hold that this movement settles.
    """

    job: str | None
    direction: Direction
    load: LoadFacts
    quantity: Decimal
    unit: str
    owner: str
    status: Status
    reason: str
    read: ReadSummary
    have: int
    use: Use | None = None
    clears: str | None = None
    by: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """Body of `hold` and `stop`: why a load did not pass, in the reason code's own numbers.

    `by` names the person whose act led to it; None for what the judge said of a read.
    """

    job: str | None
    direction: Direction | None
    load: LoadFacts | None
    reason: str
    read: ReadSummary
    have: int
    line: LineRef | None = None
    left: Decimal | None = None
    by: str | None = None


class Release(msgspec.Struct, frozen=True):
    """A Hold settled without a movement: `decision` is "refused" or "cleared"; `by` says who."""

    hold: str
    decision: str
    by: str
    note: str


class JobEvent(msgspec.Struct, frozen=True):
    """Body of `job`: `event` is opened, seals_accepted, closed. `missing` are SSCCs not seen."""

    event: str
    job: str
    conveyance: str
    direction: Direction
    by: str
    seals_seen: tuple[str, ...] | None = None
    seals_expected: tuple[str, ...] = ()
    counted: int = 0
    planned: int = 0
    missing: tuple[str, ...] = ()


class Correction(msgspec.Struct, frozen=True, gc=False):
    """A movement undone: the entry that compensates it. Nothing is ever deleted."""

    corrects: str
    movement: str
    job: str | None
    direction: Direction
    load: LoadFacts
    quantity: Decimal
    reason: str
    by: str
    use: Use | None = None
    client_id: str | None = None


class Skipped(msgspec.Struct, frozen=True):
    """Entries that a sink was told to leave out: `sink`, the range and why; an explicit act."""

    sink: str
    epoch: str
    first: int
    last: int
    reason: str
    by: str


class DeviceAlarm(msgspec.Struct, frozen=True):
    """A device did what a person must know of: `kind` is a word such as flood, `detail` a sentence."""

    device: str
    kind: str
    detail: str
    count: int


class Grant(msgspec.Struct, frozen=True):
    """The center lends `quantity` of a permit line to one epoch of one node."""

    permit: str
    line: str
    node: str
    epoch: str
    quantity: Decimal

    @property
    def ref(self) -> LineRef:
        """The line that is lent."""
        return LineRef(self.permit, self.line)


class CenterSaw(msgspec.Struct, frozen=True):
    """A node's entries enter the books here: everything of `epoch` up to `upto`."""

    node: str
    epoch: str
    upto: Place


class Moved(msgspec.Struct, frozen=True, gc=False):
    """Goods that came into the zone or left it; `holding.quantity` is what moved, `seq` its place in the
    origin's log.
    """

    came: bool
    holding: Holding
    seq: Seq = 0


class Holdings(msgspec.Struct, frozen=True):
    """What one epoch (`origin`) of a dock moved, in its order, for the other docks of the zone."""

    origin: str
    moves: tuple[Moved, ...]


class Close(msgspec.Struct, frozen=True):
    """An epoch of a node ends at the center: its proven end is stored."""

    node: str
    epoch: str


class Imported(msgspec.Struct, frozen=True):
    """The center's import of one file: who, when it came and its SHA-256, for the audit."""

    file: str
    sha256: str
    by: str
    products: int
    permits: int
    trucks: int


_BODIES: Final[dict[str, tuple[str, type[msgspec.Struct]]]] = {
    "begin": ("zonegate.begin.v1", Begin),
    "settings": ("zonegate.settings.v1", Settings),
    "saw": ("zonegate.saw.v1", Saw),
    "admission": ("zonegate.movement.v1", Movement),
    "withdrawal": ("zonegate.movement.v1", Movement),
    "hold": ("zonegate.refusal.v1", Refusal),
    "stop": ("zonegate.refusal.v1", Refusal),
    "release": ("zonegate.release.v1", Release),
    "job": ("zonegate.job.v1", JobEvent),
    "correction": ("zonegate.correction.v1", Correction),
    "skipped": ("zonegate.skipped.v1", Skipped),
    "alarm": ("zonegate.alarm.v1", DeviceAlarm),
    "product": ("zonegate.product.v1", Product),
    "permit": ("zonegate.permit.v1", Permit),
    "conveyance": ("zonegate.truck.v1", Conveyance),
    "grant": ("zonegate.grant.v1", Grant),
    "center-saw": ("zonegate.center-saw.v1", CenterSaw),
    "holdings": ("zonegate.holdings.v1", Holdings),
    "close": ("zonegate.close.v1", Close),
    "import": ("zonegate.import.v1", Imported),
}

DOOR_EVENTS: Final = ("admission", "withdrawal", "hold", "stop", "release", "correction", "job", "alarm")
"""Entry types that happen at a door and are published as events."""

_decoders = {schema: msgspec.json.Decoder(body) for schema, body in _BODIES.values()}


def is_count(quantity: Decimal) -> bool:
    """Whether goods can be counted by this: above zero, within QUANTITY_MAX and DECIMALS_MAX."""
    exponent = quantity.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -DECIMALS_MAX and 0 < quantity <= QUANTITY_MAX


def schema_of(entry_type: str) -> str:
    """The schema that this version writes for an entry type."""
    return _BODIES[entry_type][0]


def body_bytes(body: msgspec.Struct) -> bytes:
    """Canonical bytes of a body."""
    return canonical(body)


def read_body(entry: Entry) -> Any:
    """The typed body of an entry; EntryError when its schema is not known here or does not fit."""
    decoder = _decoders.get(entry.schema)
    if decoder is None:
        raise EntryError(
            f"entry {entry.entry_id} has schema {entry.schema!r}, which this version does not know; update it"
        )
    known = _BODIES.get(entry.type)
    if known is None or known[0] != entry.schema:
        raise EntryError(
            f"entry {entry.entry_id} of type {entry.type} has the schema {entry.schema} of another"
        )
    try:
        return decoder.decode(bytes(entry.body))
    except MALFORMED as error:
        raise EntryError(f"the body of entry {entry.entry_id} is no {entry.schema}: {error}") from error
