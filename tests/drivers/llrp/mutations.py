# SPDX-License-Identifier: Apache-2.0
"""Frames as hostile or broken readers send them, made of good ones; and what must hold for any of them."""

from __future__ import annotations

import json
from random import Random

from drivers.llrp.document import as_document
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import LlrpError, Message, decode, encode, message_names
from drivers.llrp.reports import ReportDecoder
from tests.drivers.llrp import samples

EXTREMES = (0, 1, 3, 4, 0x7F, 0x80, 0xFF)


def good(chance: Random, count: int) -> list[bytes]:
    """Frames of every message, reports and events more often."""
    names = [name for name in message_names() if name != "CUSTOM_MESSAGE" and not name.startswith("IMPINJ")]
    weights = [8 if name in ("RO_ACCESS_REPORT", "READER_EVENT_NOTIFICATION") else 1 for name in names]
    return [encode(samples.message(chance, name)) for name in chance.choices(names, weights, k=count)]


def mutated(chance: Random, frame: bytes, others: list[bytes]) -> bytes:
    """The frame with a few of its bytes, lengths or parts changed. Its header's length is right again more
    often than not, so that the inside is reached.
    """
    data = bytearray(frame)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(data):
                data[place] = chance.choice(EXTREMES)
            case 2:
                del data[place : place + chance.randrange(20)]
            case 3:
                data[place:place] = chance.randbytes(chance.randrange(8))
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                data[place:place] = other[start : start + chance.randrange(60)]
            case _ if place + 1 < len(data):
                data[place : place + 2] = chance.choice((b"\xff\xff", b"\x00\x00", b"\x00\x04", b"\x03\xff"))
    if chance.random() < 0.9 and len(data) >= 10:
        data[2:6] = len(data).to_bytes(4, "big")
    return bytes(data)


def check(data: bytes) -> Message | None:
    """What must hold for any bytes as one frame: read and written again as it came, or refused by our own
    error; and its tags are found by both ways of reading or by none. The message, None if refused.
    """
    message = refusal = None
    try:
        message = decode(data)
    except LlrpError as error:
        refusal = str(error)
    if message is None:
        assert refusal
    else:
        assert encode(message) == data
        json.dumps(as_document(message))
    reads = None
    try:
        reads = [read for some in ReportDecoder("gate").slices(data, 5) for read in some]
    except LlrpError as error:
        refusal = str(error)
    if reads is None:
        assert refusal
    elif message is not None and message.name == "RO_ACCESS_REPORT":
        tags = [tag.first("EPC96") or tag.first("EPCData") for tag in message.every("TagReportData")]
        assert len(tags) == len(reads)
    return message


def check_stream(data: bytes) -> int:
    """What must hold for any bytes as a stream: it is cut into frames that are judged one by one, up to the
    first header that is none. How many frames there were.
    """
    frames = LlrpFramer().feed(data)
    for frame in frames:
        if isinstance(frame, BadHeader):
            assert frame is frames[-1]
        else:
            check(frame)
    return len(frames)
