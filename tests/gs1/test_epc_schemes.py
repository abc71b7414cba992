# SPDX-License-Identifier: Apache-2.0
"""Every scheme, with whatever its tags may hold: written and read back, garbled, and read in both ways."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gs1 import CodeError
from gs1.epc import SCHEMES, Tag, decode_tag, encode_tag, encode_tag_uri, epc_uri, legacy
from gs1.epc.bits import BitReader, BitWriter
from gs1.epc.formats import FORMATS
from gs1.epc.quick import quick_decoder
from tests.gs1 import epc_samples
from tests.gs1.samples import right_elements, right_value

CHANCE = st.integers(0, 2**64 - 1).map(Random)
NUMBERED = ("gdti-96", "gsrn-96", "gsrnp-96", "sgtin-96", "sscc-96", "sgln-96", "grai-96")
TOGGLE = 8


def written_again(tag: Tag) -> bytes:
    if not tag.elements:
        assert tag.tag_uri is not None
        return encode_tag_uri(tag.tag_uri)
    assert tag.filter is not None
    return encode_tag(
        tag.scheme,
        tag.elements,
        filter=tag.filter,
        company_prefix_digits=tag.company_prefix_digits,
        host=tag.host,
    )


def outcome(epc: bytes) -> Tag | set[str]:
    try:
        return decode_tag(epc)
    except CodeError as refused:
        return {fault.code for fault in refused.faults}


def flipped(epc: bytes, bit: int) -> bytes:
    return (int.from_bytes(epc, "big") ^ 1 << (8 * len(epc) - 1 - bit)).to_bytes(len(epc), "big")


@pytest.mark.parametrize("scheme", SCHEMES)
@given(chance=CHANCE)
def test_what_is_written_is_read_and_what_is_read_is_written(scheme: str, chance: Random) -> None:
    content = epc_samples.content(scheme, chance)
    epc = epc_samples.written(content)
    if epc is None:
        return
    tag = decode_tag(epc)
    assert tag.scheme == scheme
    assert tag.host == content.host
    assert dict(tag.elements) == dict(content.elements)
    if content.uri is None:
        assert (tag.filter, tag.company_prefix_digits) == (content.filter, content.company_prefix_digits)
    assert content.uri in (None, tag.tag_uri)
    assert written_again(tag) == epc
    if tag.tag_uri is not None:
        assert encode_tag_uri(tag.tag_uri) == epc


@given(chance=CHANCE)
def test_a_flipped_bit_makes_another_tag_or_an_error(chance: Random) -> None:
    epc = epc_samples.tag(chance)
    tag = decode_tag(epc)
    alike = [bit for bit in range(8 * len(epc)) if outcome(flipped(epc, bit)) == tag]
    if not tag.scheme.endswith("+"):
        assert alike == [], epc.hex()
        return
    # The bit that announces data tells nothing; and a single digit has the same bits in three alphabets.
    assert alike[:1] == [TOGGLE]
    assert len(alike) <= 1 + 2 * len(tag.elements), epc.hex()


@given(epc=st.binary(max_size=80), pc=st.none() | st.integers(-1, 0x1_0000))
@example(epc=b"", pc=None)
def test_any_memory_gives_a_tag_or_our_error(epc: bytes, pc: int | None) -> None:
    try:
        tag = decode_tag(epc, pc)
    except CodeError:
        return
    assert tag.scheme in SCHEMES


@given(header=st.sampled_from([*legacy.SCHEMES.values()]), rest=st.binary(min_size=8, max_size=61))
def test_any_memory_behind_a_header_gives_a_tag_or_our_error(header: legacy.Scheme, rest: bytes) -> None:
    changed = outcome(bytes((header.header,)) + rest)
    assert isinstance(changed, set) or changed.scheme == header.name


@given(chance=CHANCE, scheme=st.sampled_from(SCHEMES), digits=st.none() | st.integers(-1, 14))
def test_any_right_elements_are_written_or_refused_by_our_error(
    chance: Random, scheme: str, digits: int | None
) -> None:
    host = chance.choice((None, "a.de", "\0"))
    for elements in (right_elements(chance), epc_samples.content(chance.choice(SCHEMES), chance).elements):
        try:
            epc = encode_tag(scheme, elements, filter=0, company_prefix_digits=digits, host=host)
        except CodeError:
            epc = b""
        assert not epc or dict(decode_tag(epc).elements) == dict(elements)
        try:
            assert epc_uri(elements, digits).startswith(("urn:epc:id:", "urn:epc:class:lgtin:"))
        except CodeError:
            continue


@given(chance=CHANCE, text=st.text(max_size=8), digits=st.sampled_from((0, 0, 300, 9_000)))
def test_any_tag_uri_is_written_or_refused_by_our_error(chance: Random, text: str, digits: int) -> None:
    uri = decode_tag(epc_samples.tag(chance)).tag_uri or "urn:epc:tag:gid-96:1.2.3"
    place, end = chance.randrange(len(uri)), chance.randrange(len(uri))
    try:
        epc = encode_tag_uri(uri[:place] + text + "9" * digits + uri[max(place, end) :])
    except CodeError:
        return
    assert decode_tag(epc).scheme in SCHEMES


@pytest.mark.parametrize("name", NUMBERED)
@given(rest=st.binary(min_size=11, max_size=11), calm=st.booleans())
def test_both_readings_of_numbers_answer_alike(name: str, rest: bytes, calm: bool) -> None:
    scheme = legacy.SCHEMES[name]
    if calm:  # with zeros in the bits that are reserved in some
        rest = rest[:8] + b"\0\0\0"
    epc = bytes((scheme.header,)) + rest
    decode = quick_decoder(scheme)
    assert decode is not None
    try:
        slow: Tag | tuple[object, ...] = legacy.decode_legacy(scheme, epc)
    except CodeError as refused:
        slow = refused.faults
    try:
        quick: Tag | tuple[object, ...] = decode(epc)
    except CodeError as refused:
        quick = refused.faults
    assert quick == slow


def test_only_the_schemes_of_numbers_have_the_quick_reading() -> None:
    quick = {name for name, scheme in legacy.SCHEMES.items() if quick_decoder(scheme) is not None}
    assert quick == set(NUMBERED)


@pytest.mark.parametrize("ai", FORMATS)
def test_every_identifier_keeps_its_values_through_bits(ai: str) -> None:
    chance = Random(ai)
    for _ in range(20):
        value = right_value(ai, chance)
        bits = BitWriter()
        FORMATS[ai].put(value, bits)
        length = bits.length
        reader = BitReader(bits.words()) if length <= 496 else None
        if reader is not None:
            before = reader.left
            assert FORMATS[ai].take(reader) == value
            assert before - reader.left == length
