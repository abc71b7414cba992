# SPDX-License-Identifier: Apache-2.0
"""Messages as JSON: the names and shapes of the public recordings of real readers, without their nulls.

A parameter that is a single number is that number; where several may be, a list; bytes are Base64. Vendors'
own that are not known are under "Custom", what no table names under "Unknown", and what came where the
standard has no place for it under "Unexpected". May not know what anything means.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

from drivers.llrp.layout import Fields, Value
from drivers.llrp.messages import Message, Parameter, is_custom, layout_of

__all__ = ["as_document"]

_RAW: Final = frozenset(("Custom", "Unknown", "UnknownTV"))


def as_document(message: Message) -> dict[str, Any]:
    """What a message says, without its header."""
    return _document(message.name, message.fields, message.parameters)


def _document(name: str, fields: Fields, parameters: Sequence[Parameter]) -> dict[str, Any]:
    layout = layout_of(name)
    children = layout.children if layout else {}
    document: dict[str, Any] = {key: _value(value) for key, value in fields.items()}
    for parameter in parameters:
        said = _said(parameter)
        child = children.get(parameter.name)
        if child and not child.many:
            _one_more(document, child.key, said)
        elif child:
            document.setdefault(child.key, []).append(said)
        elif parameter.name in _RAW:
            document.setdefault(parameter.name, []).append(said)
        elif is_custom(parameter.name):
            _one_more(document, parameter.name, said)
        else:
            document.setdefault("Unexpected", []).append({parameter.name: said})
    return document


def _one_more(document: dict[str, Any], key: str, said: Any) -> None:
    """Where one is expected a second makes a list of them."""
    if key not in document:
        document[key] = said
    elif isinstance(document[key], list):
        document[key].append(said)
    else:
        document[key] = [document[key], said]


def _said(parameter: Parameter) -> Any:
    layout = layout_of(parameter.name)
    if layout and layout.only and not parameter.parameters and parameter.fields.keys() == {layout.only}:
        return parameter.fields[layout.only]
    return _document(parameter.name, parameter.fields, parameter.parameters)


def _value(value: Value) -> Any:
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else value
