# SPDX-License-Identifier: Apache-2.0
"""Frames and messages: what is written is read, what is read is written as it came, all else is refused."""

from __future__ import annotations

import struct

import pytest

from drivers.llrp.messages import LlrpError, Message, Parameter, decode, decode_body, encode, message_names


def framed(kind: int, body: bytes, version: int = 1) -> bytes:
    return struct.pack(">HII", version << 10 | kind, 10 + len(body), 7) + body


def refusal(frame: bytes) -> LlrpError:
    with pytest.raises(LlrpError) as caught:
        decode(frame)
    return caught.value


def test_a_message_without_content_is_a_header() -> None:
    assert encode(Message("KEEPALIVE_ACK", 3)).hex() == "04480000000a00000003"
    assert decode(bytes.fromhex("08480000000a00000003")) == Message("KEEPALIVE_ACK", 3, version=2)


@pytest.mark.parametrize("name", sorted(set(message_names()) - {"CUSTOM_MESSAGE"}))
def test_every_message_with_nothing_in_it_is_written_and_read(name: str) -> None:
    frame = encode(Message(name, 1))
    assert encode(decode(frame)) == frame
    assert decode_body(name, frame[10:]).name == name


def test_a_field_left_out_is_zero_and_one_that_is_not_there_is_refused() -> None:
    assert encode(Message("DELETE_ROSPEC", 1))[10:] == bytes(4)
    with pytest.raises(LlrpError, match="DELETE_ROSPEC: no field ROSpec, there are: ROSpecID"):
        encode(Message("DELETE_ROSPEC", 1, {"ROSpec": 1}))


def test_a_refusal_names_the_message_the_parameters_the_field_and_what_fits() -> None:
    inner = Parameter("ROSpec", {"ROSpecID": 1, "Priority": 300})
    with pytest.raises(LlrpError, match=r"^ADD_ROSPEC > ROSpec: Priority is 300, expected .* 0 to 255$"):
        encode(Message("ADD_ROSPEC", 1, {}, [inner]))


def test_what_no_table_names_is_kept_and_written_as_it_came() -> None:
    unknown = bytes.fromhex("0199 0006 abcd".replace(" ", ""))
    custom = bytes.fromhex("03ff 000e 000000a1 00000079 0102".replace(" ", ""))
    frame = framed(61, unknown + custom)
    message = decode(frame)
    assert message.parameters == [
        Parameter("Unknown", {"Type": 0x199, "Data": b"\xab\xcd"}),
        Parameter("Custom", {"VendorID": 161, "Subtype": 121, "Data": b"\x01\x02"}),
    ]
    assert encode(message) == frame
    other = framed(999, b"anything")
    assert decode(other).fields == {"Type": 999, "Data": b"anything"}
    assert encode(decode(other)) == other


def test_a_length_that_lies_is_refused_with_its_place() -> None:
    error = refusal(framed(61, bytes.fromhex("00f00020") + b"\x8d" + bytes(12)))
    assert str(error).startswith("RO_ACCESS_REPORT > TagReportData at byte 12: says that it is 32 bytes long")
    assert error.offset == 12
    assert "EPCData" in str(
        refusal(framed(61, bytes.fromhex("00f0000c 00f10008 ffff 0000".replace(" ", ""))))
    )
