# SPDX-License-Identifier: Apache-2.0
"""When the books learned of something: the second of their two times."""

from __future__ import annotations

from typing import Final

import msgspec


class Known(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place in the center's own log. `order` counts its epochs."""

    order: int
    seq: int


KNOWN_ALL: Final = Known(2**63, 0)
"""After everything: asks by all that is known now."""
