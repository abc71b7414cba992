# SPDX-License-Identifier: Apache-2.0
"""The tables against the standard's own numbers, and against themselves."""

from __future__ import annotations

from random import Random

import pytest

from drivers.llrp.impinj import IMPINJ_MESSAGES, IMPINJ_PARAMETERS
from drivers.llrp.layout import Layout, read_rows
from drivers.llrp.messages import Message, Parameter, decode, encode, layout_of, message_names
from drivers.llrp.tables import MESSAGES, PARAMETERS
from tests.drivers.llrp import samples

# LLRP 1.1, tables 5 and 6; its TV parameters are 1 to 20.
MESSAGE_TYPES = {1, 2, 3, 4, *range(11, 15), *range(20, 27), *range(30, 37), *range(40, 48), *range(50, 58),
                 60, 61, 62, 63, 64, 72, 100, 1023}  # fmt: skip
PARAMETER_TYPES = {*range(1, 21), 128, 129, 137, *range(139, 150), *range(177, 189), *range(207, 212),
                   *range(217, 227), *range(237, 258), 287, 288, 289, *range(327, 340), *range(341, 364), 365,
                   1023}  # fmt: skip
ALL = [
    *read_rows(MESSAGES),
    *read_rows(PARAMETERS),
    *read_rows(IMPINJ_MESSAGES),
    *read_rows(IMPINJ_PARAMETERS),
]


def test_every_type_of_the_standard_is_there() -> None:
    assert {layout.number for layout in read_rows(MESSAGES)} == MESSAGE_TYPES
    assert {layout.number for layout in read_rows(PARAMETERS)} == PARAMETER_TYPES


def test_names_are_told_apart() -> None:
    names = [layout.name for layout in ALL]
    assert len(names) == len(set(names))
    for layout in ALL:
        keys = [child.key for child in layout.children.values()]
        assert len(keys) == len(set(keys)), layout.name
        assert not layout.known & set(keys), layout.name
        assert all(layout_of(child) for child in layout.children), layout.name


def test_what_has_no_length_on_the_wire_has_one_size() -> None:
    assert [layout.name for layout in ALL if layout.number < 21 and layout.name in samples.STANDARD] == [
        layout.name for layout in read_rows(PARAMETERS) if layout.number < 21 and layout.size is not None
    ]


@pytest.mark.parametrize("name", samples.STANDARD)
def test_every_parameter_is_read_as_it_was_written(name: str) -> None:
    chance = Random(name)
    for _ in range(5):
        message = Message("GET_READER_CAPABILITIES", 1, {"ReaderCapabilitiesRequestedData": 0})
        message.parameters = [samples.parameter(chance, name)]
        assert decode(encode(message)) == message


@pytest.mark.parametrize("layout", list(read_rows(IMPINJ_PARAMETERS)), ids=lambda layout: layout.name)
def test_every_parameter_of_impinj_is_read_as_it_was_written(layout: Layout) -> None:
    nested = Parameter("Custom", {"VendorID": 25882, "Subtype": 9999, "Data": b"later"})
    message = Message("SET_READER_CONFIG", 1, {"ResetToFactoryDefaults": False})
    message.parameters = [Parameter(layout.name, {}, [nested])]
    again = decode(encode(message))
    assert [each.name for each in again.parameters] == [layout.name]
    assert again.parameters[0].parameters == [nested]
    assert encode(again) == encode(message)


def test_messages_made_by_chance_are_read_as_they_were_written() -> None:
    chance = Random(5)
    names = [name for name in message_names() if name != "CUSTOM_MESSAGE" and not name.startswith("IMPINJ")]
    for name in names * 8:
        message = samples.message(chance, name)
        assert decode(encode(message)) == message
    print(f"{len(names) * 8} messages")


def test_reserved_bits_survive_and_a_vendor_value_that_grew_stays_raw() -> None:
    head = "04030000000b00000001"
    frame = bytes.fromhex(head + "a5")
    message = decode(frame)
    assert message.fields == {"ResetToFactoryDefaults": True, "Reserved": 0x25}
    assert encode(message) == frame
    grown = Parameter("Custom", {"VendorID": 25882, "Subtype": 56, "Data": b"\x00\x07\x01"})
    again = decode(encode(Message("SET_READER_CONFIG", 1, {}, [grown])))
    assert again.parameters == [grown]
