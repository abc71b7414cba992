# SPDX-License-Identifier: Apache-2.0
"""A center behind TLS, its certificate pinned at the node; and a dock that restarts without any network."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edge.store import JournalReader
from simulators.yard import labels
from sync.client import CenterClient
from sync.errors import TransportError
from sync.keys import Signer
from sync.wire import Ask
from tests.conftest import MosquittoMaker
from tests.faults.dockyard import NODE, TENANT, ZONE, Dockyard, dockyard, papers, until
from tests.integration.certificates import Authority
from tests.integration.mqtt_parts import Subscriber
from zonegate.own import OwnCenter

pytestmark = pytest.mark.servers

PIECES = {labels.sscc(1): 40, labels.sscc(2): 80, labels.sscc(3): 60, labels.sscc(4): 10}
FIRST, TOO_MUCH, THE_REST, NO_MORE = (labels.gs1_128(("00", sscc)) for sscc in PIECES)
AUTHORIZED = 100


class TlsCenter(OwnCenter):
    """A center with a certificate of its own making; `pin` is the certificate's SHA-256."""

    def __init__(self, folder: Path, dsn: str) -> None:
        super().__init__(folder, dsn, TENANT, ZONE)
        self.certificate, self.key = Authority().issue("center", server=True)
        (self.folder / "center.pem").write_bytes(self.certificate)
        (self.folder / "center.key").write_bytes(self.key)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def pin(self) -> str:
        return pin_of(self.certificate)

    async def take_papers(self, *files: Path) -> None:
        """As the command line's import does, which would want a certificate that the machine knows."""
        headers = {"Authorization": f"Bearer {self.token('center')}", "Content-Type": "application/json"}
        pinned = aiohttp.Fingerprint(bytes.fromhex(self.pin))
        async with aiohttp.ClientSession(headers=headers) as session:
            for file in files:
                data = file.read_bytes()
                async with session.post(f"{self.url}/api/v1/import", data=data, ssl=pinned) as answer:
                    assert answer.status == 200, await answer.text()

    def _command(self) -> list[str]:
        command = super()._command()
        with self.config.open("a", encoding="utf-8") as config:
            config.write(
                f'[central.tls]\ncert = "{self.folder}/center.pem"\nkey = "{self.folder}/center.key"\n'
            )
        return command

    def _ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def pin_of(certificate: bytes) -> str:
    return hashlib.sha256(x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)).hexdigest()


@asynccontextmanager
async def tls_dock(
    folder: Path, dsn: str, center: TlsCenter, pin: str, broker: str | None = None
) -> AsyncIterator[Dockyard]:
    documents = papers(AUTHORIZED, PIECES)
    settings = {"[center]": f'pin = "{pin}"'}
    async with dockyard(folder, dsn, documents, settings=settings, center=center, broker=broker) as yard:
        yield yard


async def stored(dsn: str) -> list[bytes]:
    """The node's entries in PostgreSQL, in order."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT record FROM entry WHERE node = $1 ORDER BY epoch, seq", NODE)
    finally:
        await connection.close()
    return [row["record"] for row in rows]


def written(yard: Dockyard) -> list[bytes]:
    with JournalReader(yard.node.store) as reader:
        return [record for _, record in reader.page(0, 5000)]


async def test_a_dock_without_network_judges_on_after_a_restart_and_all_arrives_once(
    tmp_path: Path, postgres: str, mosquitto: MosquittoMaker
) -> None:
    broker = await mosquitto()
    center = TlsCenter(tmp_path, postgres)
    async with (
        Subscriber(broker.port, client_id="lasting", session_seconds=600) as heard,
        tls_dock(tmp_path, postgres, center, center.pin, broker.url) as yard,
    ):
        assert (await yard.scan(FIRST)).reason == "admitted"
        await until(yard.arrived, "the first load to reach the center")
        await yard.node.stop()
        await center.stop()
        await broker.stop()
        heard.expect_again()
        before = len(yard.screen.seen)
        await yard.node.start()
        await yard.screen.until(lambda seen: any(p.event == "snapshot" for p in seen), after=before)
        await until(lambda: yard.status()["devices"][0]["state"] == "Up", "the scanner to be open")
        said = [
            (p.state, p.reason) for p in [await yard.scan(label) for label in (TOO_MUCH, THE_REST, NO_MORE)]
        ]
        assert said == [("STOP", "straddles-limit"), ("ACCEPTED", "admitted"), ("STOP", "permit-exhausted")]
        await until(lambda: yard.link()["state"] == "Down", "the status page to show that the center is away")
        # A STOP is shown before it is recorded, so the last of the three may still be on its way.
        await until(lambda: yard.link()["behind"] >= 3, "all three to be recorded and to wait")
        await center.start()
        await broker.start()
        await until(yard.arrived, "everything to reach the center")
        records = written(yard)
        assert await stored(postgres) == records
        events = [json.loads(record) for record in records]
        wanted = [event["entry_id"] for event in events if event["type"] in ("admission", "stop", "job")]
        await heard.until(lambda: set(wanted) <= set(heard.ids()))
        assert len(await yard.recorded()) == 2


async def test_a_wrong_pin_is_told_and_nothing_is_sent_until_it_is_put_right(
    tmp_path: Path, postgres: str
) -> None:
    center = TlsCenter(tmp_path, postgres)
    other, _ = Authority().issue("center", server=True)
    async with tls_dock(tmp_path, postgres, center, center.pin) as yard:
        await yard.node.stop()
        sent = await stored(postgres)
        yard.node.plant({"[center]": f'pin = "{pin_of(other)}"'})
        await yard.node.start()
        await until(lambda: yard.link()["state"] == "Down", "the wrong certificate to be told")
        assert "certificate" in yard.link()["detail"]
        assert center.pin in yard.link()["detail"]
        assert "center.pin" in yard.link()["detail"]
        await until(lambda: yard.status()["devices"][0]["state"] == "Up", "the scanner to be open")
        assert (await yard.scan(FIRST)).reason == "admitted"
        assert yard.link()["behind"] >= 1
        assert await stored(postgres) == sent
        await yard.node.stop()
        yard.node.plant({"[center]": f'pin = "{center.pin}"'})
        await yard.node.start()
        await until(yard.arrived, "everything to reach the center")
        assert await stored(postgres) == written(yard)


async def test_not_one_byte_of_an_ask_goes_to_a_server_with_another_certificate(tmp_path: Path) -> None:
    """The control is the same server, rightly pinned."""
    certificate, key = Authority().issue("center", server=True)
    other, _ = Authority().issue("center", server=True)
    (tmp_path / "chain.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    heard = bytearray()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(64))
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    signer = Signer(bytes(32))
    ask = Ask("0" * 32, TENANT, ZONE, NODE, "0" * 32, ("d1",), ())
    async with server:
        for pin, bytes_came in ((pin_of(other), False), (pin_of(certificate), True)):
            async with CenterClient(url, pin) as client:
                with pytest.raises(TransportError):
                    await client.exchange(ask, signer)
            assert bool(heard) is bytes_came
