# SPDX-License-Identifier: Apache-2.0
"""The people of a history: a center with one permit line, and a node that may spend it."""

from __future__ import annotations

import pytest

from tests.sync.memory import Center, Node, enrolled
from zonegate.simulation.stores import Chance


@pytest.fixture
def chance() -> Chance:
    return Chance(1)


@pytest.fixture
def center(chance: Chance) -> Center:
    """A center that has planned a truck with a permit line of 800 at the door of dock-1."""
    center = Center(chance)
    center.plan()
    return center


@pytest.fixture
def node(chance: Chance, center: Center) -> Node:
    """An enrolled node that may spend the line's 800."""
    return enrolled(Node(chance), center)
