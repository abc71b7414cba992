# SPDX-License-Identifier: Apache-2.0
"""Why a reader refused, in one sentence for a person: what was asked, what the reader names, and where.

Pure. The codes are those of LLRP 1.0.1 section 14.
"""

from __future__ import annotations

from drivers.llrp.capabilities import text, whole
from drivers.llrp.layout import read_rows
from drivers.llrp.messages import Message, Parameter, layout_of
from drivers.llrp.tables import PARAMETERS

__all__ = ["Refusal", "refusal_in", "success"]

DEPTH_MAX = 8
"""A status names the chain of nested parameters; a ROSpec's deepest has six links."""


class Refusal(Exception):
    """A reader's answer that is no success. The text is the sentence; `code` is LLRPStatus' StatusCode."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def success(message: Message) -> bool:
    """Whether the answer's status is M_Success, or it has none."""
    status = message.first("LLRPStatus")
    return message.name != "ERROR_MESSAGE" and (status is None or whole(status, "Status") == 0)


def refusal_in(asked: str, message: Message) -> Refusal:
    """What `message`, an answer without success, says of the request `asked`."""
    status = message.first("LLRPStatus")
    if status is None:
        return Refusal(f"the reader refused {asked} and did not say why", -1)
    code = whole(status, "Status")
    said = text(status, "ErrorDescription")
    sentence = f"the reader refused {asked}: {_code(code)}" + (f', "{said}"' if said else "")
    where = _where(status)
    return Refusal(sentence + (f"; {where}" if where else ""), code)


def _where(status: Parameter) -> str:
    """The chain of LLRPStatus, ParameterError and FieldError, from the outside in."""
    chain: list[str] = []
    fault = ""
    at: Parameter | None = status
    for _ in range(DEPTH_MAX):
        assert at is not None
        field = at.first("FieldError")
        if field is not None:
            return f"{_field(field, chain)}: {_code(whole(field, 'ErrorCode'))}"
        at = at.first("ParameterError")
        if at is None:
            break
        kind = whole(at, "ParameterType")
        chain.append(_NAMES.get(kind, f"parameter {kind}"))
        fault = _code(whole(at, "ErrorCode"))
    return f"{' > '.join(chain)}: {fault}" if chain else ""


def _field(field: Parameter, chain: list[str]) -> str:
    # The standard does not say whether it counts from 0 or 1, so the fields are listed for the reader's eye.
    number = whole(field, "FieldIndex")
    layout = layout_of(chain[-1]) if chain else None
    names = ", ".join(name for step in layout.steps for name in step.names) if layout else ""
    owner = f" of {' > '.join(chain)}" if chain else ""
    return f"field {number}{owner}" + (f" (its fields: {names})" if names else "")


def _code(code: int) -> str:
    return f"{_CODES[code]} ({code})" if code in _CODES else f"status {code}"


_WORDS = {
    0: "an error in a parameter",
    1: "an error in a field",
    2: "a parameter that was not expected",
    3: "a parameter that is missing",
    4: "a parameter given twice",
    5: "more parameters than it takes",
    6: "a value too large for its field",
    7: "a parameter that it does not know",
    8: "a field that it does not know",
    9: "a message that it does not support",
    10: "a version that it does not support",
    11: "a parameter that it does not support",
    12: "a message that it did not expect now",
}
_CODES = {0: "success"} | {100 + number: words for number, words in _WORDS.items()}
_CODES |= {200 + number: words for number, words in _WORDS.items() if number <= 9}
_CODES |= {209: "a parameter that it does not support", 300: "an invalid value", 301: "a value out of range"}
_CODES[401] = "a fault of the device itself"
_NAMES = {layout.number: layout.name for layout in read_rows(PARAMETERS)}
