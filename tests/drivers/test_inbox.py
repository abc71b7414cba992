# SPDX-License-Identifier: Apache-2.0
"""What waits between a line and its reader is bounded, in order, and read before the line's loss is told."""

from __future__ import annotations

import asyncio

import pytest

from drivers import LinkLost
from drivers.inbox import INBOX_BYTES_MAX, Inbox


async def test_a_full_inbox_pauses_the_sender_once_and_resumes_it_when_emptied() -> None:
    told: list[str] = []
    inbox = Inbox(pause=lambda: told.append("pause"), resume=lambda: told.append("resume"))
    inbox.put(b"A" * (INBOX_BYTES_MAX - 1))
    assert told == []
    inbox.put(b"B")
    inbox.put(b"C")
    assert told == ["pause"]
    assert await inbox.read() == b"A" * (INBOX_BYTES_MAX - 1) + b"BC"
    assert told == ["pause", "resume"]


async def test_what_came_before_a_loss_is_read_before_it() -> None:
    inbox = Inbox(pause=lambda: None, resume=lambda: None)
    inbox.put(b"A")
    inbox.lose("first reason")
    inbox.lose("second reason")
    inbox.put(b"B")
    assert await inbox.read() == b"A"
    with pytest.raises(LinkLost, match="first reason"):
        await inbox.read()


async def test_a_waiting_reader_is_woken_by_bytes_and_by_loss() -> None:
    inbox = Inbox(pause=lambda: None, resume=lambda: None)
    reading = await _waiting(inbox)
    inbox.put(b"A")
    async with asyncio.timeout(20):
        assert await reading == b"A"
    reading = await _waiting(inbox)
    inbox.lose("gone")
    async with asyncio.timeout(20):
        with pytest.raises(LinkLost, match="gone"):
            await reading


async def _waiting(inbox: Inbox) -> asyncio.Task[bytes]:
    reading = asyncio.create_task(inbox.read())
    await asyncio.sleep(0)
    assert not reading.done()
    return reading
