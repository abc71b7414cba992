# SPDX-License-Identifier: Apache-2.0
"""A rule's word on an act: allowed or refused, by which section, in words for the one who does it."""

from __future__ import annotations

import msgspec


class Allowed(msgspec.Struct, frozen=True, tag="allowed"):
    """The act may be done. `words` say what comes with it; they may be empty."""

    section: str
    words: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The act may not be done. `reason` is a short code; `words` are for a worker and say the next step."""

    reason: str
    section: str
    words: str


Ruling = Allowed | Refused
"""What every rule of this kind answers."""
