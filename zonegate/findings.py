# SPDX-License-Identifier: Apache-2.0
"""What `zonegate verify` can find: each kind with the promise that it breaks and what to do next.

docs/operate/verify.md lists the same kinds; a test compares. Knows no store and no chain.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sync.entry import Entry

PROMISES: Final = {
    1: "what happened is recorded, and what must not happen is refused",
    2: "what lets goods pass is shown only after it was recorded",
    3: "nothing is lost and nothing counts twice",
    4: "no door over-withdraws a permit",
    5: "every figure can be walked back",
}

_LOOK = "keep this copy, and compare it with the center (--center) to see what stood there"
_COUNT = "keep this copy; take what is missing from the center or a backup, else count the goods it concerns"

KINDS: Final[dict[str, tuple[int, str]]] = {
    "changed": (5, _LOOK),
    "record": (5, _LOOK),
    "hash": (5, _LOOK),
    "column": (5, _LOOK),
    "body": (5, _LOOK),
    "order": (5, _LOOK),
    "head": (5, _LOOK),
    "begin": (5, _LOOK),
    "tables": (5, _LOOK),
    "signature": (5, "keep this copy; whoever wrote it has not the node's key"),
    "key": (5, "keep this copy; ask the center which key the node has, and take the node out of service"),
    "forged": (5, "let the node reach the center and verify again; if it stays, trust nothing of this epoch"),
    "pruned": (5, "name a later head, or compare with the center, which keeps what was pruned here"),
    "missing": (3, _COUNT),
    "tail": (3, _COUNT),
    "parent": (3, _COUNT),
    "epochs": (3, _COUNT),
    "duplicate": (3, "keep this copy; see at the center which of the two was booked"),
    "cursor": (3, "nothing is lost; see at the broker whether entries were told twice or left out"),
    "file": (3, "stop the node, copy the file, bring back a backup of the store, keep the anchor as it is"),
    "evidence": (
        1,
        "see who could write to the store's folder",
    ),
    "snapshot": (4, "stop the node and delete the row of table snapshot: the next start folds the log anew"),
    "fork": (4, "two machines write with one key: stop both, count the goods, enroll one of them anew"),
}
"""By problem: the promise that is broken, and the next step."""


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, and where it is seen first. `problem` is a key of KINDS, `sentence` is for a person.

    `last` is set when one of the entries `seq` to `last` was changed and it cannot be told which.
    """

    problem: str
    sentence: str
    epoch: str | None = None
    seq: int | None = None
    entry_id: str | None = None
    last: int | None = None
    node: str | None = None

    @property
    def promise(self) -> int:
        """The number of the promise that is broken."""
        return KINDS[self.problem][0]

    @property
    def where(self) -> str:
        """The entry, the entries or the log, in words."""
        if self.epoch is None or not self.seq:
            place = "the log" if self.epoch is None else f"epoch {self.epoch}"
        elif self.last is not None and self.last > self.seq:
            place = f"entries {self.seq} to {self.last} of epoch {self.epoch}"
        else:
            place = f"entry {self.seq} of epoch {self.epoch}"
        if self.entry_id:
            place += f" ({self.entry_id})"
        return place if self.node is None else f"{place} of {self.node}"

    def told(self) -> str:
        """All of it for an auditor: where, what, which promise, what to do."""
        promise, step = KINDS[self.problem]
        broken = f"promise {promise}, {PROMISES[promise]}"
        return f"{self.where}: {self.sentence}. This breaks {broken}. Next: {step}."

    def as_json(self) -> dict[str, object]:
        """The fields, with the promise in number and words, and the next step."""
        promise, step = KINDS[self.problem]
        fields: dict[str, object] = msgspec.to_builtins(self)
        return {**fields, "promise": promise, "promise_words": PROMISES[promise], "next": step}


class Bad(Exception):
    """Carries the first finding out of a walk."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence)
        self.finding = finding


def at(entry: Entry, problem: str, sentence: str) -> Bad:
    """A finding at an entry."""
    return Bad(Finding(problem, sentence, entry.epoch, entry.seq, entry.entry_id))


def count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"
