# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an LLRP frame, told so that a person finds the byte. May not know links or readers."""

from __future__ import annotations

from drivers.errors import Permanent

__all__ = ["LlrpError"]


class LlrpError(Permanent):
    """A frame that cannot be read or written.

    `chain` names the message and the parameters down to the place, `offset` is the byte in the frame where
    reading stopped (None when writing), `problem` says what came and what fits.
    """

    def __init__(self, problem: str, offset: int | None = None, chain: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset
        self.chain = chain

    def __str__(self) -> str:
        place = " > ".join(self.chain)
        if self.offset is not None:
            place += f"{' at' if place else 'at'} byte {self.offset}"
        return f"{place}: {self.problem}" if place else self.problem

    def within(self, name: str) -> LlrpError:
        """The same, said of what is inside `name`."""
        self.chain = (name, *self.chain)
        return self
