# SPDX-License-Identifier: Apache-2.0
"""A reader is reached by TCP or TLS, or it is told in a sentence why not."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from drivers import LinkUnavailable, NullModem, State
from drivers.llrp import dial as dialing
from drivers.llrp.dial import dial
from drivers.llrp.settings import ReaderSettings, Tls, parse_reader_url
from tests.drivers.llrp.peer import QUICK, Peer, numbers, reading, report, serving, tag


class Authority:
    """Signs certificates into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.pem"
        self._write(self.path, self._sign(self.name, self.key, ca=True))

    def issue(self, name: str, host: str = "127.0.0.1") -> tuple[Path, Path, str]:
        """Certificate, key and the certificate's SHA-256."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signed = self._sign(subject, key, host=host)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._write(paths[0], signed)
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return *paths, hashlib.sha256(signed.public_bytes(serialization.Encoding.DER)).hexdigest()

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool = False, host: str = ""
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if host:
            try:
                name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
            except ValueError:
                name = x509.DNSName(host)
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "site")


def tls_peer(certificate: Path, key: Path, clients: Path | None = None) -> Peer:
    peer = Peer()
    peer.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    peer.tls.load_cert_chain(certificate, key)
    if clients is not None:
        peer.tls.load_verify_locations(clients)
        peer.tls.verify_mode = ssl.CERT_REQUIRED
    return peer


async def reads_over(peer: Peer, tls: Tls) -> None:
    async with serving(peer), reading(peer.url, replace(QUICK, tls=tls)) as heard:
        await heard.until_state(State.READY)
        await peer.send(report(tag(7)))
        await heard.until(lambda: numbers(heard.reads) == [7])


async def refused_over(peer: Peer, tls: Tls, words: str) -> None:
    async with serving(peer), reading(peer.url, replace(QUICK, tls=tls)) as heard:
        await heard.until_told(words)
        assert State.READY not in heard.states


async def test_a_reader_is_known_by_the_sites_own_authority(authority: Authority) -> None:
    certificate, key, _ = authority.issue("reader")
    await reads_over(tls_peer(certificate, key), Tls(ca=str(authority.path)))


async def test_a_reader_is_known_by_its_pinned_certificate_whoever_signed_it(authority: Authority) -> None:
    certificate, key, pin = authority.issue("reader", host="elsewhere.example")
    pretty = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
    await reads_over(tls_peer(certificate, key), Tls(pin=pretty))


async def test_a_certificate_for_another_name_is_taken_where_that_name_is_given(authority: Authority) -> None:
    certificate, key, _ = authority.issue("reader", host="gate-1.example")
    tls = Tls(ca=str(authority.path), server_name="gate-1.example")
    await reads_over(tls_peer(certificate, key), tls)


async def test_a_reader_that_asks_for_our_certificate_gets_it(authority: Authority, tmp_path: Path) -> None:
    certificate, key, _ = authority.issue("reader")
    ours, our_key, _ = authority.issue("dock")
    peer = tls_peer(certificate, key, clients=authority.path)
    await reads_over(peer, Tls(str(authority.path), str(ours), str(our_key)))


async def test_a_reader_that_nobody_we_know_has_signed_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    certificate, key, _ = Authority(tmp_path / "other", "other").issue("reader")
    await refused_over(tls_peer(certificate, key), Tls(ca=str(authority.path)), "certificate is not trusted")


async def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    certificate, key, _ = authority.issue("reader", host="elsewhere.example")
    await refused_over(tls_peer(certificate, key), Tls(ca=str(authority.path)), "certificate is not trusted")


async def test_another_certificate_than_the_pinned_one_is_refused(authority: Authority) -> None:
    certificate, key, pin = authority.issue("reader")
    await refused_over(tls_peer(certificate, key), Tls(pin="0" * 64), f"a certificate with the SHA-256 {pin}")


async def test_a_reader_that_speaks_no_tls_is_told() -> None:
    peer = Peer()
    async with serving(peer):
        with pytest.raises(LinkUnavailable, match="no TLS connection"):
            await dial(parse_reader_url(peer.url.replace("llrp:", "llrps:")), Tls(pin="0" * 64))


async def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(LinkUnavailable, match=r"check .*nothing\.pem"):
        await dial(parse_reader_url("llrps://127.0.0.1"), Tls(ca=str(tmp_path / "nothing.pem")))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pin": "12"}, "64 hex digits"),
        ({"certificate": "a.pem"}, "both or neither"),
        ({"server_name": ""}, "the name that the certificate says"),
        ({"server_name": ".reader"}, "the name that the certificate says"),
        ({"server_name": "x" * 64}, "the name that the certificate says"),
    ],
)
def test_certificates_that_make_no_sense_are_told_at_once(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Tls(**settings)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses: taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_port_that_refuses_is_told(closed_port: int) -> None:
    with pytest.raises(LinkUnavailable, match="refuses the connection: is LLRP switched on"):
        await dial(parse_reader_url(f"llrp://127.0.0.1:{closed_port}"))


async def test_the_usual_port_that_refuses_may_be_an_impinj_of_the_rest_interface(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "PORT", closed_port)
    with pytest.raises(LinkUnavailable, match="Impinj R700 or R720 comes with its REST interface"):
        await dial(parse_reader_url(f"llrp://127.0.0.1:{closed_port}"))


async def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(LinkUnavailable, match=r"reader\.invalid is no known name"):
        await dial(parse_reader_url("llrp://reader.invalid"))


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "-"])
async def test_what_can_be_no_name_is_told(host: str) -> None:
    with pytest.raises(LinkUnavailable, match="name"):
        await dial(parse_reader_url(f"llrp://{host}"))


async def test_a_reader_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "CONNECT_S_MAX", 0.05)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(LinkUnavailable, match=r"does not answer within 0\.05 s"):
            await dial(parse_reader_url(f"llrp://127.0.0.1:{address[1]}"))
        for each in waiting:
            each.close()


async def test_a_null_modem_is_a_reader_too() -> None:
    with NullModem("gate") as modem:
        link = await dial(parse_reader_url(modem.url))
        await link.write(b"hello")
        assert modem.received == b"hello"
        await link.close()


def test_the_ports_are_those_of_the_standard() -> None:
    assert parse_reader_url("llrp://gate").port == 5084
    assert parse_reader_url("llrps://gate").port == 5085
    assert str(parse_reader_url("llrp://[::1]:99")) == "::1:99"
    assert ReaderSettings().tls is None
