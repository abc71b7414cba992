# SPDX-License-Identifier: Apache-2.0
"""EPC tags: every binary coding scheme of the GS1 EPC Tag Data Standard 2.3, read and written bit by bit.

Pure: no I/O, no clock. `decode_tag` refuses, and never guesses: a tag of another standard, an unprogrammed
one and one with a single wrong bit in a reserved or filled place come back as CodeError.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from gs1.elements import Elements, check_elements

from . import legacy, plus
from .bank import ProtocolControl, epc_field, raw_uri
from .bits import EPC_BYTES_MAX, refuse
from .legacy import decode_legacy, encode_tag_uri
from .quick import quick_decoder
from .tag import Tag
from .uris import epc_uri

__all__ = [
    "EPC_BYTES_MAX",
    "SCHEMES",
    "ProtocolControl",
    "Tag",
    "decode_tag",
    "encode_tag",
    "encode_tag_uri",
    "epc_uri",
    "headers",
    "raw_uri",
]

SCHEMES = (*legacy.SCHEMES, *plus.SCHEMES)


def headers(*keys: str) -> tuple[int, ...]:
    """The first eight bits of all EPCs of these keys (`sscc`, `giai`), key by key: the schemes with a count
    of bits in their name first, then those of TDS 2.0 and later (sections 14.2 and 14.6).
    """
    named = [(scheme.name, scheme.header) for scheme in legacy.SCHEMES.values()]
    named += [(scheme.name, scheme.header) for scheme in plus.SCHEMES.values()]
    return tuple(header for key in keys for name, header in named if re.split("[-+]", name)[0] == key)


def decode_tag(epc: bytes, pc: int | None = None) -> Tag:
    """What the tag with the memory `epc` says, from the first bit of its EPC on.

    `pc`: the protocol control word, which tells how much of `epc` counts and whether it is an EPC at all;
    None when the reader does not give it, then all of `epc` counts. Raises CodeError: `not_gs1` for a tag of
    another standard, `unprogrammed` for an empty one, `epc_header` for a header that no scheme has,
    `epc_length` when bits are missing or too many, `epc_reserved`, `epc_partition`, `epc_value`,
    `epc_character` and `epc_host` for bits that the scheme does not allow, and the dictionary's own codes for
    elements that are not right.
    """
    if pc is not None:
        epc = epc_field(epc, pc)
    if not epc:
        refuse("unprogrammed", "an empty tag, expected an EPC: it was not programmed yet")
    return _DECODERS[epc[0]](epc)


def encode_tag(
    scheme: str,
    elements: Elements,
    *,
    filter: int,  # noqa: A002  - the standard's word
    company_prefix_digits: int | None = None,
    host: str | None = None,
) -> bytes:
    """The memory of a tag in `scheme`, from its header on, filled with zeros to whole words of 16 bits.

    `elements`: those of the scheme's key; in the "+" and "++" schemes also data to stand behind the EPC, in
    that order. `company_prefix_digits`: needed by the schemes without a plus. `host`: needed by the "++"
    schemes. Schemes without GS1 elements are written by `encode_tag_uri`. Raises CodeError when the elements
    are not right or the scheme cannot hold them, `epc_length` when no tag could.
    """
    check_elements(elements)
    if filter < 0:
        refuse("epc_value", f"filter {filter}, expected 0 or more")
    if scheme in plus.SCHEMES:
        return plus.encode_plus(plus.SCHEMES[scheme], elements, filter, host)
    if scheme not in legacy.SCHEMES or host is not None:
        refuse("epc_scheme", f"scheme {scheme[:20]}, expected one of {', '.join(SCHEMES)}; a host only in ++")
    return legacy.encode_legacy(legacy.SCHEMES[scheme], elements, filter, company_prefix_digits)


def _no_scheme(epc: bytes) -> Tag:
    if epc[0] == 0:
        refuse("unprogrammed", "header 00, expected an EPC: the tag was not programmed yet")
    # Permanently reserved, so that the chip's own memory bank, which begins so, is not taken for an EPC.
    why = ": this one begins the chip's own number" if epc[0] == 0xE2 else ""
    refuse("epc_header", f"header {epc[0]:02X}, expected that of an EPC scheme of TDS 2.3{why}")


_DECODERS: list[Callable[[bytes], Tag]] = [_no_scheme] * 256
for _old in legacy.SCHEMES.values():
    _DECODERS[_old.header] = quick_decoder(_old) or partial(decode_legacy, _old)
for _new in plus.SCHEMES.values():
    _DECODERS[_new.header] = partial(plus.decode_plus, _new)
