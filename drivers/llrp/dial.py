# SPDX-License-Identifier: Apache-2.0
"""Opens the link to a reader: TCP, TLS with the reader's certificate checked, or a cable of this process.

Knows no LLRP. Each failure is a sentence with the next step.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import socket
import ssl

from drivers.errors import LinkLost, LinkUnavailable
from drivers.link import CHUNK_BYTES_MAX, Link
from drivers.llrp.settings import PORT, ReaderAddress, Tls
from drivers.null_modem import open_null_modem

__all__ = ["CONNECT_S_MAX", "dial"]

CONNECT_S_MAX = 5.0
"""A reader in the same building answers in milliseconds; what takes longer is not there."""

_CLOSE_S_MAX = 1.0


async def dial(address: ReaderAddress, tls: Tls | None = None) -> Link:
    """Connect to a reader. Raises LinkUnavailable saying why not."""
    if address.null_modem is not None:
        return open_null_modem(address.null_modem)
    settings = (tls or Tls()) if address.tls else None
    context = _context(settings) if settings is not None else None
    name = (settings.server_name or address.host) if settings is not None else None
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=context, server_hostname=name, limit=CHUNK_BYTES_MAX
            )
    except TimeoutError as error:
        raise LinkUnavailable(
            f"{address} does not answer within {CONNECT_S_MAX:g} s: is it switched on, is the cable in?"
        ) from error
    except UnicodeError as error:
        raise LinkUnavailable(f"{address.host!r} can be no host's name ({error}): correct it") from error
    except ssl.SSLError as error:
        raise LinkUnavailable(_tls_trouble(address, error)) from error
    except OSError as error:
        raise LinkUnavailable(_trouble(address, error)) from error
    link = _SocketLink(reader, writer)
    if settings is not None and settings.pin is not None:
        found = _fingerprint(writer)
        if found != settings.pin.replace(":", "").lower():
            await link.close()
            raise LinkUnavailable(
                f"{address} shows a certificate with the SHA-256 {found}, expected the pinned one: "
                "if the reader was exchanged or got a new certificate on purpose, correct the pin"
            )
    return link


class _SocketLink:
    """A connection as a Link. What waits for a slow reader is bounded by the stream's limit."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        try:
            data = await self._reader.read(CHUNK_BYTES_MAX)
        except OSError as error:
            raise LinkLost(f"the connection broke: {error.strerror or error}") from error
        if not data:
            raise LinkLost("the reader hung up")
        return data

    async def write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise LinkLost(f"the connection broke: {error.strerror or error}") from error

    async def close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_S_MAX):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            with contextlib.suppress(OSError):
                self._writer.transport.abort()


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(path for path in (tls.ca, tls.certificate, tls.key) if path)
        raise LinkUnavailable(f"the certificates cannot be used ({error}): check {named}") from error
    if tls.pin is not None:
        # The pin says which certificate it is, so nobody need have signed it. It is compared below.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _fingerprint(writer: asyncio.StreamWriter) -> str:
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hashlib.sha256(certificate or b"").hexdigest()


def _tls_trouble(address: ReaderAddress, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{address}: the reader's certificate is not trusted ({error.verify_message}): "
            "give the authority that signed it as ca, or the certificate's own SHA-256 as pin"
        )
    return f"{address}: no TLS connection ({error.reason or error}): is TLS switched on at the reader?"


def _trouble(address: ReaderAddress, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"{address.host} is no known name: correct it, or give the reader's IP address"
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return f"{address} refuses the connection: {_refused(address)}"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return f"{address} cannot be reached: is it switched on, is the cable in, is the network right?"
    return f"{address} cannot be reached: {error.strerror or error}"


def _refused(address: ReaderAddress) -> str:
    if address.port != PORT:
        return "is LLRP switched on at the reader, and on this port?"
    # Impinj's own overview of its IoT device interface names it as the default from firmware 8.2 on.
    return (
        "is LLRP switched on at the reader? An Impinj R700 or R720 comes with its REST interface instead; "
        "choose LLRP as its RFID interface on its web page"
    )
