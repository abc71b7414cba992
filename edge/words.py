# SPDX-License-Identifier: Apache-2.0
"""The one table of what a door says: direction x situation -> verdict, reason code, sentence, next step.

ARCHITECTURE.md shows this table and the tests walk it row by row. Texts are for a worker 3 m from a
screen: short, no jargon, what to do next. `{...}` are filled by `say`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ACCEPTED: Final = "ACCEPTED"
HOLD: Final = "HOLD"
STOP: Final = "STOP"
NOTICE: Final = "NOTICE"


class Row(NamedTuple):
    """One row: `direction` is in, out or any; `verdict` NOTICE writes no entry."""

    reason: str
    direction: str
    situation: str
    verdict: str
    sentence: str
    step: str


TABLE: Final[tuple[Row, ...]] = (
    Row(
        "admitted",
        "in",
        "on a permit line of the open job, enough left",
        ACCEPTED,
        "Admitted.",
        "Bring the next load.",
    ),
    Row(
        "withdrawn",
        "out",
        "in the zone, on a permit line of the open job, enough left",
        ACCEPTED,
        "Withdrawn.",
        "Load it. Bring the next one.",
    ),
    Row(
        "domestic",
        "any",
        "domestic goods: no permit needed, counted",
        ACCEPTED,
        "Domestic goods, counted.",
        "Go on.",
    ),
    Row(
        "temporary-deposit",
        "in",
        "a Hold that the supervisor took into suspense",
        ACCEPTED,
        "Taken into temporary deposit.",
        "Put it in the suspense area.",
    ),
    Row(
        "already-counted",
        "any",
        "the same load again in this job",
        NOTICE,
        "Already counted.",
        "Bring the next load.",
    ),
    Row(
        "repeat-scan",
        "any",
        "the same bytes within two seconds",
        NOTICE,
        "Same scan, counted once.",
        "Bring the next load.",
    ),
    Row(
        "job-already-open",
        "any",
        "the work order of the open job again",
        NOTICE,
        "This truck is open.",
        "Scan the first load.",
    ),
    Row(
        "nothing-to-undo",
        "any",
        "undo with nothing to undo in this job",
        NOTICE,
        "Nothing to undo.",
        "Scan a load.",
    ),
    Row(
        "nothing-to-close",
        "any",
        "close with no open job",
        NOTICE,
        "No truck is open here.",
        "Scan the work order.",
    ),
    Row(
        "unreadable",
        "any",
        "a code that fails its own rules",
        HOLD,
        "This code cannot be read.",
        "Scan another label of this load.",
    ),
    Row(
        "no-goods",
        "any",
        "a right code that names no goods",
        HOLD,
        "This label names no goods.",
        "Scan another label of this load.",
    ),
    Row(
        "parcel",
        "any",
        "the number of a parcel carrier",
        HOLD,
        "This is a parcel number, not the goods.",
        "Scan the goods' own label.",
    ),
    Row(
        "asset",
        "any",
        "a pallet, crate or other asset",
        HOLD,
        "This label is of a pallet or crate.",
        "Scan the label of the goods on it.",
    ),
    Row(
        "place",
        "any",
        "a place or a party",
        HOLD,
        "This label is of a place.",
        "Scan the label of the goods.",
    ),
    Row("no-read", "any", "the scanner saw no code", HOLD, "No code was read.", "Scan the label again."),
    Row(
        "no-job",
        "any",
        "a load while no job is open",
        HOLD,
        "No truck is open at this door.",
        "Scan the work order first.",
    ),
    Row(
        "job-unknown",
        "any",
        "a work order that is not planned here",
        HOLD,
        "This work order is not known here.",
        "Call the supervisor.",
    ),
    Row(
        "job-wrong-door",
        "any",
        "a work order of another door",
        HOLD,
        "This truck is planned for door {door}.",
        "Take it there, or call the supervisor.",
    ),
    Row(
        "job-open",
        "any",
        "a work order while another job is open",
        HOLD,
        "Another truck is still open here.",
        "Scan CLOSE for it first.",
    ),
    Row(
        "job-closed",
        "any",
        "a work order whose job was closed",
        HOLD,
        "This truck was closed.",
        "Call the supervisor to open it again.",
    ),
    Row(
        "seals",
        "any",
        "the seals differ from the papers",
        HOLD,
        "The seals do not match the papers.",
        "Do not unload. Call the supervisor.",
    ),
    Row(
        "never-synced",
        "any",
        "no papers ever came from the center",
        HOLD,
        "This dock has never had papers.",
        "Wait for the center, then scan again.",
    ),
    Row(
        "grant-pending",
        "any",
        "the permit's quantity is not confirmed yet",
        HOLD,
        "The permit is not confirmed yet.",
        "Wait for the center, then scan again.",
    ),
    Row(
        "clock-unsure",
        "any",
        "a permit's dates with an unsynchronized clock",
        HOLD,
        "This dock's clock is not sure.",
        "Call the supervisor: set the clock.",
    ),
    Row(
        "update-dock",
        "any",
        "a permit with a rule this version does not know",
        HOLD,
        "This permit needs a newer program.",
        "Call the supervisor: update this dock.",
    ),
    Row(
        "unknown-load",
        "any",
        "in no holding and in no notice",
        HOLD,
        "This load is not known.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "quantity-needed",
        "any",
        "a label without serial and without quantity",
        HOLD,
        "How many are there?",
        "Enter the quantity.",
    ),
    Row(
        "disputed",
        "any",
        "the center objects to this load's last movement",
        HOLD,
        "The center has a question on this load.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "already-in-zone",
        "in",
        "a load that is in the zone already",
        HOLD,
        "This load is in the zone already.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "returned-load",
        "in",
        "a load that left the zone comes back on no notice of this truck",
        HOLD,
        "This load had left the zone.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "mixed-lot",
        "in",
        "an unserialized lot that is held for another owner or in another status",
        HOLD,
        "This lot is here for another owner.",
        "Set it aside. It needs its own labels.",
    ),
    Row(
        "wrong-way",
        "any",
        "a load that went through the gate against the truck's direction",
        HOLD,
        "This load went the wrong way.",
        "Bring it back, or call the supervisor.",
    ),
    Row(
        "not-sure",
        "any",
        "a load that may pass, and the gate is not sure which way it went",
        HOLD,
        "The gate is not sure about this load.",
        "Scan its label.",
    ),
    Row(
        "no-tag",
        "any",
        "something went through the gate and no tag of a load was read",
        HOLD,
        "No tag was read on this load.",
        "Scan its label.",
    ),
    Row(
        "unknown-tags",
        "any",
        "tags went through the gate that name no load known here",
        HOLD,
        "These tags name no known load.",
        "Scan the label of the load.",
    ),
    Row(
        "interrupted",
        "any",
        "the dock was restarted while the load was in the gate",
        HOLD,
        "The dock was restarted while this crossed.",
        "Scan its label.",
    ),
    Row(
        "unjudged",
        "any",
        "a fault of the program kept the gate from judging what went through",
        HOLD,
        "The gate could not judge this load.",
        "Scan its label. Tell the supervisor.",
    ),
    Row(
        "not-in-zone",
        "out",
        "on a notice, but never admitted",
        STOP,
        "This load was never admitted.",
        "Do not load it. Call the supervisor.",
    ),
    Row(
        "already-withdrawn",
        "out",
        "a load that left before",
        STOP,
        "This load has left already.",
        "Do not load it. Call the supervisor.",
    ),
    Row(
        "not-on-permit",
        "any",
        "on no permit line of the job",
        STOP,
        "Not on this truck's permits.",
        "Take it back.",
    ),
    Row(
        "wrong-owner",
        "any",
        "the line is another owner's",
        STOP,
        "The permit is for another owner.",
        "Take it back.",
    ),
    Row(
        "permit-not-yet-valid",
        "any",
        "before the permit's first day",
        STOP,
        "The permit is not valid before {date}.",
        "Take it back.",
    ),
    Row(
        "permit-expired",
        "any",
        "after the permit's last day",
        STOP,
        "The permit ended on {date}.",
        "Take it back. A new permit is needed.",
    ),
    Row(
        "permit-exhausted",
        "any",
        "nothing is left of the line",
        STOP,
        "The permit is used up.",
        "Take it back. A supplement is needed.",
    ),
    Row(
        "straddles-limit",
        "any",
        "less is left than the load has",
        STOP,
        "Only {left} {unit} are left, this has {quantity}.",
        "Take it back, or split it.",
    ),
    Row(
        "leased-elsewhere",
        "any",
        "the line's quantity is lent to another dock",
        STOP,
        "The rest of this permit is lent to {holder}.",
        "Take it back. Scan it again later.",
    ),
    Row(
        "status-forbids",
        "out",
        "goods whose zone status the kind of permit does not allow",
        STOP,
        "{status} goods may not leave on this permit.",
        "Take it back. Another permit is needed.",
    ),
    Row(
        "expired",
        "out",
        "goods past their expiry date, but on a permit to destroy them",
        STOP,
        "These goods expired on {date}.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "over-five-years",
        "out",
        "to a warehouse, more than five years after the import",
        STOP,
        "Too old for a warehouse since {date}.",
        "Take it back. Another permit is needed.",
    ),
    Row(
        "import-date-missing",
        "out",
        "to a warehouse, and no paper says when the goods were imported",
        HOLD,
        "The import day of this load is not known.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "quota-closed",
        "out",
        "on a line of a quota that is not open",
        STOP,
        "The quota of these goods is not open.",
        "Take it back. Call the supervisor.",
    ),
    Row(
        "agency-hold",
        "any",
        "goods that an agency holds",
        STOP,
        "{holder} holds this load.",
        "Set it aside.",
    ),
    Row(
        "quality-hold",
        "out",
        "goods that are held for their quality",
        STOP,
        "This load is held for its quality.",
        "Set it aside. Call the supervisor.",
    ),
    Row(
        "zone-suspended",
        "any",
        "anything, while the zone is suspended",
        STOP,
        "The zone is suspended.",
        "Nothing may pass. Call the supervisor.",
    ),
    Row(
        "cannot-record",
        "any",
        "the journal cannot write",
        STOP,
        "This dock cannot record.",
        "Nothing may pass. Call the supervisor.",
    ),
)

_ROWS: Final = {row.reason: row for row in TABLE}

CHROME: Final = {
    "ready": ("Ready.", "Scan the next load."),
    "ready-gate": ("Ready.", "Bring the next load."),
    "ready-no-job": ("No truck is open.", "Scan the work order."),
    "opened": ("Truck is open.", "Scan the first load."),
    "opened-gate": ("Truck is open.", "Bring the first load."),
    "closed": ("Truck is closed, all seen.", "Scan the next work order."),
    "closed-short": ("Closed short: {missing} not seen.", "Look into the trailer. Tell the supervisor."),
    "undone": ("Undone.", "Scan it again, or bring the next load."),
    "checking": ("Checking.", "Wait."),
    "several": ("{loads} loads: {told}.", "{step}"),
    "beside": ("(Scanned since: {code}: {sentence})", ""),
}
"""What a door says beside verdicts: sentence and next step."""


def row(reason: str) -> Row:
    """The row of a reason code."""
    return _ROWS[reason]


def say(reason: str, **facts: object) -> tuple[str, str]:
    """Sentence and next step of a reason code or chrome word, filled with its facts."""
    sentence, step = CHROME[reason] if reason in CHROME else _ROWS[reason][4:6]
    return sentence.format(**facts), step.format(**facts) if reason in CHROME else step


def as_markdown() -> str:
    """The table as ARCHITECTURE.md shows it."""
    lines = [
        "| direction | situation | verdict | reason | the worker reads | next step |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.direction} | {row.situation} | {row.verdict} | `{row.reason}` | {row.sentence} | {row.step} |"
        for row in TABLE
    ]
    return "\n".join(lines)
