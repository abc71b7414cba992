# SPDX-License-Identifier: Apache-2.0
"""`zonegate label`: to a file, to standard output, to a ready printer. Nothing else uses a number up."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from edge.config import read_config
from edge.sscc import SsccCounter
from gs1 import sscc_of
from simulators.printer import LabelPrinter
from tests.gs1.pictures import picture_of_svg, read_by_zxing
from tests.gs1.zpl_reader import fields
from zonegate.cli import main
from zonegate.printing import Printer, PrinterError, parse_address

GTIN = "09521999001010"
FIRST, SECOND = sscc_of("9521999", 0, 1), sscc_of("9521999", 0, 2)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A node whose counter was begun; the path of its file."""
    for name in ("store", "anchor"):
        (tmp_path / name).mkdir()
    path = tmp_path / "zonegate.toml"
    path.write_text(
        f'[node]\ntenant = "t"\nzone = "z"\nid = "n"\nstore = "{tmp_path}/store"\n'
        f'anchor = "{tmp_path}/anchor"\n'
        'timezone = "UTC"\n[labels]\ncompany_prefix = "9521999"\nfirst = 1\nlast = 9\n[[door]]\nid = "d1"\n'
    )
    counter_of(str(path)).begin()
    return str(path)


def counter_of(config: str) -> SsccCounter:
    found = read_config(Path(config))
    assert found.labels is not None
    return SsccCounter(found.store, found.anchor, found.labels)


def left(config: str) -> int:
    return counter_of(config).left()


async def told(*args: str) -> int:
    """The command in a thread of its own, so that the printer's loop goes on."""
    return await asyncio.to_thread(main, ["label", *args])


def codes(zpl: str) -> list[str]:
    return [field.text for field in fields(zpl) if field.kind == "BC"]


def test_zpl_goes_to_standard_output(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["label", "sscc", "--config", config, "--number", "2", "--line", "Example Zone 999"]) == 0
    assert codes(capsys.readouterr().out) == ["00" + FIRST, "00" + SECOND]
    assert left(config) == 7


def test_svg_labels_get_a_file_each_and_are_read_back(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    more = ["--form", "svg", "--gtin", GTIN, "--count", "40", "--lot", "A-1", "--dpi", "300", "--rectangular"]
    assert main(["label", "sscc", "--config", config, "--number", "2", "--out", str(folder), *more]) == 0
    assert capsys.readouterr().out.split() == [FIRST, SECOND]
    assert sorted(path.name for path in folder.iterdir()) == [f"{FIRST}.svg", f"{SECOND}.svg"]
    found = read_by_zxing(picture_of_svg((folder / f"{SECOND}.svg").read_text()))
    assert found == {"]C1": "00" + SECOND, "]d2": f"00{SECOND}02{GTIN}3740\x1d10A-1"}


def test_a_lots_label_needs_no_counter(tmp_path: Path) -> None:
    out = tmp_path / "lot.zpl"
    lot = ["label", "lot", "--gtin", GTIN, "--lot", "Z-1", "--out", str(out)]
    assert main([*lot, "--element", "422=392", "--number", "3"]) == 0
    assert codes(out.read_text()) == [f"01{GTIN}10Z-1"]
    assert "^PQ3\n" in out.read_text()
    assert main([*lot, "--form", "svg"]) == 0
    assert read_by_zxing(picture_of_svg(out.read_text()))["]C1"] == f"01{GTIN}10Z-1"


async def test_a_ready_printer_gets_the_labels_and_the_numbers_are_told(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with LabelPrinter() as printer:
        capsys.readouterr()
        assert await told("sscc", "--config", config, "--number", "2", "--printer", printer.address) == 0
        assert capsys.readouterr().out.split() == [FIRST, SECOND]
        assert [codes(label) for label in printer.labels] == [["00" + FIRST], ["00" + SECOND]]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [({"out_of_labels": True}, "is out of labels"), ({"paused": True}, "is paused"),
     ({"head_open": True}, "is open"),
     ({"out_of_ribbon": True}, "is out of ribbon"), ({"breaks_after": 0}, "connection")],
)  # fmt: skip
async def test_a_printer_that_cannot_print_uses_no_number_up(
    config: str, capsys: pytest.CaptureFixture[str], trouble: dict[str, int], words: str
) -> None:
    async with LabelPrinter(**trouble) as printer:  # type: ignore[arg-type]
        assert await told("sscc", "--config", config, "--printer", printer.address) == 1
    error = capsys.readouterr().err
    assert words in error
    assert "nothing was sent" in error
    assert left(config) == 9


async def test_a_cable_that_breaks_while_printing_tells_which_numbers_are_used_up(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with LabelPrinter(breaks_after=50) as printer:
        assert await told("sscc", "--config", config, "--printer", printer.address) == 1
    assert f"used up and not printed: {FIRST}" in capsys.readouterr().err
    assert left(config) == 8


async def test_a_printer_that_never_answers_is_given_up() -> None:
    def open_it() -> None:
        with Printer(printer.address, answer_s_max=0.2):
            pass

    async with LabelPrinter(silent=True) as printer:
        with pytest.raises(PrinterError, match="does not answer; nothing was sent"):
            await asyncio.to_thread(open_it)


def test_a_printer_that_is_not_there_is_told(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert main(["label", "sscc", "--config", config, "--printer", f"127.0.0.1:{port}"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert left(config) == 9


@pytest.mark.parametrize(
    ("address", "place"),
    [("printer", ("printer", 9100)), ("10.0.0.7:6101", ("10.0.0.7", 6101)), ("[::1]:9", ("::1", 9))],
)
def test_an_address_is_a_host_and_a_port(address: str, place: tuple[str, int]) -> None:
    assert parse_address(address) == place


@pytest.mark.parametrize("address", ["", "a b", "a:0", "a:65536", "a:b", "http://a", "[::1", "a:1:2"])
def test_anything_else_is_no_address(address: str) -> None:
    with pytest.raises(PrinterError, match="expected host or host:port"):
        parse_address(address)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--gtin", GTIN], 1, "AI 02"), (["--line", "x" * 41], 1, "expected 1 to 40"),
        (["--width-mm", "30"], 1, "take a wider"),
        (["--number", "10"], 1, "9 numbers are left"),
        (["--form", "svg", "--number", "2"], 2, "--out with a folder"),
        (["--form", "svg", "--printer", "a"], 2, "takes ZPL"),
        (["--lot", "A^B", "--gtin", GTIN, "--count", "1"], 1, "10"),
    ],
)  # fmt: skip
def test_what_cannot_be_printed_uses_no_number_up(
    config: str, capsys: pytest.CaptureFixture[str], args: list[str], code: int, words: str
) -> None:
    assert main(["label", "sscc", "--config", config, *args]) == code
    assert words in capsys.readouterr().err
    assert left(config) == 9


def test_a_file_that_cannot_be_written_tells_the_numbers_it_cost(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["label", "sscc", "--config", config, "--out", str(tmp_path / "gone" / "x.zpl")]) == 1
    assert f"used up and not printed: {FIRST}" in capsys.readouterr().err


def test_the_counter_is_begun_once_and_says_what_is_left(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", "begin", "--config", config]) == 1
    assert "stands at 1 already" in capsys.readouterr().err
    assert main(["label", "left", "--config", config]) == 0
    assert capsys.readouterr().out == "9\n"


def test_a_node_without_a_range_is_told_what_to_set(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(config)
    path.write_text(
        path.read_text().replace('[labels]\ncompany_prefix = "9521999"\nfirst = 1\nlast = 9\n', "")
    )
    assert main(["label", "left", "--config", config]) == 2
    assert "has no [labels]: set company_prefix" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args", [["--element", "422"], ["--number", "100"], ["--form", "svg", "--number", "2"]]
)
def test_a_lots_call_that_cannot_be_right_is_refused(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", "lot", "--gtin", GTIN, "--lot", "A", *args]) == 2
    assert "expected" in capsys.readouterr().err
