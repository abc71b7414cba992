# SPDX-License-Identifier: Apache-2.0
"""The bodies of entries: one frozen type and one schema name for each entry type.

A released schema never changes; a changed body gets a new name and an upcaster. Node entries come
first, the center's after them. Nothing here decides anything.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from customs.documents import Conveyance, Direction, Holding, LineRef, Permit, Product, Status
from customs.works.events import OrderEvent
from sync.customs_bodies import ActRefused, Dataset, Imported, ImportRefused, Rows
from sync.entry import MALFORMED, Entry, Head, Place, Seq, canonical
from sync.errors import EntryError
from sync.ledger_bodies import LEDGER_BODIES
from sync.restraints import HoldLifted, HoldPut, ZoneEvent

QUANTITY_MAX: Final = Decimal(10) ** 12
"""A thousand times what papers may say: a larger figure is no count of goods."""

DECIMALS_MAX: Final = 12
"""Twice what papers may say; sums of such quantities are exact in 28 digits."""

CROSSINGS_MAX: Final = 20
"""Crossings of one passage that an entry lists: a driver who goes to and fro more often is listed no more."""

UNDER_HOLD_MAX: Final = 50
"""Movements that one `under-hold` entry names: a person looks for so many loads, and then for all."""

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


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What judging depends on beside the papers; written at start when it differs from before. `doors` maps
    each door to what its scanners say when they could not read, `codes` are the site's own codes: name and
    pattern of each.
    """

    build: str
    rules: int
    doors: dict[str, str]
    timezone: str
    codes: tuple[tuple[str, str], ...] = ()


class Saw(msgspec.Struct, frozen=True):
    """The center's decisions that a node takes into its state; `entries` are records, verbatim. `head` is the
    center's signed head that came with them: shown to it again, it tells whether the center was rolled back.
    """

    center_epoch: str
    upto: Place
    entries: tuple[msgspec.Raw, ...]
    head: Head | None = None


class Returned(msgspec.Struct, frozen=True, gc=False):
    """Body of `return`: so much of a permit line goes back to the center, unused."""

    permit: str
    line: str
    quantity: Decimal

    @property
    def ref(self) -> LineRef:
        """The line that it is of."""
        return LineRef(self.permit, self.line)


class Adopt(msgspec.Struct, frozen=True):
    """An entry that stands in another log of this node, which the center cannot take: the fact is told
    again, verbatim and under its own id. `record` is never an `adopt` itself.
    """

    record: msgspec.Raw


class Rotate(msgspec.Struct, frozen=True):
    """The last word of an epoch: the next one of this node is signed with `key` (hex)."""

    key: str


class PassageFacts(msgspec.Struct, frozen=True, gc=False):
    """What a gate found of the passage in which a load was read; the whole finding and what it rests on lie
    beside the journal.

    `kind` is crossed, turned, unread, empty or nothing, or what no gate says: interrupted, where the program
    ended in its midst, unjudged, where it failed. `direction` is the way in the end, None where it could
    not be decided; so of a load that was on its way when its reader was lost. `confidence` is in
    thousandths, `bound` what it had to be: 1000, which none reaches, where another truck was opened
    meanwhile. `crossings` are listed up to CROSSINGS_MAX. `loads` were judged
    together; of `tags` that moved `items` name single goods, `assets` pallets and forklifts; `still` lay
    about; `reads` came of the tags that moved. `eyes`: photo eyes took part. `load_seen` is the word of the
    one at load height, where no load had a tag. `evidence` names what it was judged from (see
    `edge.evidence.name`).
    """

    passage: str
    kind: str
    direction: Direction | None
    confidence: int
    bound: int
    crossings: tuple[Direction, ...]
    loads: int
    tags: int
    items: int
    assets: int
    still: int
    reads: int
    eyes: bool
    load_seen: bool | None
    evidence: str


class ReadSummary(msgspec.Struct, frozen=True, gc=False):
    """One observation as the entry keeps it. `code` is printable, `raw` the bytes in hex, `typed` the
    quantity that a person gave with it, `client_id` the screen's own id of the scan. `pc` is a tag's protocol
    control word, `passage` what the gate found; `frame` the SHA-256 of the picture that a camera read it in.
    """

    device: str
    carrier: str
    code: str
    raw: str
    at: datetime
    typed: str | None = None
    client_id: str | None = None
    pc: int | None = None
    passage: PassageFacts | None = None
    frame: str | None = None


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
    expiry: date | None = None
    imported: date | None = None


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

    `by` names the person whose act led to it; None for what the judge said of a read. `crossed` is what a
    gate saw of a STOP: True if the load went through all the same, False if it turned back, None where
    nobody saw or the gate is not sure. `restraint` is the id of the suspension or hold that forbade it.
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
    crossed: bool | None = None
    restraint: str | None = None


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


class Recall(msgspec.Struct, frozen=True):
    """The center asks an epoch to give back what it does not need of a line, up to `quantity`."""

    permit: str
    line: str
    node: str
    epoch: str
    quantity: Decimal

    @property
    def ref(self) -> LineRef:
        """The line that is asked back."""
        return LineRef(self.permit, self.line)


class Lent(msgspec.Struct, frozen=True):
    """Why a line has nothing free: what other nodes hold of it unused, by node; empty when all is used up."""

    permit: str
    line: str
    holders: dict[str, Decimal]

    @property
    def ref(self) -> LineRef:
        """The line."""
        return LineRef(self.permit, self.line)


class CenterSaw(msgspec.Struct, frozen=True):
    """A node's entries enter the books here: everything of `epoch` up to `upto`."""

    node: str
    epoch: str
    upto: Place


class Moved(msgspec.Struct, frozen=True, gc=False):
    """Goods that came into the zone or left it; `holding.quantity` is what moved, `seq` its place in the
    origin's log, `fact` the id of the entry that recorded it. With `becomes` the load stays, in that status.
    `back` says that goods are back whose leaving was undone: in the status that they have by then.
    """

    came: bool
    holding: Holding
    seq: Seq = 0
    fact: str = ""
    becomes: Status | None = None
    back: bool = False


class Holdings(msgspec.Struct, frozen=True):
    """What one epoch (`origin`) of a dock moved, in its order, for the other docks of the zone."""

    origin: str
    moves: tuple[Moved, ...]


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A quantity of a permit line."""

    permit: str
    line: str
    quantity: Decimal

    @property
    def ref(self) -> LineRef:
        """The line."""
        return LineRef(self.permit, self.line)


class Close(msgspec.Struct, frozen=True):
    """Epochs of a node end at the center.

    Without `counted` the proven end of each is stored, and its use is known. With it a person has counted
    what the goods of these epochs together took of each line, and attests that their machine is out of
    service: they are charged the count, or their use where that is more. `gaps` are epochs before whose
    Begin something may be missing that the count speaks for. `retires` takes the node off the roll.
    """

    node: str
    epochs: tuple[str, ...]
    counted: tuple[Amount, ...] | None = None
    gaps: tuple[str, ...] = ()
    by: str = ""
    note: str = ""
    retires: bool = False


class Filing(msgspec.Struct, frozen=True):
    """What was used of permit lines, as the books knew it at this entry's place; it never changes."""

    number: str
    figures: tuple[Amount, ...]
    by: str


class Enrolled(msgspec.Struct, frozen=True):
    """A node is on the roll, from the moment that a code was made for it. `again` when it was on the roll
    before, and the center's memory of it is lost: something of it may be missing.
    """

    node: str
    by: str
    again: bool = False


class Roll(msgspec.Struct, frozen=True):
    """A person's word on which nodes there are, where the center's own memory of it was lost."""

    nodes: tuple[str, ...]
    by: str


class Revoked(msgspec.Struct, frozen=True):
    """Keys of a node are not believed any more."""

    node: str
    keys: tuple[str, ...]
    reason: str
    by: str


class Trusted(msgspec.Struct, frozen=True):
    """A key of a node is believed: it came with a valid code."""

    node: str
    key: str


class Fork(msgspec.Struct, frozen=True):
    """Two entries for one place of a node's log, both shown to the center: two machines, or a forgery.

    `stored` is the center's place there, or the head it was shown first; `shown` is the other one.
    """

    node: str
    epoch: str
    stored: Place
    shown: Place
    detail: str


class PutBack(msgspec.Struct, frozen=True):
    """Body of `put-back`: the center was put back as a whole. A log of a node knows `shown`, a signed head of
    its own log that is not in it; of what is in it, that log had heard up to `since` before.
    """

    log: str
    since: Place
    shown: Place


class Dispute(msgspec.Struct, frozen=True):
    """The center objects to a movement: its load is a Hold at every door until this is decided."""

    movement: str
    node: str
    load: str
    reason: str
    by: str


class Decision(msgspec.Struct, frozen=True):
    """A dispute's end; `dispute` is the id of its entry, `decision` is "stands" or "corrected"."""

    dispute: str
    load: str
    decision: str
    by: str
    note: str


class UnderHold(msgspec.Struct, frozen=True):
    """Movements that became known and had been forbidden when they happened: their dock could not know yet.

    `restraint` is the id of the suspension or hold, `count` says how many, `movements` names the first
    UNDER_HOLD_MAX of their entries and `loads` the loads of these.
    """

    node: str
    epoch: str
    restraint: str
    count: int
    movements: tuple[str, ...]
    loads: tuple[str, ...]


class Settled(msgspec.Struct, frozen=True):
    """A person has looked into a case and says what was done; `case` is its name."""

    case: str
    by: str
    note: str


class BackedUp(msgspec.Struct, frozen=True):
    """A backup of the center's database exists that contains each log up to its place in `heads`."""

    name: str
    heads: tuple[Place, ...]
    by: str


class BackupGone(msgspec.Struct, frozen=True):
    """A backup was destroyed: nobody will restore it."""

    name: str
    by: str


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
    "return": ("zonegate.return.v1", Returned),
    "adopt": ("zonegate.adopt.v1", Adopt),
    "rotate": ("zonegate.rotate.v1", Rotate),
    "product": ("zonegate.product.v1", Product),
    "permit": ("zonegate.permit.v1", Permit),
    "conveyance": ("zonegate.truck.v1", Conveyance),
    "grant": ("zonegate.grant.v1", Grant),
    "center-saw": ("zonegate.center-saw.v1", CenterSaw),
    "holdings": ("zonegate.holdings.v1", Holdings),
    "close": ("zonegate.close.v1", Close),
    "import": ("zonegate.import.v1", Imported),
    "import-refused": ("zonegate.import-refused.v1", ImportRefused),
    "act-refused": ("zonegate.act-refused.v1", ActRefused),
    "dataset": ("zonegate.dataset.v1", Dataset),
    "rows": ("zonegate.rows.v1", Rows),
    "recall": ("zonegate.recall.v1", Recall),
    "lent": ("zonegate.lent.v1", Lent),
    "filing": ("zonegate.filing.v1", Filing),
    "enrol": ("zonegate.enrol.v1", Enrolled),
    "roll": ("zonegate.roll.v1", Roll),
    "revoke": ("zonegate.revoke.v1", Revoked),
    "trust": ("zonegate.trust.v1", Trusted),
    "fork": ("zonegate.fork.v1", Fork),
    "put-back": ("zonegate.put-back.v1", PutBack),
    "dispute": ("zonegate.dispute.v1", Dispute),
    "decision": ("zonegate.decision.v1", Decision),
    "settled": ("zonegate.settled.v1", Settled),
    "order": ("zonegate.order.v1", OrderEvent),
    "zone": ("zonegate.zone.v1", ZoneEvent),
    "hold-put": ("zonegate.hold-put.v1", HoldPut),
    "hold-lifted": ("zonegate.hold-lifted.v1", HoldLifted),
    "under-hold": ("zonegate.under-hold.v1", UnderHold),
    "backup": ("zonegate.backup.v1", BackedUp),
    "backup-gone": ("zonegate.backup-gone.v1", BackupGone),
    **{kind: (f"zonegate.{kind}.v1", body) for kind, body in LEDGER_BODIES.items()},
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
