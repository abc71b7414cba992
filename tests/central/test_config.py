# SPDX-License-Identifier: Apache-2.0
"""The center's configuration: the first syntax error, or every fault of meaning at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.config import CentralConfig, Tls, read_config
from central.errors import ConfigError

SOUND = """
[central]
tenant = "example"
zone = "zone-999"
database = "postgresql://center:secret@db/zonegate"
data = "center"
listen = "[::1]:8430"
timezone = "America/Chicago"
hosts = ["center.example"]
[central.tls]
cert = "cert.pem"
key = "/etc/key.pem"
[node]
ignored = "here"
"""


def read(folder: Path, text: str) -> CentralConfig:
    file = folder / "zonegate.toml"
    file.write_text(text)
    return read_config(file)


def test_a_sound_file_is_read_with_its_paths_beside_it(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND)
    assert config == CentralConfig(
        "example",
        "zone-999",
        "postgresql://center:secret@db/zonegate",
        tmp_path / "center",
        "[::1]:8430",
        "America/Chicago",
        ("center.example",),
        Tls(tmp_path / "cert.pem", Path("/etc/key.pem")),
    )


def test_defaults_listen_on_loopback_only(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND.split("listen", maxsplit=1)[0])
    assert (config.listen, config.timezone, config.hosts, config.tls) == ("127.0.0.1:8430", "UTC", (), None)


def test_a_syntax_error_is_told_first_and_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"zonegate.toml is no TOML: .*line 3") as caught:
        read(tmp_path, "\n[central]\ntenant = \nzone = 5\n")
    assert "\n" not in str(caught.value)


def test_all_faults_of_meaning_are_told_at_once_and_no_password(tmp_path: Path) -> None:
    text = """
[central]
tenant = "Example!"
database = "mysql://center:secret@db/x"
data = ""
listen = "8430"
timezone = "Mars/Olympus"
hosts = "center.example"
color = "red"
[central.tls]
cert = 5
"""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    lines = str(caught.value).splitlines()
    keys = [line.split(": ")[1] for line in lines]
    assert sorted(keys) == sorted(
        f"central.{name}"
        for name in (
            "tenant", "zone", "database", "data", "listen", "timezone", "hosts", "tls.cert", "tls.key",
            "color",
        )
    )  # fmt: skip
    assert all("expected" in line for line in lines)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "central = 5", "[node]\nid='x'\n"])
def test_a_file_without_a_center_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a table \[central\]"):
        read(tmp_path, text)


def test_a_missing_or_unreadable_file_is_told_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "zonegate.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="no TOML"):
        read_config(tmp_path / "zonegate.toml")
