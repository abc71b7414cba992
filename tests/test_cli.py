# SPDX-License-Identifier: Apache-2.0
"""The command line: commands explain themselves, exit codes say what they should, looking changes nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.anchor import Anchor
from edge.books import NodeBooks
from edge.clock import system_clocks
from edge.journal import Identity, Journal
from edge.store import JOURNAL_FILE, JournalReader
from gs1 import control_code, sscc_link, work_order_code
from tests.edge.yard import Papers, Yard, label, load_number, pallet, sscc
from tests.source import ROOT
from zonegate import __version__
from zonegate.cli import COMMANDS, build_parser, main

ZONEGATE = [sys.executable, "-m", "zonegate"]
WAIT_S = 60


def ended(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """A command's exit code and what it printed; argparse ends by SystemExit."""
    try:
        code: object = main(list(words))
    except SystemExit as end:
        code = end.code
    assert isinstance(code, int)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ended(capsys, "--help")
    assert code == 0
    assert [name for name in COMMANDS if f"\n    {name} " not in out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ended(capsys, command, "--help")
    assert code == 0
    assert out.startswith(f"usage: zonegate {command}")
    words = COMMANDS[command][0]
    assert " ".join(out.split()).count(f"{words[0].upper()}{words[1:]}.") == 1


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, "--version") == (0, f"zonegate {__version__}\n", "")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("decode",),
        ("db", "entries"),
        ("db", "--store", "x", "secrets"),
        ("db", "--store", "x", "entries", "--limit", "many"),
        ("db", "--store", "x", "entries", "--limit", "-1"),
        ("explain", "x"),
        ("decode", "--colour", "x"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_was_expected(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ended(capsys, *words)
    assert (code, out) == (2, "")
    assert "usage: zonegate" in err
    assert "error: " in err


def test_the_program_runs_as_a_module() -> None:
    done = subprocess.run(
        [*ZONEGATE, "decode", "095219990000000013"],
        cwd=ROOT,
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["ok"]


def test_help_imports_no_command() -> None:
    """Help is there at once on the slowest machine: only the chosen command's module is imported."""
    modules = [module for _, module in COMMANDS.values()]
    program = (
        "import sys, zonegate.cli as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted(set(sys.modules) & set({modules!r})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=WAIT_S, check=False
    )
    assert done.stderr.decode().strip() == "[]"


# -- decode ----------------------------------------------------------------------------------------


def decoded(capsys: pytest.CaptureFixture[str], *scans: str) -> tuple[int, list[dict[str, object]]]:
    code, out, err = ended(capsys, "decode", *scans)
    assert err == ""
    return code, [json.loads(line) for line in out.splitlines()]


def test_decode_says_what_a_code_is(capsys: pytest.CaptureFixture[str]) -> None:
    labels = "]C10109521999001058" + r"10L7\x1d21S1", work_order_code("T-1"), control_code("UNDO")
    code, [load, labeled, job, control] = decoded(capsys, pallet(1).decode(), *labels)
    assert code == 0
    assert (load["ok"], load["kind"], load["identity"]) == (True, "sscc", sscc_link(sscc(1)))
    assert load["elements"] == {"00": sscc(1)}
    assert labeled["elements"] == {"01": "09521999001058", "10": "L7", "21": "S1"}
    assert (job["ok"], job["kind"], job["job"]) == (True, "work-order", "T-1")
    assert (control["ok"], control["kind"], control["command"]) == (True, "control", "UNDO")


def test_decode_tells_every_fault_of_a_code_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    code, answers = decoded(capsys, "095219990000000014", "<script>", "\x1b[2J", "")
    assert code == 1
    assert [answer["ok"] for answer in answers] == [False] * 4
    for answer in answers:
        assert answer["kind"] == "unknown"
        errors = answer["errors"]
        assert isinstance(errors, list)
        assert "expected" in errors[0]["message"]
        assert str(answer["text"]).isprintable()


def test_one_bad_code_among_good_ones_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, answers = decoded(capsys, sscc(1), "no code", sscc(2))
    assert code == 1
    assert [answer["ok"] for answer in answers] == [True, False, True]


# -- db --------------------------------------------------------------------------------------------


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """A journal with a few entries and reads."""
    (tmp_path / "anchor").mkdir()
    journal = Journal.open(
        tmp_path / "store",
        Anchor(tmp_path / "anchor"),
        clocks=system_clocks(),
        identity=Identity("example", "zone-999", "dock-1"),
        reserve_bytes=0,
    )
    books = NodeBooks()
    with JournalReader(tmp_path / "store") as reader:
        books.fold_records(record for _, record in reader.page(0, 10))
    yard = Yard(Papers(), recorder=journal, books=books)
    yard.open("in")
    for code in (load_number("in", 1), b"<b>\x1b[2J</b>", label()):
        yard.read("in", code)
    await journal.close()
    return tmp_path / "store"


def listed(capsys: pytest.CaptureFixture[str], store: Path, *words: str) -> list[dict[str, object]]:
    code, out, err = ended(capsys, "db", "--store", str(store), *words, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


async def test_db_lists_entries_in_their_order(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys, store, "entries")
    assert [line["type"] for line in lines] == [
        "begin",
        "settings",
        "saw",
        "job",
        "admission",
        "hold",
        "hold",
    ]
    assert [line["number"] for line in lines] == list(range(1, 8))
    assert listed(capsys, store, "entries", "--after", "2", "--limit", "2") == lines[2:4]
    assert listed(capsys, store, "entries", "--limit", "0") == []
    assert listed(capsys, store, "entries", "--limit", "999999") == lines


async def test_db_lists_epochs_reads_and_heads(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [epoch] = listed(capsys, store, "epochs")
    assert epoch["seq"] == 7
    heads = listed(capsys, store, "heads")
    assert heads[-1]["hash"] == epoch["hash"]
    reads = listed(capsys, store, "reads")
    assert [read["verdict"] for read in reads] == ["opened", "admitted", "unreadable", "quantity-needed"]
    assert all(str(read["code"]).isprintable() for read in reads)
    admitted = listed(capsys, store, "entries")[4]
    assert reads[1]["entry_id"] == admitted["entry_id"]


async def test_db_prints_lines_that_a_terminal_can_show(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in ("entries", "reads", "epochs", "heads"):
        code, out, _ = ended(capsys, "db", "--store", str(store), what)
        assert code == 0
        assert all(line.isprintable() for line in out.splitlines())
        assert len(out.splitlines()) == len(listed(capsys, store, what))


async def test_db_changes_nothing(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def digest() -> str:
        return hashlib.sha256((store / JOURNAL_FILE).read_bytes()).hexdigest()

    before = digest()
    for what in ("entries", "reads", "epochs", "heads"):
        listed(capsys, store, what)
    assert digest() == before


def test_db_on_nothing_ends_with_1_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(capsys, "db", "--store", str(tmp_path), "entries")
    assert (code, out) == (1, "")
    assert "there is no journal" in err
    (tmp_path / JOURNAL_FILE).write_bytes(b"no database" * 100)
    code, _, err = ended(capsys, "db", "--store", str(tmp_path), "entries")
    assert code == 1
    assert err.startswith("zonegate db: ")


def test_a_pipe_that_closes_early_is_no_error(store: Path) -> None:
    with subprocess.Popen(
        [*ZONEGATE, "db", "--store", str(store), "entries"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert listing.stderr.read() == b""
        assert listing.wait(WAIT_S) == 141


@pytest.mark.parametrize(
    ("before", "behind"),
    [(("--config", "c.toml"), ()), ((), ("--config", "c.toml"))],
    ids=["before", "behind"],
)
def test_the_centers_configuration_may_stand_before_the_act_or_behind_it(
    before: tuple[str, ...], behind: tuple[str, ...]
) -> None:
    for act in (("enrol", "dock-1"), ("rebuild",)):
        args = build_parser(["central"]).parse_args(["central", *before, *act, *behind])
        assert args.config == Path("c.toml")
    assert build_parser(["central"]).parse_args(["central", "rebuild"]).config.name == "zonegate.toml"


def test_what_is_not_there_yet_is_told_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone")
    assert "name a node's store folder" in ended(capsys, "verify", gone)[1]
    assert "its first start makes them" in ended(capsys, "token", "--store", gone, "supervisor")[2]
