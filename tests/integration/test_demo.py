# SPDX-License-Identifier: Apache-2.0
"""The whole, played and graded: real scanner bytes, SQLite, Mosquitto, PostgreSQL, and a grader that shares
no code with the service. Each sabotage is the control: the same grader must fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from edge.store import JournalReader
from sync.bodies import read_body
from sync.entry import read_record
from zonegate.explain import explain

pytestmark = pytest.mark.servers


def _play(*words: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "zonegate", "demo", "--json", *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr


def _descendants(pid: int) -> set[int]:
    """All processes below one, by the kernel's own list."""
    children: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            children |= {child} | _descendants(child)
    return children


def test_a_script_with_faults_is_recorded_right() -> None:
    code, figures, said = _play("--script", "trouble")
    _is_right(code, figures, said)
    assert figures["doors"]["d2"]["passages"] == [0, 0]


def test_a_day_is_recorded_right_at_scanners_gate_and_camera(tmp_path: Path) -> None:
    code, figures, said = _play("--script", "day", "--seed", "3", "--folder", str(tmp_path))
    _is_right(code, figures, said)
    assert figures["doors"]["d1"]["admissions"] == [figures["admissions"]] * 2
    assert figures["doors"]["d2"]["passages"] == [6, 6]
    assert figures["reads"] > figures["scans"], "tags are reads, too"
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    trips = [trip for line in lines if (trip := json.loads(line).get("passage"))]
    (stop,) = [trip["stop"] for trip in trips if "stop" in trip]
    assert min(stop.values()) > 0, "screen and lamp said it before the driver had to know"
    gate, camera = _read_by(tmp_path / "node" / "files" / "store")
    assert sorted(gate) == [
        "hold no-tag",
        "stop not-on-permit",
        "withdrawal withdrawn",
        "withdrawal withdrawn",
    ]
    assert camera == ["withdrawal withdrawn"]


def test_the_same_day_comes_out_the_same_again_and_what_is_falsified_of_it_is_found() -> None:
    code, falsified, said = _play("--script", "day", "--sabotage", "turn")
    assert code == 1, said[-3000:]
    (finding,) = falsified["findings"]
    assert "says turned, expected crossed" in finding
    assert (falsified["orders"], falsified["made"], falsified["scrap"]) == (20, 1000, 20)
    assert list(falsified["consumed"].values()) == ["1000", "2000", "1020", "1000"]
    code, conjured, said = _play("--script", "day", "--sabotage", "conjure")
    assert code == 1, said[-3000:]
    (finding,) = conjured["findings"]
    assert "50 were made, the ledger says 51" in finding
    assert conjured["decisions_digest"] == falsified["decisions_digest"]


def _is_right(code: int, figures: dict[str, Any], said: str) -> None:
    assert code == 0, said[-3000:]
    assert (figures["lost"], figures["duplicates"], figures["wrong"]) == (0, 0, 0)
    assert figures["chain_ok"] is True
    assert figures["journal_entries"] == figures["central_entries"] > 50
    assert figures["admissions"] > 20
    assert figures["withdrawals"] > 10
    assert figures["holds"] > 0


def _read_by(store: Path) -> tuple[list[str], list[str]]:
    """What the gate's tags and the camera's labels came to; each judged again comes to the same."""
    with JournalReader(store) as reader:
        entries = [read_record(record) for _, record in reader.page(0, 1000)]
    found: dict[str, list[str]] = {"gate": [], "camera": []}
    for entry in entries:
        body = read_body(entry)
        read = getattr(body, "read", None)
        if read is None or not (read.carrier == "rfid" or read.frame):
            continue
        found["camera" if read.frame else "gate"].append(f"{entry.type} {getattr(body, 'reason', '')}")
        assert explain(store, entry.entry_id).agrees
    return found["gate"], found["camera"]


def test_two_docks_share_their_permits_and_come_to_the_same_decisions_each_time(tmp_path: Path) -> None:
    code, figures, said = _play("--script", "rush", "--folder", str(tmp_path))
    assert code == 0, said[-3000:]
    assert (figures["lost"], figures["duplicates"], figures["wrong"]) == (0, 0, 0)
    assert figures["chain_ok"] is True
    assert figures["journal_entries"] == figures["central_entries"] > 400
    stores = [tmp_path / "node" / "files" / "store", tmp_path / "dock-2" / "node" / "files" / "store"]
    reasons = []
    for store in stores:
        with JournalReader(store) as reader:
            entries = [read_record(record) for _, record in reader.page(0, 1000)]
        for entry in entries:
            if entry.type == "stop":
                reasons.append(read_body(entry).reason)
                assert explain(store, entry.entry_id).agrees, "judged again it comes to the same"
    assert reasons == ["leased-elsewhere", "permit-exhausted"]
    assert _play("--script", "rush")[1]["decisions_digest"] == figures["decisions_digest"]


def test_sabotage_is_found_at_two_docks_too() -> None:
    code, figures, said = _play("--script", "rush", "--sabotage", "forge")
    assert code == 1, said[-3000:]
    assert any(text.startswith("chain") for text in figures["findings"]), figures["findings"]


@pytest.mark.parametrize(
    ("act", "finding"), [("drop", "lost"), ("dup", "duplicate"), ("admit", "wrong"), ("forge", "chain")]
)
def test_sabotage_is_found(act: str, finding: str) -> None:
    code, figures, said = _play("--script", "trouble", "--sabotage", act)
    assert code == 1, said[-3000:]
    assert any(text.startswith(finding) for text in figures["findings"]), figures["findings"]


def test_ctrl_c_ends_the_demo_and_leaves_no_process(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "zonegate", "demo", "--folder", str(tmp_path)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert demo.stderr is not None
    try:
        url = next(line.split()[-1] for line in demo.stderr if "status page" in line)
        with urllib.request.urlopen(url + "healthz", timeout=10) as answer:
            assert answer.status == 200
        started = _descendants(demo.pid)
        assert len(started) >= 5
        demo.send_signal(signal.SIGINT)
        demo.stderr.read()
        assert demo.wait(60) == 130
    finally:
        demo.kill()
        demo.stderr.close()
    _wait_until_gone(started)


def test_a_killed_demo_leaves_no_process_either(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "zonegate", "demo", "--folder", str(tmp_path)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert demo.stderr is not None
    try:
        assert any("status page" in line for line in demo.stderr)
        started = _descendants(demo.pid)
    finally:
        demo.kill()
        demo.wait(10)
        demo.stderr.close()
    _wait_until_gone(started)


def _wait_until_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + 30
    left = pids
    while left := {pid for pid in left if _lives(pid)}:
        assert time.monotonic() < deadline, f"still there: {left}"
        os.sched_yield()


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
