# SPDX-License-Identifier: Apache-2.0
"""Planted bugs: each breaks one promise of the record, in the classes that keep it, while it is planted.

Production code has no switch for any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

BUGS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The bug is there."""
    with BUGS[name]():
        yield
