# SPDX-License-Identifier: Apache-2.0
"""Settings of the broker's link: what cannot work is said before anything is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.broker import BrokerSettings
from sync.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "address", "tls"),
    [
        ("mqtt://broker", ("broker", 1883), False),
        ("mqtts://broker.example.com", ("broker.example.com", 8883), True),
        ("mqtt://127.0.0.1:2883/", ("127.0.0.1", 2883), False),
        ("mqtts://[::1]:9", ("::1", 9), True),
    ],
)
def test_an_address_is_read(url: str, address: tuple[str, int], tls: bool) -> None:
    settings = BrokerSettings(url, "dock1")
    assert (settings.address, settings.tls) == (address, tls)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "http://broker"}, "expected mqtt://host:port"),
        ({"url": "broker:1883"}, "expected mqtt://host:port"),
        ({"url": "mqtt://"}, "expected mqtt://host:port"),
        ({"url": "mqtt://broker:0"}, "expected mqtt://host:port"),
        ({"url": "mqtt://broker:99999"}, "expected mqtt://host:port"),
        ({"url": "mqtt://broker/topic"}, "expected mqtt://host:port"),
        ({"url": "mqtt://broker?x=1"}, "expected mqtt://host:port"),
        ({"url": "mqtt://me:secret@broker"}, "mqtt.username and mqtt.password"),
        ({"certificate": Path("a.pem")}, "belong together"),
        ({"url": "mqtt://broker", "ca": Path("a.pem")}, "need a mqtts:// address"),
        ({"password": "secret"}, "without mqtt.username"),
        ({"further": ("mqtts://two", "two:1883")}, "mqtt.further cannot be used"),
        ({"further": ("mqtts://me:secret@two",)}, "mqtt.further holds a user name"),
        ({"further": ("mqtt://two",)}, "all mqtt:// or all mqtts://"),
    ],
)
def test_settings_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        BrokerSettings(**{"url": "mqtts://broker", "client_id": "dock1", **options})


def test_the_addresses_of_a_cluster_are_taken_in_turn() -> None:
    settings = BrokerSettings("mqtt://one", "dock1", username="me", further=("mqtt://two", "mqtt://three:9"))
    assert [settings.at(turn).address for turn in range(4)] == [
        ("one", 1883),
        ("two", 1883),
        ("three", 9),
        ("one", 1883),
    ]
    assert settings.at(2) == BrokerSettings("mqtt://three:9", "dock1", username="me")


def test_a_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(SettingsError) as refused:
        BrokerSettings("mqtt://me:secret@broker", "dock1")
    assert "secret" not in str(refused.value)


def test_files_that_are_no_certificates_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"ca\.pem cannot be used"):
        BrokerSettings("mqtts://broker", "dock1", ca=wrong).ssl_context()
