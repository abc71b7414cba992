# SPDX-License-Identifier: Apache-2.0
"""The exchange over HTTP: posts an ask to the center, gives back its answer. One try; no retry here.

Knows no journal. Over https the center's certificate is pinned by its SHA-256.
"""

from __future__ import annotations

from typing import Final, Self

import aiohttp
import msgspec

from sync.entry import MALFORMED
from sync.errors import TransportError, WireError
from sync.keys import Signer
from sync.wire import ANSWER_ENTRY_BYTES_MAX, Answer, Ask, encode, read_answer, request_message

ANSWER_BYTES_MAX: Final = 2 * ANSWER_ENTRY_BYTES_MAX + 64 * 1024
"""Bounds what is read of an answer: its entries, one of full size, and the frame."""

TIMEOUT_S: Final = 15.0
"""A center that has not answered by then is asked again later."""


class CenterClient:
    """Talks to one center. Use as an async context manager."""

    def __init__(self, url: str, pin: str | None = None) -> None:
        """`url` is http(s)://host:port; `pin` the SHA-256 of the certificate in hex."""
        self._url = url.rstrip("/") + "/api/v1/exchange"
        self._ssl: aiohttp.Fingerprint | bool = True
        if pin is not None:
            self._ssl = aiohttp.Fingerprint(bytes.fromhex(pin.replace(":", "")))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def exchange(self, ask: Ask, signer: Signer) -> Answer:
        """Post an ask, signed. Raises TransportError when the center cannot be reached or is ill,
        WireError with the center's own sentence when it refuses.
        """
        assert self._session is not None, "used outside of its context"
        body = encode(ask)
        headers = {
            "Content-Type": "application/json",
            "Zonegate-Signature": signer.sign(request_message(body)),
        }
        try:
            async with self._session.post(self._url, data=body, headers=headers, ssl=self._ssl) as response:
                answer = await response.content.read(ANSWER_BYTES_MAX + 1)
                while len(answer) <= ANSWER_BYTES_MAX and not response.content.at_eof():
                    answer += await response.content.read(ANSWER_BYTES_MAX + 1 - len(answer))
        except aiohttp.ServerFingerprintMismatch as error:
            raise TransportError(
                f"the certificate at {self._url} has the SHA-256 {error.got.hex()}, expected the pinned "
                f"{error.expected.hex()}; nothing was sent. If the center's certificate was renewed, "
                "correct center.pin"
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransportError(f"the center at {self._url} cannot be reached: {_why(error)}") from error
        if response.status >= 500:
            raise TransportError(f"the center answers {response.status}; it will be asked again")
        if response.status != 200:
            raise WireError(_refusal(response.status, answer))
        if len(answer) > ANSWER_BYTES_MAX:
            raise WireError(f"the center's answer is over {ANSWER_BYTES_MAX} bytes")
        return read_answer(answer)


def _refusal(status: int, body: bytes) -> str:
    """The center's own words, bounded; its status when it has none."""
    try:
        told = msgspec.json.decode(body[:4096], type=dict[str, str])
    except MALFORMED:
        return f"the center refuses with status {status}"
    return f"the center refuses: {told.get('error', status)} {told.get('next', '')}".strip()


def _why(error: Exception) -> str:
    """The reason in a person's words: what the system said, without the library's wrapping."""
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return "its certificate is not the pinned one; enrol again, or correct [center] pin"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return error.os_error.strerror
    return str(error) or "no answer"
