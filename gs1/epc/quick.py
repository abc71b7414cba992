# SPDX-License-Identifier: Apache-2.0
"""The schemes of 96 bits whose fields are numbers only, read in one go.

Most tags at a gate are SGTIN-96 and SSCC-96, and each is read many times while it passes. The tables are
those of the scheme; whatever is not plainly right is left to the reading column by column, which says what is
wrong. A test holds both readings to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable

from gs1.elements import Elements

from .columns import PREFIXES, Integer, Partition, Zeros
from .legacy import Scheme, decode_legacy
from .tag import Tag
from .uris import KEYS, Key

__all__ = ["quick_decoder"]

EPC_BYTES = 12


def quick_decoder(scheme: Scheme) -> Callable[[bytes], Tag] | None:
    """The reading of `scheme` in one go; None when its columns are not a company prefix with a numbered
    reference and then a serial number or zeros, which fill 96 bits.
    """
    match scheme.columns:
        case (Partition(kind="padded") as partition, Integer(width=tail_bits)):
            decoder = _numbered
        case (Partition(kind="padded") as partition, Zeros(width=tail_bits)):
            decoder = _unnumbered
        case _:
            return None
    if partition.width + tail_bits + 14 != 8 * EPC_BYTES:
        return None
    return decoder(scheme, [_row(scheme, partition, tail_bits, low) for low in range(64)], tail_bits)


# Filter; place and mask of the company prefix, one above its largest; mask of the reference, one above its
# largest, which also puts the prefix before it; end of the prefix's digits behind a 1; digits of the
# reference that turn.
_Row = tuple[int, int, int, int, int, int, int, int]


def _row(scheme: Scheme, partition: Partition, tail_bits: int, filter_and_partition: int) -> _Row:
    filter_value, value = divmod(filter_and_partition, 8)
    if value == len(PREFIXES):
        return (filter_value, 0, 0, 0, 0, 0, 0, 0)  # no prefix is below 0: left to the other reading
    prefix_bits, digits = PREFIXES[value]
    reference_bits, length = partition.width - prefix_bits, partition.references[value]
    return (
        filter_value,
        tail_bits + reference_bits,
        (1 << prefix_bits) - 1,
        10**digits,
        (1 << reference_bits) - 1,
        10**length,
        1 + digits,
        int(KEYS[scheme.identity].turned),
    )


# gs1.check sums the digits that weigh 3 and those that weigh 1. Here one division of the key's codes,
# taken as one number, does: they come in pairs of a digit of each sort, each pair 65536 times the next,
# and 65536 is 1 modulo 257 and modulo 5. Within a pair 256 parts them, which is -1 modulo 257 and 1
# modulo 5. So the rest modulo 1285 tells the difference of the two sums, which is below 129 either way,
# and their sum modulo 5; that is enough for three times the one and once the other modulo 10.
_CHECKING = 257 * 5


def _check_digits(key: Key) -> str:
    """The check digit by the rest that the codes of the key's other digits leave."""
    zeros = int.from_bytes(b"0" * (len(key.lead) + key.digits - 1), "big")
    return "".join(_check_digit_of((rest - zeros) % _CHECKING) for rest in range(_CHECKING))


def _check_digit_of(rest: int) -> str:
    difference = (rest + 128) % 257 - 128
    modulo_5, modulo_2 = (2 * rest + difference) % 5, difference % 2
    return str(-(6 * modulo_5 + 5 * modulo_2) % 10)


def _unnumbered(scheme: Scheme, rows: list[_Row], tail_bits: int) -> Callable[[bytes], Tag]:
    key = KEYS[scheme.identity]
    name, ai, start = scheme.name, key.ai, f"urn:epc:id:{scheme.identity}:"
    tail_mask = (1 << tail_bits) - 1
    check_digits, checking = _check_digits(key), _CHECKING
    from_bytes, new = int.from_bytes, tuple.__new__

    def decode(epc: bytes) -> Tag:
        if len(epc) != EPC_BYTES:
            return decode_legacy(scheme, epc)
        filter_, place, mask, end, reference_mask, reference_end, split, turned = rows[epc[1] >> 2]
        value = from_bytes(epc, "big")
        prefix = value >> place & mask
        reference = value >> tail_bits & reference_mask
        if prefix >= end or reference >= reference_end or value & tail_mask:
            return decode_legacy(scheme, epc)
        text = str((end + prefix) * reference_end + reference)  # the 1 before it keeps leading zeros
        owner, others = text[1:split], text[split:]
        whole = others[:turned] + owner + others[turned:]
        whole += check_digits[from_bytes(whole.encode(), "big") % checking]
        return new(Tag, (name, filter_, ((ai, whole),), split - 1, None, f"{start}{owner}.{others}"))

    return decode


def _numbered(scheme: Scheme, rows: list[_Row], tail_bits: int) -> Callable[[bytes], Tag]:
    key = KEYS[scheme.identity]
    name, ai, start, lead = scheme.name, key.ai, f"urn:epc:id:{scheme.identity}:", key.lead
    serial_ai = key.serial if key.serial != ai else None
    unserial = key.unserial
    tail_mask = (1 << tail_bits) - 1
    check_digits, checking = _check_digits(key), _CHECKING
    from_bytes, new = int.from_bytes, tuple.__new__

    def decode(epc: bytes) -> Tag:
        if len(epc) != EPC_BYTES:
            return decode_legacy(scheme, epc)
        filter_, place, mask, end, reference_mask, reference_end, split, turned = rows[epc[1] >> 2]
        value = from_bytes(epc, "big")
        prefix = value >> place & mask
        reference = value >> tail_bits & reference_mask
        if prefix >= end or reference >= reference_end:
            return decode_legacy(scheme, epc)
        serial = str(value & tail_mask)
        text = str((end + prefix) * reference_end + reference)
        owner, others = text[1:split], text[split:]
        whole = lead + others[:turned] + owner + others[turned:]
        whole += check_digits[from_bytes(whole.encode(), "big") % checking]
        elements: Elements
        if serial_ai is None:
            elements = ((ai, whole + serial),)
        elif serial == unserial:
            elements = ((ai, whole),)
        else:
            elements = ((ai, whole), (serial_ai, serial))
        uri = f"{start}{owner}.{others}.{serial}"
        return new(Tag, (name, filter_, elements, split - 1, None, uri))

    return decode
