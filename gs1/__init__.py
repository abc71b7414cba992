# SPDX-License-Identifier: Apache-2.0
"""Who is this? Barcodes' element strings, Digital Links and dock labels turned into an identity, or into the
reasons why there is none. Pure: no I/O, no clock, nothing of ours imported. `identify` takes any bytes and
never raises.
"""

from __future__ import annotations

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
from .errors import CodeError, Fault, Gs1Error
from .identify import CODE_LENGTH_MAX, identify, split_aim
from .links import gtin_link, identity_link, link_of, parse_link, sscc_link
from .load import Control, Identity, Load, Unknown, WorkOrder
from .orders import COMMANDS, control_code, parse_order, work_order_code
from .printable import printable

__all__ = [
    "CODE_LENGTH_MAX",
    "COMMANDS",
    "CodeError",
    "Control",
    "Elements",
    "Fault",
    "Gs1Error",
    "Identity",
    "Load",
    "Unknown",
    "WorkOrder",
    "check_character",
    "check_digit",
    "check_elements",
    "control_code",
    "element_string",
    "gtin_link",
    "hri",
    "identify",
    "identity_link",
    "link_of",
    "parse_bracketed",
    "parse_elements",
    "parse_link",
    "parse_order",
    "printable",
    "read_elements",
    "split_aim",
    "sscc_link",
    "work_order_code",
]
