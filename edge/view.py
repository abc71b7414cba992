# SPDX-License-Identifier: Apache-2.0
"""What people see of a dock: plain frozen values that the screens, the API and the feed show.

The desk (`Desk`) is the one interface between the web pages and the dock service: pages read these
values and pass acts on; they know no journal, no books and no driver.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from customs.documents import Direction, Holding


class Prompt(msgspec.Struct, frozen=True):
    """A question to the worker: `kind` is "quantity" or "seals"; `hold` is the Hold it settles."""

    kind: str
    hold: str
    text: str


class LineView(msgspec.Struct, frozen=True):
    """A permit line as a door can use it now; quantities in the line's unit."""

    permit: str
    line: str
    product: str
    product_name: str
    status: str
    unit: str
    granted: Decimal
    used: Decimal
    left: Decimal


class JobView(msgspec.Struct, frozen=True):
    """A door job: a conveyance that is planned, open or closed."""

    job: str
    conveyance: str
    carrier: str
    door: str
    direction: Direction
    state: str
    seals: tuple[str, ...]
    seals_held: bool
    planned: int
    counted: int
    missing: tuple[str, ...]
    lines: tuple[LineView, ...] = ()


class DoorView(msgspec.Struct, frozen=True):
    """One door now.

    `state` is READY, ACCEPTED, HOLD or STOP (NO LINK is the browser's own word). `reason` is the code
    of the adjudication table, `sentence` what happened, `step` what to do next. `code` is what was read,
    `identity` the load it names, as people write it: (00)0952... `remark` is what the label itself says
    beside that: why it cannot be used, or that a date on it has passed. `position` is the journal position
    that this state rests on, "epoch:seq".
    """

    door: str
    name: str
    state: str
    reason: str
    sentence: str
    step: str
    code: str
    quantity: Decimal | None
    unit: str | None
    product_name: str | None
    counted: int
    planned: int
    job: JobView | None
    prompt: Prompt | None
    can_undo: bool
    position: str
    at: datetime | None
    identity: str = ""
    remark: str = ""


class SkippedFrame(msgspec.Struct, frozen=True):
    """A frame of a reader that could not be understood: its first bytes in hex, its whole length, and why."""

    at: datetime
    reason: str
    length: int
    start: str


class SkippedView(msgspec.Struct, frozen=True):
    """What a reader sent that could not be understood: how many frames since the start, and the last ones,
    the newest last.
    """

    device: str
    count: int
    frames: tuple[SkippedFrame, ...]


class DeviceView(msgspec.Struct, frozen=True):
    """One device's health: Up, Degraded, Down or Unknown, and a sentence for a person. `door` names the doors
    that it serves, separated by ", ", `kind` is "scanner", "reader" or "camera". Of a reader `dropped` are
    frames that could not be understood, and `skipped` says why the newest was not; `unlit` are outputs that
    do not show what they should, `eyes` says of each photo eye that is left out of account why.
    """

    device: str
    door: str
    state: str
    detail: str
    reads: int
    dropped: int
    reconnects: int
    since: datetime
    kind: str = "scanner"
    skipped: str = ""
    unlit: tuple[int, ...] = ()
    eyes: tuple[str, ...] = ()


class HoldView(msgspec.Struct, frozen=True):
    """A Hold that waits for a decision. `choices` are the decisions a supervisor may take, `remark` what is
    wrong with the label that was scanned.
    """

    hold: str
    door: str
    job: str | None
    code: str
    reason: str
    sentence: str
    step: str
    at: datetime
    choices: tuple[str, ...]
    remark: str = ""


class EntryView(msgspec.Struct, frozen=True):
    """An entry of the journal in one line."""

    position: str
    entry_id: str
    type: str
    door: str | None
    at: datetime
    summary: str


class LinkView(msgspec.Struct, frozen=True):
    """How far a sink is: `name` is "center" or "mqtt", `state` is Up, Degraded, Down or Unknown as
    for a device, `behind` the number of entries it has not taken, `detail` a sentence for a person.
    """

    name: str
    state: str
    behind: int
    detail: str
    oldest: datetime | None


class LeaseView(msgspec.Struct, frozen=True):
    """What this node's epoch was lent of a permit line, in the line's unit.

    `lent` counts all of it, `left` what may be spent now: lent and confirmed, not used and not `returned`.
    `asked_back` is what the center wants back and has not got. `holders` is what the center last said that
    other nodes hold unused, empty when all is used up, None when it said nothing.
    """

    permit: str
    line: str
    product_name: str
    unit: str
    lent: Decimal
    used: Decimal
    returned: Decimal
    asked_back: Decimal
    left: Decimal
    holders: dict[str, Decimal] | None


class EpochView(msgspec.Struct, frozen=True):
    """An epoch of this node's log: how many entries it has, how many of them the center has, why it was begun
    and when, and the public half of the key that signs it, in hex.
    """

    epoch: str
    entries: int
    confirmed: int
    reason: str
    begun_at: datetime
    key: str


class RecordView(msgspec.Struct, frozen=True):
    """How the record stands: `epochs` newest first, the first one is written in. `adopted` counts entries
    that were told again here; `ballast` is "lies ready", "released" or "none"; `free_bytes` is what the
    store may still take. `closed`: the center has closed the newest epoch by a count.
    """

    epochs: tuple[EpochView, ...]
    leases: tuple[LeaseView, ...]
    adopted: int
    closed: bool
    ballast: str
    free_bytes: int


class StatusView(msgspec.Struct, frozen=True):
    """Everything on the status page, at one moment.

    `recording` is empty while the journal takes entries, else a sentence that says why it does not;
    `suspended` is empty while the zone is not suspended, else the reason.
    """

    tenant: str
    zone: str
    node: str
    timezone: str
    version: str
    position: str
    recording: str
    clock_synchronized: bool
    doors: tuple[DoorView, ...]
    devices: tuple[DeviceView, ...]
    holds: tuple[HoldView, ...]
    jobs: tuple[JobView, ...]
    links: tuple[LinkView, ...]
    last: tuple[EntryView, ...]
    record: RecordView
    suspended: str = ""


class Refused(Exception):
    """An act that cannot be done; the message says what came, what was expected and the next step."""


class Desk(Protocol):
    """What the pages may ask of the dock. Acts raise `Refused`; `by` names who acted."""

    def status(self) -> StatusView:
        """Everything on the status page, now."""
        ...

    def door(self, door: str) -> DoorView:
        """One door now; `door` is one of this node's."""
        ...

    def inventory(self, text: str = "", limit: int = 500) -> list[Holding]:
        """At most `limit` loads in the zone that `text` names; all of them when it is empty."""
        ...

    def decode(self, code: bytes) -> dict[str, Any]:
        """What a code is, as `gs1.answer` says it, with this node's own codes."""
        ...

    async def entries(self, after: str | None, limit: int) -> list[EntryView]:
        """Entries after a position "epoch:seq", oldest first; the newest ones when it is None."""
        ...

    async def story(self, text: str) -> list[EntryView]:
        """The last entries about an SSCC, lot, permit or truck, oldest first."""
        ...

    def skipped(self, device: str) -> SkippedView:
        """What a reader sent that could not be understood; raises `Refused` when there is no such reader."""
        ...

    def subscribe(self) -> asyncio.Queue[str | None]:
        """A bounded queue that gets the id of each door that changed, and "" when anything else did.
        A reader that lags is dropped: the queue gets None last and is forgotten.
        """
        ...

    def unsubscribe(self, queue: asyncio.Queue[str | None]) -> None:
        """Forget a queue; it may be gone already."""
        ...

    async def scan(self, door: str, code: bytes, client_id: str, by: str) -> DoorView:
        """A scan typed or wedged into a screen; told once for each `client_id`."""
        ...

    async def quantity(self, door: str, hold: str, quantity: str, client_id: str, by: str) -> DoorView:
        """Answer the quantity prompt of `hold`, once for each `client_id`; `quantity` is a decimal number."""
        ...

    async def undo(self, door: str, client_id: str, by: str) -> DoorView:
        """Compensate the last movement of the open job, once for each `client_id`."""
        ...

    async def open_job(self, door: str, job: str, seals: tuple[str, ...] | None, by: str) -> JobView:
        """Open a planned job; `seals` are those seen on the trailer, None when nobody looked."""
        ...

    async def close_job(self, door: str, by: str) -> JobView:
        """Close the open job, short or not."""
        ...

    async def decide(
        self, hold: str, decision: str, note: str, by: str, quantity: str | None = None
    ) -> HoldView:
        """Settle a Hold by one of its choices; `quantity` is asked for by a deposit only."""
        ...

    async def rotate_key(self, by: str) -> str:
        """Change the node's key for a new one, in another epoch; its public half in hex."""
        ...

    def metrics(self) -> dict[str, Any]:
        """Metric name to a number, or to a list of (labels, number) where labels map name to value."""
        ...
