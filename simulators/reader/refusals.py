# SPDX-License-Identifier: Apache-2.0
"""How a reader says no: LLRPStatus with the chain of parameters down to the field that is wrong.

Source: LLRP 1.1, section 15. Fields are numbered from 0 in the order in which they stand in their parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from drivers.llrp.messages import Message, Parameter, layout_of
from drivers.llrp.tables import CUSTOM_TYPE

__all__ = ["Code", "Place", "Refused", "number_in", "success", "type_of"]


class Code(IntEnum):
    """Status codes: 1xx of messages, 2xx of parameters, 3xx of fields, 4xx of the device."""

    SUCCESS = 0
    M_PARAMETER_ERROR = 100
    M_FIELD_ERROR = 101
    M_UNSUPPORTED_MESSAGE = 109
    M_UNSUPPORTED_VERSION = 110
    M_UNEXPECTED_MESSAGE = 112
    P_PARAMETER_ERROR = 200
    P_FIELD_ERROR = 201
    P_UNEXPECTED_PARAMETER = 202
    P_MISSING_PARAMETER = 203
    P_OVERFLOW_PARAMETER = 205
    P_UNKNOWN_PARAMETER = 207
    P_UNSUPPORTED_PARAMETER = 209
    A_INVALID = 300
    A_OUT_OF_RANGE = 301
    R_DEVICE_ERROR = 401


class Refused(Exception):
    """The reader does not do it; the message is its ErrorDescription, `status` what it answers."""

    def __init__(self, sentence: str, code: Code, part: Parameter | None = None) -> None:
        super().__init__(sentence)
        parts = [] if part is None else [part]
        self.status = Parameter("LLRPStatus", {"Status": int(code), "ErrorDescription": sentence}, parts)

    @classmethod
    def of_field(cls, number: int, sentence: str, code: Code = Code.A_INVALID) -> Self:
        """A field of the message itself is wrong."""
        return cls(sentence, Code.M_FIELD_ERROR, _field_error(number, code))


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter within a message, and the types of those around it, the outermost first."""

    parameter: Parameter
    around: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> int:
        """The number in field `name`."""
        value = self.parameter.fields[name]
        assert isinstance(value, int), f"{self.parameter.name}.{name} is a number"
        return value

    def every(self, *names: str) -> Iterator[Place]:
        """The parameters of these names that stand directly in this one; all of them for no names."""
        around = (*self.around, type_of(self.parameter.name))
        for child in self.parameter.parameters:
            if not names or child.name in names:
                yield Place(child, around)

    def first(self, name: str) -> Place | None:
        """The first of that name, None where there is none."""
        return next(self.every(name), None)

    def need(self, name: str) -> Place:
        """The first of that name; Refused where it is missing."""
        found = self.first(name)
        if found is None:
            missing = Place(Parameter(name, {}), (*self.around, type_of(self.parameter.name)))
            raise missing.refuse(Code.P_MISSING_PARAMETER, f"{self.parameter.name} came without {name}")
        return found

    def refuse(self, code: Code, sentence: str) -> Refused:
        """The refusal of this parameter as a whole."""
        chain = _parameter_error(type_of(self.parameter.name), code)
        return Refused(sentence, Code.M_PARAMETER_ERROR, _wrapped(self.around, chain))

    def refuse_field(self, name: str, expected: str, code: Code = Code.A_OUT_OF_RANGE) -> Refused:
        """The refusal of one of its fields: what came and what was expected."""
        fields = self.parameter.fields
        sentence = f"{self.parameter.name}.{name} is {fields[name]!r}, expected {expected}"
        error = _parameter_error(type_of(self.parameter.name), Code.P_FIELD_ERROR)
        error.parameters.append(_field_error(list(fields).index(name), code))
        return Refused(sentence, Code.M_PARAMETER_ERROR, _wrapped(self.around, error))


def type_of(name: str) -> int:
    """The type number of a parameter; that of a vendor's is the one of all vendors'."""
    layout = layout_of(name)
    return CUSTOM_TYPE if layout is None or name.startswith("Impinj") else layout.number


def number_in(message: Message, name: str) -> int:
    """The number in a message's field, 0 where it is left out."""
    value = message.fields.get(name, 0)
    assert isinstance(value, int), f"{name} is a number"
    return value


def success() -> Parameter:
    """The status of what went well."""
    return Parameter("LLRPStatus", {"Status": int(Code.SUCCESS), "ErrorDescription": ""})


def _wrapped(around: tuple[int, ...], inner: Parameter) -> Parameter:
    for kind in reversed(around):
        error = _parameter_error(kind, Code.P_PARAMETER_ERROR)
        error.parameters.append(inner)
        inner = error
    return inner


def _parameter_error(kind: int, code: Code) -> Parameter:
    return Parameter("ParameterError", {"ParameterType": kind, "ErrorCode": int(code)})


def _field_error(number: int, code: Code) -> Parameter:
    return Parameter("FieldError", {"FieldIndex": number, "ErrorCode": int(code)})
