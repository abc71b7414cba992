# SPDX-License-Identifier: Apache-2.0
"""The memory bank of a tag around its EPC: the protocol control word, and what is written there when it is
no EPC. Knows no scheme.

Source: GS1 EPC Tag Data Standard 2.3, sections 9.3 (protocol control bits) and 15.2.1 (raw URI).
"""

from __future__ import annotations

from typing import NamedTuple

from .bits import EPC_BYTES_MAX, WORD_BYTES, refuse

__all__ = ["ProtocolControl", "epc_field", "raw_uri"]

# ISO/IEC 15961-2, application family identifiers of the supply chain standards ISO 17363 to 17367, from
# memory; they only word the refusal.
_FAMILIES = {
    0xA1: "ISO 17367, product",
    0xA2: "ISO 17365, transport unit",
    0xA3: "ISO 17364, returnable transport item",
    0xA4: "ISO 17367, hazardous product",
    0xA5: "ISO 17366, product packaging",
    0xA6: "ISO 17366, hazardous product packaging",
    0xA7: "ISO 17365, hazardous transport unit",
    0xA8: "ISO 17364, hazardous returnable transport item",
    0xA9: "ISO 17363, freight container",
    0xAA: "ISO 17363, hazardous freight container",
}


class ProtocolControl(NamedTuple):
    """The protocol control word, taken apart.

    `words`: length of the EPC with all data behind it, in words of 16 bits. `user_memory`: the tag has more
    data in its user memory. `extended`: it has an extended control word as well. `iso`: what follows is not
    an EPC but an item identifier of ISO's; then `low` is its application family identifier, else attribute
    bits.
    """

    words: int
    user_memory: bool
    extended: bool
    iso: bool
    low: int

    @classmethod
    def of(cls, pc: int) -> ProtocolControl:
        """The parts of `pc`, 0 to 0xFFFF. Raises CodeError `epc_pc` for another number."""
        if not 0 <= pc <= 0xFFFF:
            refuse("epc_pc", f"protocol control word {pc}, expected 16 bits")
        return cls(pc >> 11, bool(pc & 0x400), bool(pc & 0x200), bool(pc & 0x100), pc & 0xFF)


def epc_field(memory: bytes, pc: int) -> bytes:
    """The EPC and the data behind it, as long as `pc` says, of the `memory` that a reader gave.

    What a reader gave beyond is not the EPC's; a last word may lack zeros. Raises CodeError `not_gs1` for a
    tag of ISO's, `epc_length` when words are missing.
    """
    control = ProtocolControl.of(pc)
    if control.iso:
        family = _FAMILIES.get(control.low, "another application's item identifier")
        told = f"a tag of ISO's application family {control.low:02X} ({family})"
        refuse("not_gs1", f"{told}, expected a GS1 EPC: the toggle bit of its control word is set")
    words = -(-len(memory) // WORD_BYTES)
    # A tag answers its extended control words before the EPC, and those count in what it announces.
    missing = control.words - words - (2 if control.extended else 0)
    if missing > 0:
        refuse("epc_length", f"{words} words, expected {control.words} as the protocol control word says")
    return memory[: control.words * WORD_BYTES]


def raw_uri(memory: bytes, pc: int | None = None) -> str:
    """`urn:epc:raw:...`, which says what a tag holds when it is not, or not a right, EPC.

    `memory` as for epc_field; without `pc` all of it. Raises CodeError when it is longer than any tag's.
    """
    control = ProtocolControl.of(pc) if pc is not None else None
    if control is not None:
        memory = memory[: control.words * WORD_BYTES].ljust(control.words * WORD_BYTES, b"\0")
    if len(memory) > EPC_BYTES_MAX:
        refuse("epc_length", f"{len(memory)} bytes, expected at most {EPC_BYTES_MAX}")
    memory += bytes(len(memory) % WORD_BYTES)
    fields, family = "", ""
    if control is not None:
        fields += f"[att=x{control.low:02X}]" if control.low and not control.iso else ""
        fields += "[umi=1]" if control.user_memory else ""
        family = f"x{control.low:02X}." if control.iso else ""
    return f"urn:epc:raw:{fields}{':' if fields else ''}{len(memory) * 8}.{family}x{memory.hex().upper()}"
