# SPDX-License-Identifier: Apache-2.0
"""Who is this? Barcodes' element strings, tags, Digital Links and dock labels turned into an identity, or
into the reasons why there is none. Pure: no I/O, no clock, nothing of ours imported. `identify` takes any
bytes and never raises.
"""

from __future__ import annotations

from .answer import answer_code, answer_link, answer_tag
from .check import check_character, check_digit
from .elements import (
    Elements,
    check_elements,
    element_string,
    hri,
    parse_bracketed,
    parse_elements,
    read_elements,
)
from .envelope import parse_envelope, parse_identifier, read_envelope
from .epc import Tag, decode_tag, encode_tag, epc_uri
from .errors import CodeError, Fault, Gs1Error
from .identify import Identity, identify
from .label import Drawing, Label, Paper, draw, lot_label, sscc_label, sscc_of
from .links import gtin_link, identity_link, link_of, parse_link, sscc_link
from .load import Control, Load, Measure, TagRead, Unknown, WorkOrder
from .orders import COMMANDS, control_code, parse_order, work_order_code
from .parcels import Tracking, tracking, tracking_in, tracking_of
from .part_label import PartLabel, part_label, unique_item
from .patterns import PatternError, SitePattern, compile_patterns
from .printable import printable
from .reading import CODE_LENGTH_MAX, split_aim
from .svg import label_svg
from .zpl import label_zpl

__all__ = [
    "CODE_LENGTH_MAX",
    "COMMANDS",
    "CodeError",
    "Control",
    "Drawing",
    "Elements",
    "Fault",
    "Gs1Error",
    "Identity",
    "Label",
    "Load",
    "Measure",
    "Paper",
    "PartLabel",
    "PatternError",
    "SitePattern",
    "Tag",
    "TagRead",
    "Tracking",
    "Unknown",
    "WorkOrder",
    "answer_code",
    "answer_link",
    "answer_tag",
    "check_character",
    "check_digit",
    "check_elements",
    "compile_patterns",
    "control_code",
    "decode_tag",
    "draw",
    "element_string",
    "encode_tag",
    "epc_uri",
    "gtin_link",
    "hri",
    "identify",
    "identity_link",
    "label_svg",
    "label_zpl",
    "link_of",
    "lot_label",
    "parse_bracketed",
    "parse_elements",
    "parse_envelope",
    "parse_identifier",
    "parse_link",
    "parse_order",
    "part_label",
    "printable",
    "read_elements",
    "read_envelope",
    "split_aim",
    "sscc_label",
    "sscc_link",
    "sscc_of",
    "tracking",
    "tracking_in",
    "tracking_of",
    "unique_item",
    "work_order_code",
]
