# SPDX-License-Identifier: Apache-2.0
"""`zonegate.toml` of a node: a good one, the first syntax error, and all faults of a bad one at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from drivers.camera import Region
from edge.config import DoorConfig, MqttConfig, NodeConfig, parse_config, read_config
from edge.errors import ConfigError
from edge.passage import Antenna, Eye
from edge.sscc import SsccRange
from tests.source import ROOT

SMALL = """
[node]
tenant = "example"
zone = "zone-999"
id = "dock-1"
store = "/var/lib/zonegate/dock-1"
anchor = "/media/anchor/dock-1"
timezone = "America/Chicago"

[[door]]
id = "d1"
"""

WHOLE = """
[node]
tenant = "example"
zone = "zone-999"
id = "dock-1"
store = "/var/lib/zonegate/dock-1"
anchor = "/media/anchor/dock-1"
timezone = "America/Chicago"
clock = "host"
reserve_mb = 128
store_mb_max = 4096
retention_days = 3650

[web]
listen = "[::1]:8421"
hosts = ["dock-1.example.org"]

[center]
url = "https://center.example.org:8430"
pin = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
code = "AAAA-BBBB-CCCC"

[mqtt]
url = "mqtts://broker.example.org:8883"
further = ["mqtts://broker2.example.org:8883"]
username = "dock-1"
password = "secret"
ca = "/etc/zonegate/ca.pem"
certificate = "/etc/zonegate/dock-1.pem"
key = "/etc/zonegate/dock-1.key"
skip_older_than_days = 30
vocabulary = "https://terms.example.org/"
records = "https://dock-1.example.org/records/"

[labels]
company_prefix = "9521999"
extension = 3
first = 1000
last = 1999

[[door]]
id = "d1"
name = "Door 1, inbound"
devices = ["serial:///dev/serial/by-id/usb-Example_Scanner-if00?baud=9600"]
no_read = "NR"
reads_per_second = 10

[[door]]
id = "d2"
"""


def config(text: str, tmp_path: Path) -> NodeConfig:
    path = tmp_path / "zonegate.toml"
    path.write_text(text)
    return read_config(path)


def faults(text: str, tmp_path: Path) -> list[str]:
    """The lines of the refusal behind the first."""
    with pytest.raises(ConfigError) as refused:
        config(text, tmp_path)
    first, *lines = str(refused.value).splitlines()
    assert first == f"{tmp_path / 'zonegate.toml'} has {len(lines)} faults:"
    assert all(re.fullmatch(r"  [\w.\[\]]+: came .+, expected .+", line) for line in lines), lines
    return [line.strip() for line in lines]


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    small = config(SMALL, tmp_path)
    assert small == NodeConfig(
        tenant="example",
        zone="zone-999",
        node="dock-1",
        store=Path("/var/lib/zonegate/dock-1"),
        anchor=Path("/media/anchor/dock-1"),
        timezone="America/Chicago",
        doors=(DoorConfig("d1", "d1"),),
    )
    assert (small.listen, small.clock, small.doors[0].no_read) == ("127.0.0.1:8420", "kernel", "NOREAD")


def test_a_whole_file_is_read_to_its_last_key(tmp_path: Path) -> None:
    whole = config(WHOLE, tmp_path)
    assert (whole.listen, whole.hosts, whole.clock) == ("[::1]:8421", ("dock-1.example.org",), "host")
    assert whole.center is not None
    assert whole.center.code == "AAAA-BBBB-CCCC"
    assert isinstance(whole.mqtt, MqttConfig)
    assert whole.mqtt.skip_older_than_days == 30
    assert whole.mqtt.further == ("mqtts://broker2.example.org:8883",)
    assert whole.labels == SsccRange("9521999", 3, 1000, 1999)
    assert [(door.name, door.no_read, door.reads_per_second) for door in whole.doors] == [
        ("Door 1, inbound", "NR", 10),
        ("d2", "NOREAD", 20),
    ]


@pytest.mark.parametrize("text", ["[node", "a = ", "[node]\nid = 'x'\nid = 'y'\n", "[node]\nid = \x00"])
def test_the_first_syntax_error_is_told_with_its_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"zonegate\.toml is no TOML: .*(line|end of document)"):
        config(text, tmp_path)


def test_a_quota_too_small_for_its_ballast_is_told(tmp_path: Path) -> None:
    def told(quota: int) -> list[str]:
        return faults(SMALL.replace("[node]", f"[node]\nstore_mb_max = {quota}"), tmp_path)

    assert told(255) == ["node.store_mb_max: came 255, expected 0, or at least 256: some reserves"]
    assert config(SMALL.replace("[node]", "[node]\nstore_mb_max = 256"), tmp_path).store_mb_max == 256


def test_a_range_of_numbers_for_labels_is_all_that_its_prefix_leaves_if_nothing_is_said(
    tmp_path: Path,
) -> None:
    text = '[labels]\ncompany_prefix = "9521999"\n'
    assert config(SMALL + text, tmp_path).labels == SsccRange("9521999", 0, 0, 999_999_999)
    assert faults(SMALL + text + "last = 1000000000\nfirst = 7\nextension = 10", tmp_path) == [
        "labels.extension: came 10, expected 0 to 9",
        "labels.last: came 1000000000, expected 7 to 999999999",
    ]
    assert faults(SMALL + text.replace("9521999", "95219x"), tmp_path) == [
        "labels.company_prefix: came '95219x', expected the 4 to 12 digits of a GS1 company prefix"
    ]


def test_a_file_that_is_not_there_is_told_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: No such file.*--config"):
        read_config(tmp_path / "missing.toml")


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "z.toml").write_bytes(b'[node]\nid = "\xff"')
    with pytest.raises(ConfigError, match=r"not UTF-8 \(byte 13\)"):
        read_config(tmp_path / "z.toml")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = """
        [node]
        tenant = "Example Zone"
        zone = ""
        id = 7
        timezone = "Chicago"
        clock = "sundial"
        reserve_mb = true
        colour = "red"
        [web]
        listen = "8420"
        hosts = ["a", 1]
        [center]
        url = "ftp://center"
        pin = "beef"
        [mqtt]
        url = "mqtt://broker"
        password = "x"
        certificate = "c.pem"
        [[door]]
        id = "d 1"
        devices = ["usb0", "serial:///dev/ttyS0?baud=fast"]
        reads_per_second = 0
        [[door]]
        id = "d2"
        name = 5
        devises = []
        [[door]]
        id = "d2"
        [node2]
    """
    found = faults(text, tmp_path)
    keys = [line.split(":", 1)[0] for line in found]
    assert sorted(keys) == sorted(
        [
            "node.tenant",
            "node.zone",
            "node.id",
            "node.store",
            "node.anchor",
            "node.timezone",
            "node.clock",
            "node.reserve_mb",
            "node.colour",
            "web.listen",
            "web.hosts[1]",
            "center.url",
            "center.pin",
            "mqtt.url",
            "mqtt.certificate",
            "mqtt.username",
            "door[1].id",
            "door[1].devices[0]",
            "door[1].devices[1]",
            "door[1].reads_per_second",
            "door[2].name",
            "door[2].devises",
            "door.id",
            "node2",
        ]
    )
    assert "node.tenant: came 'Example Zone', expected 1 to 40 of a-z, 0-9, - and _" in found
    assert "node.store: came nothing, expected a text" in found
    assert "node.clock: came 'sundial', expected kernel or host" in found
    assert "node.reserve_mb: came True, expected a whole number" in found
    assert "door[1].reads_per_second: came 0, expected 1 to 1000" in found


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('id = "d1"', 'id = "d1"\nnme = "x"'), "door[1].nme"),
        (("[node]", "nodes = 3\n[node]"), "nodes"),
        (("[[door]]", "[web]\nport = 1\n[[door]]"), "web.port"),
        (("[[door]]", '[mqtt]\nurl = "mqtt://b"\nuser = "x"\n[[door]]'), "mqtt.user"),
        (("[[door]]", '[center]\nurl = "http://c"\ntoken = "x"\n[[door]]'), "center.token"),
    ],
)
def test_a_misspelled_key_is_a_fault_and_the_known_ones_are_named(
    change: tuple[str, str], key: str, tmp_path: Path
) -> None:
    [fault] = faults(SMALL.replace(*change), tmp_path)
    assert fault.startswith(f"{key}: came a key that is not known here, expected one of ")


@pytest.mark.parametrize(
    "url",
    [
        "center",
        "http://",
        "http://[::1",
        "http://host:port",
        "http://host:99999",
        "http://host:0",
        "file:///etc/passwd",
        "HTTP//x",
    ],
)
def test_a_bad_url_is_a_fault(url: str, tmp_path: Path) -> None:
    [fault] = faults(f'{SMALL}\n[center]\nurl = "{url}"\n', tmp_path)
    assert fault == f"center.url: came {url!r}, expected a URL such as http://host:port"


@pytest.mark.parametrize(
    "zone", ["Chicago", "../../etc/passwd", "/etc/localtime", "America", "zone.tab", "\\u0000"]
)
def test_a_bad_time_zone_is_a_fault(zone: str, tmp_path: Path) -> None:
    [fault] = faults(SMALL.replace("America/Chicago", zone), tmp_path)
    assert fault.startswith("node.timezone: came ")


@pytest.mark.parametrize("listen", ["8420", "127.0.0.1", "127.0.0.1:99999", ":8420", "host:http", "a b:1"])
def test_a_bad_address_to_listen_on_is_a_fault(listen: str, tmp_path: Path) -> None:
    [fault] = faults(f'{SMALL}\n[web]\nlisten = "{listen}"\n', tmp_path)
    assert fault.startswith("web.listen: came ")


def test_store_and_anchor_in_one_folder_are_a_fault(tmp_path: Path) -> None:
    text = SMALL.replace("/media/anchor/dock-1", "/var/lib/zonegate/../zonegate/dock-1")
    [fault] = faults(text, tmp_path)
    assert fault.startswith("node.anchor: came the same folder")


@pytest.mark.parametrize("text", ["door = {}", 'door = "d1"', "door = [1]"])
def test_doors_that_are_no_tables_are_faults(text: str, tmp_path: Path) -> None:
    found = faults(f"{text}\n{SMALL.split('[[door]]', 1)[0]}", tmp_path)
    assert any("door" in fault for fault in found)


def test_a_table_that_is_none_is_a_fault(tmp_path: Path) -> None:
    assert faults(f"web = 1\nmqtt = 2\n{SMALL}", tmp_path)


@pytest.mark.parametrize(
    ("mqtt", "key"),
    [
        ('url = "mqtt://b"\nca = "ca.pem"', "mqtt.url"),
        ('url = "mqtts://b"\nkey = "k.pem"', "mqtt.certificate"),
        ('url = "mqtt://b"\npassword = "p"', "mqtt.username"),
        ('url = "mqtts://b"\nfurther = ["mqtts://c", "mqtt://d"]', "mqtt.further"),
        ('url = "mqtt://b"\nfurther = ["c:1883"]', "mqtt.further"),
    ],
)
def test_settings_of_the_broker_that_cannot_work_together_are_faults(
    mqtt: str, key: str, tmp_path: Path
) -> None:
    [fault] = faults(f"{SMALL}\n[mqtt]\n{mqtt}\n", tmp_path)
    assert fault.startswith(f"{key}: ")


GATE = """
[[reader]]
name = "gate-1"
url = "llrps://192.0.2.20"
profile = "direction"
power_dbm = 27.5
session = 1
tid = true
pin = "PIN"

[[reader.antenna]]
port = 1
door = "d1"
side = "outer"

[[reader.antenna]]
port = 2
door = "d1"
side = "inner"
power_dbm = 24

[[reader.eye]]
port = 3
door = "d1"
place = "height"
blocked_when = "low"

[[reader.output]]
port = 1
door = "d1"
shows = "stop"

[[reader.output]]
port = 2
door = "d1"
shows = "go"

[gate]
confidence_min = 900

[[camera]]
name = "eye-1"
url = "camera+rtsp://user:secret@192.0.2.7/stream1"
door = "d1"
formats = ["qr"]
prefixes = ["]C100"]

[[camera.region]]
left = 10
top = 0
right = 90
bottom = 100
""".replace("PIN", "ab" * 32)


def test_readers_cameras_and_the_gate_are_read(tmp_path: Path) -> None:
    node = config(SMALL + GATE, tmp_path)
    [reader] = node.readers
    assert reader.doors == ("d1",)
    assert reader.antennas == (Antenna("gate-1", 1, "d1", "outer"), Antenna("gate-1", 2, "d1", "inner"))
    assert reader.eyes == (Eye("gate-1", 3, "d1", "height", blocked_when=False),)
    assert [(lamp.port, lamp.shows, lamp.safe) for lamp in reader.outputs] == [
        (1, "stop", True),
        (2, "go", False),
    ]
    settings = reader.settings
    assert (settings.antennas, settings.inputs, settings.outputs) == ((1, 2), (3,), {1: True, 2: False})
    assert (settings.power_dbm, settings.antenna_power_dbm) == (27.5, {2: 24.0})
    assert (settings.session, settings.mode, settings.tid) == (1, None, True)
    assert settings.pallets_first
    [other] = config(SMALL + GATE.replace("tid = true", "pallets_first = false"), tmp_path).readers
    assert (other.settings.pallets_first, other.settings.tid) == (False, False)
    assert settings.tls is not None
    assert settings.tls.pin == "ab" * 32
    assert (node.gate.confidence_min, node.gate.settle_ms) == (900, 500)
    assert node.layout.antennas == reader.antennas
    [camera] = node.cameras
    assert (camera.door, camera.settings.formats, camera.settings.prefixes) == ("d1", ("qr",), ("]C100",))
    assert camera.settings.regions == (Region(10, 0, 90, 100),)


def test_every_fault_of_readers_and_cameras_is_told_at_once(tmp_path: Path) -> None:
    text = GATE.replace('url = "llrps://192.0.2.20"', 'url = "http://192.0.2.20"')
    text = text.replace('side = "inner"', 'side = "left"').replace("port = 2\ndoor", "port = 1\ndoor")
    text = text.replace('blocked_when = "low"', 'blocked_when = "open"').replace("port = 3", 'port = "3"')
    text = text.replace('shows = "go"', 'shows = "go"\nsafe = "on"').replace("session = 1", "session = 9")
    text = text.replace("power_dbm = 27.5", "power_dbm = 90").replace("tid = true", 'tid = "yes"')
    text = text.replace("confidence_min = 900", "confidence_min = 9000\nrise_bd = 3")
    text = text.replace('formats = ["qr"]', 'formats = ["quick"]').replace("right = 90", "right = 5")
    text = text.replace('door = "d1"\nformats', 'door = "d7"\nformats').replace('"eye-1"', '"gate-1"')
    text = text.replace('pin = "' + "ab" * 32, 'pallets_first = 1\npin = "abc')
    told = "\n".join(faults(SMALL + text, tmp_path))
    for fault in (
        "reader[1].url: came 'http://192.0.2.20', expected",
        "reader[1].antenna[2].side: came 'left', expected outer or inner or middle",
        "reader.antenna.port: came 1 twice at gate-1, expected every port once",
        "reader.output.port: came 1 twice at gate-1, expected every port once",
        "reader[1].eye[1].port: came '3', expected a whole number",
        "reader[1].eye[1].blocked_when: came 'open', expected high or low",
        "reader.output.safe: came 'on' for a lamp that shows go, expected off",
        "reader[1].session: came 9, expected 0 to 3",
        "reader[1].power_dbm: came 90, expected a number of -10 to 36",
        "reader[1].tid: came 'yes', expected true or false",
        "reader[1].pallets_first: came 1, expected true or false",
        "reader.pin: came pin 'abc'",
        "gate.confidence_min: came 9000, expected",
        "gate.rise_bd: came a key that is not known here",
        "camera.formats: came 'quick', expected of code-128",
        "camera.region: came region left 10, top 0, right 5",
        "camera.name: came 'gate-1' twice, expected every device's name once",
        "camera.door: came 'd7' at gate-1, expected one of d1",
    ):
        assert fault in told, fault


def test_a_reader_with_nothing_to_hear_with_is_a_fault(tmp_path: Path) -> None:
    told = "\n".join(faults(SMALL + "[[reader]]\n[[camera]]\n[[reader.antenna]]\n", tmp_path))
    for fault in (
        "reader[1].name: came nothing",
        "reader[1].url: came nothing",
        "reader[1].antenna[1].port: came nothing, expected a whole number",
        "reader[1].antenna[1].door: came nothing",
        "reader[1].antenna[1].side: came nothing, expected a text",
        "camera[1].door: came nothing",
    ):
        assert fault in told, fault
    with pytest.raises(ConfigError, match=r"reader.antenna: came none at gate-1, expected at least one"):
        config(SMALL + '[[reader]]\nname = "gate-1"\nurl = "llrp://h"\n', tmp_path)


def test_a_site_s_own_codes_are_read_and_bad_ones_refused_with_their_reason() -> None:
    data: dict[str, Any] = {
        "node": {"tenant": "t", "zone": "z", "id": "n", "store": "/s", "anchor": "/a", "timezone": "UTC"},
        "door": [{"id": "in"}],
        "code": [{"name": "bin", "pattern": "WH7-{part:digits 6}"}],
    }
    assert parse_config(data, "x").codes == (("bin", "WH7-{part:digits 6}"),)
    data["code"] += [{"name": "b", "pattern": "{part:digits 12}"}, {"name": "c", "pattern": r"^(a+)+$"}]
    with pytest.raises(ConfigError) as refused:
        parse_config(data, "x")
    assert "has 2 faults" in str(refused.value)
    assert "could be a GTIN of 12 digits as well" in str(refused.value)
    assert "this is no regular expression" in str(refused.value)


def known_keys() -> set[str]:
    """Every key of every table, as the refusal of a misspelled one names them."""
    tables = {"node", "web", "center", "mqtt", "labels", "gate"}
    lists = {"door": (), "code": (), "reader": ("antenna", "eye", "output"), "camera": ("region",)}
    data: dict[str, Any] = {name: {"zz": 1} for name in tables}
    for name, below in lists.items():
        data[name] = [{"zz": 1, **{key: [{"zz": 1}] for key in below}}]
    with pytest.raises(ConfigError) as refused:
        parse_config(data, "x")
    named = re.findall(r"([\w.]+)\.zz: came .*, expected one of (.*)", str(refused.value).replace("[1]", ""))
    further = {f"{name}.{key}" for name, below in lists.items() for key in below}
    assert {table for table, _ in named} == tables | set(lists) | further
    return {f"{table}.{key}" for table, keys in named for key in keys.split(", ")} - further


def documented_keys(text: str) -> set[str]:
    """The keys of a page's tables: `key` in the first column, under a heading that names the table."""
    found, table = set(), ""
    for line in text.splitlines():
        if match := re.match(r"###? `\[+([\w.]+)\]+`", line):
            table = match[1]
        elif match := re.match(r"\| `(\w+)` \|", line):
            found.add(f"{table}.{match[1]}")
    return found


def test_every_key_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "operate" / "configuration.md").read_text()
    assert len(known_keys()) > 20
    assert documented_keys(page) == known_keys()


def test_the_documents_example_is_a_good_file(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operate" / "configuration.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        config(example, tmp_path)
