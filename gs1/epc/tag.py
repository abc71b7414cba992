# SPDX-License-Identifier: Apache-2.0
"""What a tag says. Knows no scheme."""

from __future__ import annotations

from typing import NamedTuple

from gs1.elements import Elements

__all__ = ["Tag"]


class Tag(NamedTuple):
    """An EPC tag, read. A tuple, since a gate makes thousands of them a second.

    `scheme`: its coding scheme in small letters, such as "sgtin-96". `filter`: what kind of thing carries the
    tag, 0 to 7 (up to 15 in usdod-96, up to 63 in adi-var), None in gid-96, which has none; it is no part of
    the identity. `elements`: AI and value, the key and its serial first, then data encoded behind the EPC;
    empty in the schemes that are not GS1's. `company_prefix_digits`: length of the company prefix where the
    scheme holds it. `host`: the host name of a "++" scheme's own Digital Link, as encoded. `epc_uri`:
    `urn:epc:id:...`; None in the "+" and "++" schemes, which do not hold what it needs.
    """

    scheme: str
    filter: int | None
    elements: Elements
    company_prefix_digits: int | None
    host: str | None
    epc_uri: str | None

    @property
    def tag_uri(self) -> str | None:
        """`urn:epc:tag:...`, which tells scheme and filter too; None where there is no `epc_uri`."""
        if self.epc_uri is None:
            return None
        body = self.epc_uri.split(":", 4)[4]
        return f"urn:epc:tag:{self.scheme}:{body if self.filter is None else f'{self.filter}.{body}'}"
