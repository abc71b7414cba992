# SPDX-License-Identifier: Apache-2.0
"""`zonegate decode`: codes, links and tags as arguments, and lines of any content on standard input."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonegate import decode as command
from zonegate.cli import main
from zonegate.decode import LINE_BYTES_MAX

GTIN, SSCC = "09520123456788", "095201234567891235"
SGTIN_96 = "3066C4409047E140075BCD15"
SSCC_PLUS = "F90095201234567891235"
PROGRAM = [sys.executable, "-m", "zonegate", "decode", "--jsonl"]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["decode", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    return code, [json.loads(line) for line in out.splitlines()]


def answered(text: bytes, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run([*PROGRAM, *arguments], input=text, capture_output=True, timeout=60, check=False)
    assert done.stderr == b""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_codes_links_and_tags_are_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    code, answers = told(
        capsys,
        f"]C100{SSCC}",
        "--link",
        f"https://a.example/00/{SSCC}",
        "--epc",
        SSCC_PLUS,
        "--epc",
        "311BA1B300CE0A6A83000000",
        "--pc",
        "3000",
    )
    assert code == 0
    assert {answer["identity"] for answer in answers} == {f"https://id.gs1.org/00/{SSCC}"}
    assert [answer["carrier"] for answer in answers] == ["GS1-128", "link", "RFID tag", "RFID tag"]
    assert answers[3]["tag_uri"] == "urn:epc:tag:sscc-96:0.952012.03456789123"


def test_separators_are_written_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, [label, envelope] = told(capsys, rf"]C101{GTIN}10L1\x1d21S1", r"]d1[)>\x1e06\x1dPA1\x1dQ5\x1e\x04")
    assert code == 0
    assert label["elements"] == {"01": GTIN, "10": "L1", "21": "S1"}
    assert envelope["elements"] == {"P": "A1", "Q": "5"}


def test_every_line_has_its_answer_whatever_it_is() -> None:
    lines: list[bytes] = [
        json.dumps({"scan": f"]C100{SSCC}", "id": 1}).encode(),
        json.dumps({"scan": f"]C101{GTIN}10L1\x1d21S1"}).encode(),
        json.dumps({"scan": f"\x1d01{GTIN}10L1\x1d21S1"}).encode(),
        json.dumps({"scan": f"(01){GTIN}(10)L1"}).encode(),
        json.dumps({"epc": SGTIN_96, "pc": "3000"}).encode(),
        json.dumps({"epc": SSCC_PLUS}).encode(),
        json.dumps({"link": f"https://a.example/x/01/{GTIN}"}).encode(),
        b"", b"no json", b"\xff\xfe", b"[1]", b'"a"', b"{}", b'{"scan": 1}', b'{"scan": null}',
        b'{"scan": "a", "epc": "00"}', b'{"epc": "0x30"}', b'{"epc": ""}', b'{"epc": "30", "pc": 3000}',
        b'{"epc": "30", "pc": "30000"}', b'{"link": []}', b'{"scan": "a", "today": "soon"}',
        b'{"scan": "a", "lenient": "yes"}', b'{"scan": "a", "company_prefix_digits": true}',
        b'{"scan": "\\ud800"}', b"[" * 10_000, b'{"scan": ' + b"1" * 5_000 + b"}",
        b'{"scan": "' + b"1" * 60_000 + b'"}', b'{"scan": "' + b"1" * LINE_BYTES_MAX + b'"}',
        json.dumps({"scan": f"]C100{SSCC}", "id": "last"}).encode(),
    ]  # fmt: skip
    code, answers = answered(b"\n".join(lines))
    assert code == 1
    assert len(answers) == len(lines)
    assert [answer["ok"] for answer in answers] == [True] * 7 + [False] * (len(lines) - 8) + [True]
    assert [answers[0]["id"], answers[-1]["id"]] == [1, "last"]
    assert all(answer["errors"] for answer in answers if not answer["ok"])
    codes = [answer["errors"][0]["code"] for answer in answers[7:-1]]
    assert codes == [
        "not_json", "not_json", "not_utf8", "shape", "shape", "shape", "shape", "shape", "shape", "hex",
        "hex", "shape", "hex", "shape", "shape", "shape", "shape", "not_ascii", "not_json", "not_json",
        "too_long",
        "line_too_long",
    ]  # fmt: skip
    assert all(len(json.dumps(answer)) < 2_000 for answer in answers)


def test_options_are_arguments_or_stand_in_the_line() -> None:
    link, short = f"https://a.example/gtin/{GTIN}", f"https://a.example/01/{GTIN[1:]}"
    wrong = f"]C101{GTIN}17261340"
    plain = [{"link": link}, {"link": short}, {"scan": wrong}, {"scan": f"]C101{GTIN}21S1"}]
    in_line: list[dict[str, Any]] = [
        {"link": link, "short_names": True},
        {"link": short, "short_gtins": True},
        {"scan": wrong, "lenient": True},
        {"scan": f"]C101{GTIN}21S1", "company_prefix_digits": 7},
        {"scan": f"]C101{GTIN}17760101", "today": "2026-01-01"},
        {"scan": f"]C101{GTIN}17760101", "today": "2025-01-01"},
    ]
    strict = answered("\n".join(map(json.dumps, plain)).encode())[1]
    said = answered("\n".join(map(json.dumps, in_line)).encode())[1]
    arguments = ("--short-names", "--short-gtins", "--lenient", "--company-prefix-digits", "7")
    wide = answered("\n".join(map(json.dumps, plain)).encode(), *arguments)[1]
    assert [answer["identity"] for answer in strict[:3]] == [None, None, None]
    assert [answer["ok"] for answer in said[:4]] == [True, True, False, True]
    assert {answer["identity"] for answer in said[:3]} == {f"https://id.gs1.org/01/{GTIN}"}
    assert said[3]["epc_uri"] == "urn:epc:id:sgtin:9520123.045678.S1"
    assert [answer["dates"]["17"] for answer in said[4:]] == ["2076-01-01", "1976-01-01"]
    assert [answer["identity"] for answer in wide] == [answer["identity"] for answer in said[:4]]


def test_an_answer_leaves_before_the_next_line_comes() -> None:
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for number in range(3):
            program.stdin.write(json.dumps({"scan": f"]C100{SSCC}", "id": number}).encode() + b"\n")
            program.stdin.flush()
            ready, _, _ = select.select([program.stdout], [], [], 60)
            assert ready, "the program waits for more before it answers"
            assert json.loads(program.stdout.readline())["id"] == number
        program.stdin.close()
        assert program.wait(60) == 0


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    """300 MB in one line, under an address space that could not hold them."""
    limit = 250 << 20
    limited = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from zonegate.cli import main
sys.exit(main(["decode", "--jsonl"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", limited], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        block = b"1" * (1 << 20)
        for _ in range(300):
            program.stdin.write(block)
        program.stdin.write(b"\n" + json.dumps({"scan": SSCC}).encode())
        program.stdin.close()
        first, second = (json.loads(line) for line in program.stdout)
        assert program.wait(60) == 1
    assert first["errors"][0]["code"] == "line_too_long"
    assert second["ok"]


def test_a_reader_of_the_pipe_may_leave(tmp_path: Path) -> None:
    lines = json.dumps({"scan": SSCC}).encode() + b"\n"
    (tmp_path / "lines").write_bytes(lines * 20_000)
    with (tmp_path / "lines").open("rb") as source:
        program = subprocess.Popen(PROGRAM, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline()
        program.stdout.close()
        assert program.stderr.read() == b""
        program.stderr.close()
        assert program.wait(60) == 141


@pytest.mark.parametrize(
    "arguments",
    [[], ["--jsonl", SSCC], ["--pc", "3000"], ["--today", "soon", SSCC], ["--config", "nowhere.toml", SSCC]],
)
def test_a_wrong_call_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["decode", *arguments])
    assert ended.value.code == 2
    assert "zonegate decode: error" in capsys.readouterr().err


def test_the_site_s_own_codes_come_from_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "zonegate.toml"
    config.write_text(
        '[node]\ntenant = "t"\nzone = "z"\nid = "n"\ntimezone = "UTC"\n'
        f'store = "{tmp_path}/store"\nanchor = "{tmp_path}/anchor"\n'
        '[[door]]\nid = "in"\n[[code]]\nname = "bin"\npattern = "WH7-{part:digits 6}"\n'
    )
    code, [answer] = told(capsys, "WH7-004711", "--config", str(config))
    assert (code, answer["kind"], answer["elements"]) == (0, "part", {"part": "004711"})
    assert told(capsys, "WH7-004711")[0] == 1, "the control: not without them"


@given(st.binary(max_size=200))
def test_any_bytes_as_lines_have_as_many_answers(data: bytes) -> None:
    found = list(command._read_lines(io.BytesIO(data)))
    assert len(found) == len(data.split(b"\n")) - data.endswith(b"\n") - (data == b"")


values = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
)
names = st.sampled_from(["scan", "epc", "pc", "link", "today", "lenient", "id", "company_prefix_digits", "x"])


@given(st.dictionaries(names, values, max_size=6))
def test_any_object_has_an_answer(asked: dict[str, Any]) -> None:
    answer = command.decode(asked, date(2026, 11, 22))
    assert isinstance(answer["ok"], bool)
    assert answer["ok"] == (not answer["errors"])
    json.dumps(answer)


def test_answers_are_ascii_whatever_the_locale() -> None:
    done = subprocess.run(
        PROGRAM,
        check=False,
        input='{"scan": "\u00e4", "id": "\u00e4"}'.encode(),
        capture_output=True,
        timeout=60,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["id"] == "\u00e4"
