# SPDX-License-Identifier: Apache-2.0
"""One connection to an MQTT broker on the event loop: opened, published on, lost. It never reconnects.

paho-mqtt does the protocol; its socket is read and written by the loop, no thread of it ever runs, and
each connection is a new client, so nothing is ever buffered in it. Only the blocking part of opening (name
lookup, TCP, TLS) is done on a worker thread. Knows no entries and no cursor.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    MQTT_ERR_SUCCESS,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTv5,
    MQTTv311,
)
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sync.errors import SettingsError, TransportError

RECEIVE_MAX_DEFAULT: Final = 65_535
"""What MQTT 5 means when the broker names no Receive Maximum (section 3.2.2.3.3)."""

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class VersionRefused(TransportError):
    """The broker does not speak the offered version of MQTT."""


class HungUp(TransportError):
    """The broker took the connection and closed it without an answer."""


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and who we are. `url` is mqtt://host[:port] or mqtts://host[:port].

    `further` are addresses of the same broker, where it is a cluster; `at` takes them in turn. With mqtts
    the server is checked against `ca` (the system's authorities when None); `certificate` and `key` are PEM
    files of our own. Raises SettingsError, naming the setting, when this cannot work.
    """

    url: str
    client_id: str
    username: str | None = None
    password: str | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    keepalive_seconds: int = 20
    answer_seconds_max: float = 5.0
    further: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_address("mqtt.url", self.url)
        for url in self.further:
            _check_address("mqtt.further", url)
            if urlsplit(url).scheme != urlsplit(self.url).scheme:
                raise SettingsError("mqtt.further and mqtt.url must be all mqtt:// or all mqtts://")
        if (self.certificate is None) != (self.key is None):
            raise SettingsError("mqtt.certificate and mqtt.key belong together, only one of them is set")
        if not self.tls and (self.ca or self.certificate):
            raise SettingsError("mqtt.ca and mqtt.certificate need a mqtts:// address, mqtt.url has mqtt://")
        if self.password is not None and self.username is None:
            raise SettingsError("mqtt.password is set without mqtt.username")

    def at(self, turn: int) -> BrokerSettings:
        """The settings of one address: turn 0 is `url`, then those of `further`, then `url` again."""
        urls = (self.url, *self.further)
        return replace(self, url=urls[turn % len(urls)], further=())

    @property
    def tls(self) -> bool:
        """Whether the link is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or PORTS[parts.scheme]

    def ssl_context(self) -> ssl.SSLContext:
        """TLS 1.2 or later, the server's name checked. Raises SettingsError when a file cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(path) for path in (self.ca, self.certificate, self.key) if path)
            raise SettingsError(f"the TLS files {files} cannot be used: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _check_address(setting: str, url: str) -> None:
    parts = urlsplit(url)
    try:
        port_fault = parts.port == 0
    except ValueError:
        port_fault = True
    beyond = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in PORTS or not parts.hostname or port_fault or beyond:
        raise SettingsError(
            f"{setting} cannot be used, expected mqtt://host:port or mqtts://host:port, nothing behind it"
        )
    if parts.username is not None or parts.password is not None:
        raise SettingsError(f"{setting} holds a user name, expected it in mqtt.username and mqtt.password")


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the connection is lost."""

    topic: str
    payload: bytes


class _SocketClient(Client):
    """paho with the opening of its socket replaced: paho's own leaks the socket of a failed handshake."""

    def __init__(self, settings: BrokerSettings, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._address = settings.address
        self._seconds_max = settings.answer_seconds_max
        self._tls = settings.ssl_context() if settings.tls else None

    def _create_socket(self) -> socket.socket:
        plain = socket.create_connection(self._address, timeout=self._seconds_max)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return plain
        secure = self._tls.wrap_socket(plain, server_hostname=self._address[0], do_handshake_on_connect=False)
        try:
            secure.do_handshake()
        except BaseException:
            secure.close()
            raise
        return secure


class BrokerLink:
    """A live connection. Open one with `open`; `lost` resolves with the reason when it is gone."""

    def __init__(
        self, settings: BrokerSettings, version: int, will: Will, on_ack: Callable[[int, int], None]
    ) -> None:
        """Use `open`. `on_ack(mid, reason)` is called for each PUBACK; 3.1.1 has no reasons: always 0."""
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._on_ack = on_ack
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._attached = False
        self._misc: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.version = version
        self.receive_max = RECEIVE_MAX_DEFAULT
        self.packet_bytes_max: int | None = None
        self._client = self._make_client(will)

    @classmethod
    async def open(
        cls, settings: BrokerSettings, version: int, will: Will, on_ack: Callable[[int, int], None]
    ) -> BrokerLink:
        """Connect and wait for the broker's answer, each bounded by `answer_seconds_max`.

        Raises VersionRefused, HungUp, or TransportError with what the broker or the network said.
        """
        link = cls(settings, version, will, on_ack)
        try:
            await link._connect()
        except BaseException:
            link._drop()
            raise
        return link

    @property
    def reports_rejections(self) -> bool:
        """Whether a PUBACK tells that the broker refused: not before MQTT 5."""
        return self.version == MQTTv5

    def fits(self, topic: str, payload: bytes) -> bool:
        """Whether a publish stays within the broker's Maximum Packet Size."""
        if self.packet_bytes_max is None:
            return True
        return len(topic.encode()) + len(payload) + _PACKET_FRAME_BYTES <= self.packet_bytes_max

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str = "application/json",
        marks: Mapping[str, str] | None = None,
    ) -> int | None:
        """Send with QoS 1 and return the message id of its PUBACK; None when the link is gone.

        `marks` become user properties where the protocol has them.
        """
        if self.lost.done():
            return None
        properties = None
        if self.version == MQTTv5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = content_type
            properties.PayloadFormatIndicator = 1
            if marks:
                properties.UserProperty = list(marks.items())
        sent = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        return sent.mid if sent.rc == MQTT_ERR_SUCCESS else None

    async def close(self) -> None:
        """Say goodbye, so that the last will is not published; at most a second is waited for it."""
        if not self.lost.done():
            self._client.disconnect()
            await asyncio.wait([self.lost], timeout=1.0)
        self._drop()

    # Connecting

    def _make_client(self, will: Will) -> Client:
        settings = self._settings
        client = _SocketClient(
            settings,
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if self.version == MQTTv5 else True,
            protocol=MQTTv5 if self.version == MQTTv5 else MQTTv311,
            reconnect_on_failure=False,
        )
        # The in-flight window is the publisher's own: paho's walks all messages at every PUBACK.
        client.max_inflight_messages_set(0)
        client.will_set(will.topic, will.payload, qos=1, retain=True)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        client.on_connect = self._told_connect
        client.on_disconnect = self._told_disconnect
        client.on_publish = self._told_publish
        client.on_socket_close = self._socket_closes
        client.on_socket_register_write = self._wants_write
        client.on_socket_unregister_write = self._written
        return client

    async def _connect(self) -> None:
        host, port = self._settings.address
        opening = self._loop.run_in_executor(None, self._open_socket, host, port)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._drop_late)
            raise
        except (OSError, ValueError) as error:
            raise TransportError(f"{host}:{port} cannot be reached: {error}") from error
        self._attach()
        try:
            async with asyncio.timeout(self._settings.answer_seconds_max):
                await self._opened
        except TimeoutError:
            raise TransportError(f"{host}:{port} took the connection and does not answer") from None

    def _open_socket(self, host: str, port: int) -> None:
        clean: Any = True if self.version == MQTTv5 else MQTT_CLEAN_START_FIRST_ONLY
        self._client.connect(host, port, keepalive=self._settings.keepalive_seconds, clean_start=clean)

    def _attach(self) -> None:
        sock = self._client.socket()
        if sock is None:
            raise HungUp("the broker closed the connection at once")
        self._attached = True
        self._loop.add_reader(sock, self._read)
        if self._client.want_write():
            self._loop.add_writer(sock, self._write)
        self._misc = self._loop.call_later(1.0, self._keep_alive)

    def _drop(self) -> None:
        """Close whatever is open, without a word to the broker."""
        if self._misc is not None:
            self._misc.cancel()
        sock = self._client.socket()
        if sock is not None:
            if self._attached:
                self._loop.remove_reader(sock)
                self._loop.remove_writer(sock)
            with contextlib.suppress(OSError):
                sock.close()
        # paho tells of the closing once more when it is thrown away.
        self._attached = False
        self._lose("closed")
        # Nobody may be left to ask why it never opened.
        if self._opened.done() and not self._opened.cancelled():
            self._opened.exception()

    def _drop_late(self, opening: asyncio.Future[None]) -> None:
        """A connection that came up after nobody wanted it any more."""
        if not opening.cancelled() and opening.exception() is None:
            self._drop()

    def _lose(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    # The loop's side

    def _read(self) -> None:
        self._client.loop_read()
        # TLS may hold decrypted bytes that the socket does not announce again.
        while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
            self._client.loop_read()

    def _write(self) -> None:
        self._client.loop_write()

    def _keep_alive(self) -> None:
        if self._client.loop_misc() == MQTT_ERR_SUCCESS:
            self._misc = self._loop.call_later(1.0, self._keep_alive)

    # What paho tells; before _attach it is on the worker thread and has nothing to do here

    def _wants_write(self, _client: Client, _userdata: object, sock: Any) -> None:
        if self._attached:
            self._loop.add_writer(sock, self._write)

    def _written(self, _client: Client, _userdata: object, sock: Any) -> None:
        if self._attached:
            self._loop.remove_writer(sock)

    def _socket_closes(self, _client: Client, _userdata: object, sock: Any) -> None:
        if self._attached:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _told_connect(
        self,
        _client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        props: Properties | None,
    ) -> None:
        if self._opened.done():
            return
        if reason.is_failure:
            refusal = VersionRefused if reason.value == _UNSUPPORTED_VERSION else TransportError
            self._opened.set_exception(refusal(f"the broker refuses the connection: {reason}"))
            return
        if self.version == MQTTv5 and props is not None:
            self.receive_max = getattr(props, "ReceiveMaximum", RECEIVE_MAX_DEFAULT)
            self.packet_bytes_max = getattr(props, "MaximumPacketSize", None)
        self._opened.set_result(None)

    def _told_disconnect(
        self,
        _client: Client,
        _userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        if not self._attached:
            return
        by_broker = flags.is_disconnect_packet_from_server
        said = f"the broker ended the connection: {reason}" if by_broker else f"connection lost: {reason}"
        if not self._opened.done():
            self._opened.set_exception(HungUp("the broker closed the connection without an answer"))
        self._lose(said)

    def _told_publish(
        self, _client: Client, _userdata: object, mid: int, reason: ReasonCode, _props: Properties | None
    ) -> None:
        self._on_ack(mid, reason.value if self.version == MQTTv5 else 0)


_UNSUPPORTED_VERSION = 0x84

# Header, topic length, message id, and our own properties with room to spare.
_PACKET_FRAME_BYTES = 200
