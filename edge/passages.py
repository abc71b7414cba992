# SPDX-License-Identifier: Apache-2.0
"""What a passage means at a door: which loads were in it, and what each of them may do. Pure.

The gate says what moved and which way; here its tags become loads. Each SSCC is a load, and tags of single
goods beside it are what it holds. Without an SSCC, goods that the books or the truck's permits know are
judged one by one, and what is left is one Hold. Pallets' and trucks' own tags are never goods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from edge import words
from edge.adjudicate import Moment, Verdict, bare, challenge, find, of_job, suspended
from edge.books import NodeBooks
from edge.evidence import Evidence
from edge.passage import Passage, PassageKind, TagCourse
from edge.reads import tag_at
from gs1.identify import Identity
from gs1.load import ASSETS, Load
from sync.bodies import CROSSINGS_MAX, PassageFacts

PIECES_MAX: Final = 250
"""Loads of one passage that are judged by themselves: no fork carries more. The rest is one Hold."""

HEIGHT: Final = "height"

UNSEEN: Final = (PassageKind.INTERRUPTED, PassageKind.UNJUDGED)
"""Nobody knows what happened: each load is a Hold whose reason is called as the kind."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is judged as one: a load with its tag, or, where both are None, what no tag names."""

    load: Load | None = None
    tag: TagCourse | None = None

    @property
    def key(self) -> str:
        """Its load's key; "" where it has none."""
        return self.load.key if self.load is not None else ""


@dataclass(frozen=True, slots=True)
class Contents:
    """The tags of a passage, sorted: `pieces` are to be judged, the rest are counts (see PassageFacts)."""

    pieces: tuple[Piece, ...]
    items: int
    assets: int


def challenge_tag(books: NodeBooks, door: str, identity: Identity, moment: Moment) -> Verdict | None:
    """What is said of a tag while it moves, direction or not; None where it says nothing of its load.

    Single goods speak only where the books know that very one: they may lie on a pallet whose own tag comes
    a moment later.
    """
    if not isinstance(identity, Load) or not identity.is_goods:
        return None
    if identity.sscc is None and not _is_on_the_books(books, identity):
        return None
    return challenge(books, door, identity, moment)


def contents_of(books: NodeBooks, passage: Passage, at: datetime, *, beside_units: bool = False) -> Contents:
    """The loads of a passage, each once, in the order in which they came; what lay about is left out.

    `beside_units`: another passage of the same event has SSCCs, so that single goods here are what the gate
    told apart from a pallet, and no loads.
    """
    units: dict[str, Piece] = {}
    goods: dict[str, Piece] = {}
    items = assets = strange = 0
    for tag in sorted(moved(passage), key=lambda tag: (tag.first_us, tag.epc)):
        identity = tag_at(books, tag.epc, tag.pc, at)
        if isinstance(identity, Load) and identity.sscc is not None:
            units.setdefault(identity.key, Piece(identity, tag))
        elif isinstance(identity, Load) and identity.is_goods:
            items += 1
            goods.setdefault(identity.key, Piece(identity, tag))
        elif isinstance(identity, Load) and identity.kind in ASSETS:
            assets += 1
        else:
            strange += 1
    if units or (beside_units and goods):
        return Contents(tuple(units.values())[:PIECES_MAX], items, assets)
    known = [piece for piece in goods.values() if piece.load and _is_known(books, passage.door, piece.load)]
    pieces = known[:PIECES_MAX]
    if passage.kind is PassageKind.UNREAD or len(pieces) < len(goods) or strange or not goods:
        pieces.append(Piece())
    return Contents(tuple(pieces), items, assets)


def facts_of(
    passage: Passage, contents: Contents, bound: int, evidence: str, *, load_seen: bool | None
) -> PassageFacts:
    """The passage as its entries keep it. `evidence` names what it was judged from."""
    course = moved(passage)
    return PassageFacts(
        passage=passage.passage,
        kind=passage.kind.value,
        direction=passage.direction,
        confidence=passage.confidence,
        bound=bound,
        crossings=passage.crossings[:CROSSINGS_MAX],
        loads=len(contents.pieces),
        tags=len(course),
        items=contents.items,
        assets=contents.assets,
        still=len(passage.tags) - len(course),
        reads=sum(tag.reads for tag in course),
        eyes=passage.eyes,
        load_seen=load_seen,
        evidence=evidence,
    )


def of_piece(facts: PassageFacts, tag: TagCourse | None) -> PassageFacts:
    """The passage as the entry of one load keeps it: as sure as the gate is of this load's tag, too."""
    if tag is None or tag.confidence >= facts.confidence:
        return facts
    return msgspec.structs.replace(facts, confidence=tag.confidence)


def is_cut_short(evidence: Evidence | None) -> bool:
    """Whether nobody saw the end of a passage: a reader was lost in its midst, or the node stopped. One that
    is cut for its length goes on in the next; without evidence there is nothing to say.
    """
    if evidence is None:
        return False
    settings, opened_us = evidence.settings, evidence.opened_us
    # A passage is cut for its length in these moments and in no others, see `edge.gate.doorway`.
    longest_us = opened_us + settings.passage_s_max * 1_000_000
    lingered_us = (settings.linger_ms + settings.settle_ms) * 1000
    by_length = {longest_us, longest_us + settings.eye_stuck_s * 1_000_000}
    by_length |= {change.at_us + lingered_us for change in evidence.inputs}
    return bool(evidence.lost) or not (evidence.final or evidence.closed_us in by_length)


def half_seen(facts: PassageFacts) -> PassageFacts:
    """The passage as the entry of a load keeps it that was on its way through and not seen to its end."""
    return msgspec.structs.replace(
        facts, kind=PassageKind.CROSSED.value, direction=None, confidence=0, crossings=()
    )


def has_units(books: NodeBooks, passage: Passage, at: datetime) -> bool:
    """Whether a tag of a logistic unit moved in a passage."""
    identities = (tag_at(books, tag.epc, tag.pc, at) for tag in moved(passage))
    return any(isinstance(identity, Load) and identity.sscc is not None for identity in identities)


def judge_piece(
    books: NodeBooks, door: str, facts: PassageFacts, load: Load | None, moment: Moment
) -> Verdict | None:
    """The decision on one piece of a passage; None where there is nothing to write.

    The dock asks this when a passage has closed, `zonegate explain` asks it again of what the entry kept.
    """
    crossed = facts.kind == PassageKind.CROSSED
    if facts.kind in UNSEEN:
        return of_job(books, door, Verdict(facts.kind, load=bare(load) if load is not None else None))
    if load is None:
        unnamed = _judge_nameless(books, door, facts) if crossed or facts.kind == PassageKind.UNREAD else None
        return unnamed and (suspended(books, door) or unnamed)
    found = find(books, door, load, moment, scanned=False)
    if found.kind == words.STOP:  # on record whether it was obeyed or not, and whichever way it went
        return found
    if not crossed:
        return None
    if is_sure(facts) and _is_against(books, door, facts):
        return _without_figures(found, "wrong-way")
    if not is_sure(facts) and (found.kind == words.ACCEPTED or found.reason == "already-counted"):
        return _without_figures(found, "not-sure")  # what was counted may have come back
    return found


def crossed_of(facts: PassageFacts, verdict: Verdict) -> bool | None:
    """Whether a stopped load went through all the same; None where that is not asked or not sure."""
    if verdict.kind != words.STOP:
        return None
    if facts.kind != PassageKind.CROSSED:
        return False
    return True if is_sure(facts) else None


def is_sure(facts: PassageFacts) -> bool:
    """Whether the gate's direction may be believed."""
    return facts.direction is not None and facts.confidence >= facts.bound


def load_seen(evidence: Evidence) -> bool | None:
    """What the eye at load height says of a passage: it saw something, or nothing; None without one."""
    eyes = {
        (eye.device, eye.port): eye
        for eye in evidence.layout.eyes
        if eye.door == evidence.door and eye.place == HEIGHT
    }
    seen = [
        change.high == eyes[change.device, change.port].blocked_when
        for change in evidence.inputs
        if (change.device, change.port) in eyes
    ]
    return any(seen) if seen else None


def moved(passage: Passage) -> list[TagCourse]:
    """The tags that were on the move."""
    return [tag for tag in passage.tags if tag.moved]


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that a door says of several loads: a STOP before a HOLD before what may pass."""
    return min(verdicts, key=lambda verdict: _WORST.index(verdict.kind), default=None)


_WORST: Final = (words.STOP, words.HOLD, words.ACCEPTED, words.NOTICE)


def _judge_nameless(books: NodeBooks, door: str, facts: PassageFacts) -> Verdict | None:
    """What no tag names: tags that say nothing here, or no tag at all."""
    opened = books.job_at(door)
    if facts.tags > facts.assets:
        if books.state.cursor is None:
            return Verdict("never-synced")
        if opened is None:
            return Verdict("no-job")
        reason = "seals" if opened[0].seals_held else "unknown-tags"
        return of_job(books, door, Verdict(reason))
    if facts.load_seen is False:
        return None  # the fork is empty
    if facts.load_seen is None and _fetches(books, door, facts):
        return None
    return of_job(books, door, Verdict("no-tag"))


def _fetches(books: NodeBooks, door: str, facts: PassageFacts) -> bool:
    """Whether a forklift without goods' tags goes to fetch a load: against the truck's direction, or known by
    its own tag where no truck is open. Only an eye at load height knows better.
    """
    if books.job_at(door) is None:
        return facts.assets > 0
    return is_sure(facts) and _is_against(books, door, facts)


def _is_against(books: NodeBooks, door: str, facts: PassageFacts) -> bool:
    opened = books.job_at(door)
    return opened is not None and facts.direction != opened[0].direction


def _is_known(books: NodeBooks, door: str, load: Load) -> bool:
    """Whether single goods can be judged by themselves: in the books, or on a permit line of the open job."""
    opened = books.job_at(door)
    if opened is None:
        return False
    job, conveyance = opened
    if load.key in job.counted or _is_on_the_books(books, load):
        return True
    lines = (books.line(ref) for ref in conveyance.permit_lines)
    return load.gtin is not None and any(line is not None and line[1].product == load.gtin for line in lines)


def _is_on_the_books(books: NodeBooks, load: Load) -> bool:
    state = books.state
    known = (state.holdings, state.departed, state.disputed)
    return any(key in place for key in (load.key, load.identity) for place in known)


def _without_figures(verdict: Verdict, reason: str) -> Verdict:
    """A Hold in place of what the papers said: nothing is debited, and no figure of theirs is told."""
    return replace(verdict, reason=reason, quantity=None, line=None, left=None, date=None, clears=None)
