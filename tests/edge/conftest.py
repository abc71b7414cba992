# SPDX-License-Identifier: Apache-2.0
"""A dock with both trucks open, over a recorder that tells only when the test says so."""

from __future__ import annotations

import pytest

from tests.edge.yard import FakeRecorder, Papers, Yard


@pytest.fixture
def recorder() -> FakeRecorder:
    """Nothing is told but by the test."""
    return FakeRecorder()


@pytest.fixture
async def yard(recorder: FakeRecorder) -> Yard:
    """Both trucks are open, all that is told, and all papers are confirmed."""
    yard = Yard(Papers(), recorder=recorder)
    yard.open("in")
    yard.open("out")
    await recorder.tell()
    return yard
