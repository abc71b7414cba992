# SPDX-License-Identifier: Apache-2.0
"""`zonegate replay`: stored passages judged again, as they were and by other settings."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from random import Random

import msgspec
import pytest

from drivers.read import TagRead
from edge import evidence
from edge.gate import Gate
from edge.migrations import migrate
from edge.passage import Closed
from edge.rows import INSERT_PASSAGE
from edge.store import JOURNAL_FILE
from tests.edge.gate.field import Field, Thing, crossing, door, pallet
from zonegate import cli


def closed_passages() -> list[Closed]:
    field = Field(door("d1"), seed=2)
    things = [
        Thing(crossing(1 if n % 2 else -1, 9.0 + 20 * n, 1.3), pallet(Random(n), 4, 1000)) for n in range(3)
    ]
    gate = Gate(field.layout)
    events = gate.take_tags([each for each in field.play(things, 70.0) if isinstance(each, TagRead)])
    while gate.deadline_us is not None:
        events += gate.tick(gate.deadline_us)
    return [event for event in events if isinstance(event, Closed)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / JOURNAL_FILE)
    migrate(connection)
    for number, closed in enumerate(closed_passages()):
        at = f"2026-11-{20 + number}T10:00:00.000000Z"
        row = (closed.passage.passage, "d1", at, at, msgspec.json.encode(closed.passage))
        data = closed.evidence
        connection.execute(INSERT_PASSAGE, (*row, evidence.name(data), data, len(data), "[]"))
    connection.commit()
    connection.close()
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, object]]]:
    code = cli.main(["replay", *words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_stored_passages_come_out_as_they_were_said(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = told(capsys, str(store))
    assert code == 0
    assert len(rows) >= 3 and all(row["same"] and row["said"] == row["now"] for row in rows)


def test_other_settings_show_what_they_would_have_said(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows = told(capsys, str(store), "--set", "before_ms=0", "--set", "confidence_min=999")
    assert code == 1
    changed = [row for row in rows if not row["same"]]
    assert changed and all(row["said"] != row["now"] for row in changed)


def test_a_changed_finding_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(store / JOURNAL_FILE)
    [(finding,)] = connection.execute("SELECT finding FROM passage_evidence LIMIT 1").fetchall()
    other = finding.replace(b'"in"', b'"x"').replace(b'"out"', b'"in"').replace(b'"x"', b'"out"')
    connection.execute("UPDATE passage_evidence SET finding = ? WHERE position = 1", (other,))
    connection.commit()
    connection.close()
    assert cli.main(["replay", str(store)]) == 1
    text = capsys.readouterr().out
    assert "->" in text and "1 come out otherwise" in text


@pytest.mark.parametrize(("words", "count"), [(["--day", "2026-11-21"], 1), (["--door", "d9"], 0)])
def test_one_day_or_door_is_chosen(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], count: int
) -> None:
    code, rows = told(capsys, str(store), *words)
    assert (code, len(rows)) == (0, count)


def test_evidence_that_was_given_up_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(store / JOURNAL_FILE)
    connection.execute("UPDATE passage_evidence SET evidence = NULL WHERE position = 1")
    connection.commit()
    connection.close()
    code, rows = told(capsys, str(store))
    assert code == 1 and "given up" in str(rows[0]["fault"])


@pytest.mark.parametrize("text", ["nothing=1", "rise_db=x", "rise_db=99", "rise_db"])
def test_a_wrong_setting_is_refused_in_words(
    store: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert cli.main(["replay", str(store), "--set", text]) == 2
    assert text in capsys.readouterr().err


def test_a_store_without_a_journal_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", str(tmp_path)]) == 1
    assert "journal" in capsys.readouterr().err
