# SPDX-License-Identifier: Apache-2.0
"""Judging an ask: whose it is, which of its entries may be stored (S1), which heads prove a second writer.

Changes nothing: what it finds counts once `sync.decisions.decide` has taken it in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sync import keys
from sync.bodies import Begin, Fork, read_body
from sync.center import CenterBook
from sync.chain import ForkError, Stored, extension
from sync.entry import GENESIS, Head, Place, read_record, record_hash
from sync.errors import ChainError, SignatureError, SyncError, WireError
from sync.wire import Ask, Part, request_message


class SecondWriter(ForkError):
    """A head was signed that is not in the offered chain: two machines write one epoch. The answer's `have`
    shows it, so that rule E makes the writer begin anew.
    """


class Behind(ChainError):
    """The writer's own head is older than one that it signed before: its machine was rolled back, or this is
    an old request that comes late. Nothing of it is stored, and `have` shows the newer head: whoever asks now
    and has it not in its chain begins anew.
    """

    def __init__(self, sentence: str, signed: Place) -> None:
        super().__init__(sentence)
        self.signed = signed


@dataclass(frozen=True, slots=True)
class Received:
    """What an ask leads to: entries to `store`, the answer's `have` and `refused`, signed `heads` that are
    news, `forks` that were found, and `trusted`, a revoked key that came with a valid code.
    """

    ask: Ask
    store: list[Stored] = field(default_factory=list)
    have: tuple[Place, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    heads: list[Head] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)
    trusted: str | None = None


@dataclass(slots=True)
class _Log:
    """One log while its part is judged."""

    node: str
    key: str
    head: Place
    claims: dict[int, str]
    ends: dict[int, str]
    signed: int = 0


def needs(book: CenterBook, ask: Ask) -> list[tuple[str, int, int]]:
    """The stored hashes (epoch, first seq, last seq) that `receive` must be given for this ask."""
    ranges = []
    for part in ask.parts:
        known = book.epochs.get(part.epoch)
        if known is not None and part.after < known.head.seq:
            last = min(known.head.seq, part.after + len(part.entries))
            ranges.append((part.epoch, max(part.after, 1), max(last, 1)))
        if known is not None and part.head is not None and part.head.seq <= known.head.seq:
            ranges.append((part.epoch, part.head.seq, part.head.seq))
        if known is None and (end := _end_named(part)) is not None:
            ranges.append((end.epoch, end.seq, end.seq))
    return ranges


def receive(
    book: CenterBook,
    ask: Ask,
    body: bytes,
    signature: str,
    hashes: Mapping[tuple[str, int], str],
    *,
    code_valid: bool,
) -> Received:
    """Judge an ask (rules S1, S3). Raises WireError or SignatureError when the whole of it is refused; a part
    that cannot be stored is named in `refused` and stores nothing.
    """
    if (ask.tenant, ask.zone) != (book.tenant, book.zone):
        raise WireError(
            f"this center keeps zone {book.tenant}/{book.zone}, the node says {ask.tenant}/{ask.zone}; "
            "correct [node] tenant and zone in its zonegate.toml"
        )
    trusted = check_sender(book, ask, body, signature, code_valid)
    received = Received(ask, trusted=trusted)
    shown: dict[str, Place] = {}
    heads: dict[str, Place] = {}
    for part in ask.parts:
        try:
            new = _extend(book, ask.node, part, hashes, received)
        except SyncError as error:
            received.refused[part.epoch] = str(error)
            if isinstance(error, ForkError):
                received.forks.append(Fork(ask.node, part.epoch, error.stored, error.shown, str(error)))
            if isinstance(error, SecondWriter):
                shown[part.epoch] = error.stored
            elif isinstance(error, Behind):
                shown[part.epoch] = error.signed
                if part.head is not None:  # also of an old machine: two heads of one place must be noticed
                    received.heads.append(part.head)
            continue
        received.store.extend(new)
        if new:
            heads[part.epoch] = new[-1].place
        if part.epoch == ask.epoch and (end := _end_beyond(book, ask.node, part)) is not None:
            shown[part.epoch] = end
    have = tuple(
        shown.get(part.epoch) or heads.get(part.epoch) or _stored_head(book, part.epoch) for part in ask.parts
    )
    return replace(received, have=have)


def check_sender(book: CenterBook, ask: Ask, body: bytes, signature: str, code_valid: bool) -> str | None:
    """Check that a request is of whom it says; gives the revoked key that its code makes believed again.

    `code_valid` tells whether the ask's code enrols this node. Raises SignatureError, or WireError when an
    unknown epoch does not come from its first entry.
    """
    known = book.epochs.get(ask.epoch)
    if known is not None and known.node != ask.node:
        raise SignatureError(f"epoch {ask.epoch} is of node {known.node}, not of {ask.node}")
    key = known.key if known is not None else _key_in(ask)
    keys.check(key, request_message(body), signature)
    if code_valid:
        return key if key in book.revoked else None
    again = (
        f"run `zonegate central enrol {ask.node}` at the center and put the code it prints into the "
        "node's [center] code"
    )
    if key in book.revoked:
        raise SignatureError(f"the key of node {ask.node} was revoked: {book.revoked[key]}; {again}")
    if key not in book.keys.get(ask.node, ()) and not _is_vouched(book, ask, key):
        raise SignatureError(f"node {ask.node} is not enrolled with this key; {again}")
    return None


def _stored_head(book: CenterBook, epoch: str) -> Place:
    known = book.epochs.get(epoch)
    return known.head if known else Place(epoch, 0, GENESIS)


def _is_vouched(book: CenterBook, ask: Ask, key: str) -> bool:
    """Whether a believed key of the node signed, as the last word of its epoch, that this one follows it."""
    for part in ask.parts:
        known = book.epochs.get(part.epoch)
        if known is None or known.node != ask.node or part.head is None or not part.entries:
            continue
        if known.key in book.revoked or known.key not in book.keys[ask.node]:
            continue
        record = bytes(part.entries[-1])
        last = read_record(record)
        if last.type != "rotate" or (last.epoch, last.seq) != (part.epoch, part.head.seq):
            continue
        if read_body(last).key == key and part.head.hash == record_hash(record):
            keys.check_head(known.key, part.head)
            return True
    return False


def _key_in(ask: Ask) -> str:
    for part in ask.parts:
        if part.epoch == ask.epoch and part.after == 0 and part.entries:
            begin = read_body(read_record(bytes(part.entries[0])))
            if isinstance(begin, Begin):
                return begin.key
    raise WireError(
        f"epoch {ask.epoch} is not known here; send it from its first entry. A dock that has pruned its "
        "journal cannot: then an older backup was restored here than it was told to count on. Count what it "
        f"let out (`zonegate central retire {ask.node}`), let it in again, and give it a new store"
    )


def _extend(
    book: CenterBook, node: str, part: Part, hashes: Mapping[tuple[str, int], str], received: Received
) -> list[Stored]:
    known = book.epochs.get(part.epoch)
    if known is not None and known.node != node:
        raise ChainError(f"epoch {part.epoch} is of node {known.node}, not of {node}")
    head = known.head if known else None

    def hash_at(seq: int) -> str | None:
        if head is not None and seq == head.seq:
            return head.hash
        return hashes.get((part.epoch, seq))

    new = extension(
        part.epoch, head, hash_at, part.after, part.prev, [bytes(entry) for entry in part.entries]
    )
    ends = book.ends.get((node, part.epoch), {})
    if known is not None:
        log = _Log(known.node, known.key, known.head, known.claims, ends, known.signed)
    elif new:
        begin = _checked_begin(book, node, new[0])
        log = _Log(node, begin.key, new[0].place, {}, ends)
        if begin.end is not None:
            received.forks.extend(_two_ends(book, node, begin.end, hashes))
    else:
        return new
    if new:
        log.head = new[-1].place
    _check_heads(part, log, hash_at, new)
    if part.head is not None and part.head.seq > log.signed:
        received.heads.append(part.head)
    return new


def _end_named(part: Part) -> Place | None:
    """The proven end of the log before, that a log's first entry names."""
    if part.after or not part.entries:
        return None
    try:
        begin = read_body(read_record(bytes(part.entries[0])))
    except SyncError:
        return None  # it is refused with its reason when it is judged
    return begin.end if isinstance(begin, Begin) else None


def _end_beyond(book: CenterBook, node: str, part: Part) -> Place | None:
    """The end that a later log of a node proved for the one in which it still writes here: that is another
    machine, or an old request. It is stored as far as it goes, and shown that end.
    """
    ends = book.ends.get((node, part.epoch), {})
    last = max(ends, default=0)
    shown = part.head.seq if part.head is not None else part.after + len(part.entries)
    return Place(part.epoch, last, ends[last]) if last > shown else None


def _two_ends(
    book: CenterBook, node: str, end: Place, hashes: Mapping[tuple[str, int], str]
) -> Iterator[Fork]:
    """A log that ended elsewhere than it is stored, or than another log proved, had two writers."""
    known = book.epochs.get(end.epoch)
    at = hashes.get((end.epoch, end.seq)) if known is not None and known.node == node else None
    at = at or book.ends.get((node, end.epoch), {}).get(end.seq)
    if at is not None and at != end.hash:
        sentence = f"a later log of {node} proves another entry {end.seq} of {end.epoch} than the chain"
        yield Fork(node, end.epoch, Place(end.epoch, end.seq, at), end, sentence)


def _checked_begin(book: CenterBook, node: str, first: Stored) -> Begin:
    begin = first.body
    if not isinstance(begin, Begin):
        raise ChainError(f"epoch {first.entry.epoch} does not start with begin, but with {first.entry.type}")
    if (begin.tenant, begin.zone, begin.node) != (book.tenant, book.zone, node):
        raise ChainError(
            f"epoch {first.entry.epoch} was begun by {begin.tenant}/{begin.zone}/{begin.node}, "
            f"it came from {book.tenant}/{book.zone}/{node}"
        )
    return begin


def _check_heads(part: Part, log: _Log, hash_at: Callable[[int], str | None], new: list[Stored]) -> None:
    """The signed head must hold; it and those shown before must be in the chain as far as it is stored."""
    head = part.head
    if head is not None:
        keys.check_head(log.key, head)
        if head.epoch != part.epoch:
            raise ChainError(f"the head is of epoch {head.epoch}, the run of {part.epoch}")
        claimed = log.claims.get(head.seq)
        if claimed is not None and claimed != head.hash:
            raise SecondWriter(
                f"two signed heads name different entries {head.seq} of {part.epoch}",
                Place(part.epoch, head.seq, claimed),
                head.place,
            )
    run = {stored.entry.seq: stored.hash for stored in new}
    if head is not None:
        run.setdefault(head.seq, head.hash)
    for seq, end in log.ends.items():
        if run.get(seq, end) != end:
            raise SecondWriter(
                f"a later log of {log.node} proves that another entry {seq} of {part.epoch} was its end",
                Place(part.epoch, seq, end),
                Place(part.epoch, seq, run[seq]),
            )
    for seq, claimed in log.claims.items():
        if run.get(seq, claimed) != claimed:
            raise SecondWriter(
                f"a signed head names another entry {seq} of {part.epoch} than the chain",
                Place(part.epoch, seq, claimed),
                Place(part.epoch, seq, run[seq]),
            )
    if head is not None and 0 < head.seq <= log.head.seq:
        at = run.get(head.seq) or hash_at(head.seq)
        if at is not None and at != head.hash:
            raise ForkError(
                f"a signed head names another entry {head.seq} of {part.epoch} than the chain",
                Place(part.epoch, head.seq, at),
                head.place,
            )
    newest = max(log.claims, default=0)
    if head is not None and newest > head.seq:
        raise Behind(
            f"head {head.seq} of epoch {part.epoch} was signed after head {newest}: an old machine or an "
            "old request",
            Place(part.epoch, newest, log.claims[newest]),
        )
