# SPDX-License-Identifier: Apache-2.0
"""Dock labels: printed and read back, one wrong character refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import COMMANDS, CodeError, Control, WorkOrder, control_code, parse_order, work_order_code

JOB_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
jobs = st.text(JOB_LETTERS, min_size=1, max_size=24).filter(lambda job: job.strip("-") != "")


def test_a_label_has_the_form_that_labels_in_use_have() -> None:
    assert work_order_code("OUT-2026-11") == "ZG1:J:OUT-2026-11:N"
    assert control_code("UNDO") == "ZG1:C:UNDO:3"


@given(jobs)
def test_a_job_is_read_back(job: str) -> None:
    assert parse_order(work_order_code(job)) == WorkOrder(job)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_read_back(command: str) -> None:
    assert parse_order(control_code(command)) == Control(command)


@given(jobs, st.data())
def test_a_job_with_one_wrong_character_is_refused(job: str, data: st.DataObject) -> None:
    text = work_order_code(job)
    index = data.draw(st.sampled_from([i for i, letter in enumerate(text[6:-2], 6) if letter != "-"]))
    letters = [letter for letter in JOB_LETTERS if letter not in ("-", text[index])]
    wrong = text[:index] + data.draw(st.sampled_from(letters)) + text[index + 1 :]
    with pytest.raises(CodeError, match="check character"):
        parse_order(wrong)


@pytest.mark.parametrize(
    "text",
    ["ZG1:", "ZG1:J:A", "ZG1:J:A:B:C", "ZG1:X:A:B", "ZG2:J:A:B", "ZG1:J::0", "ZG1:J:--:1", "ZG1:J:a:1",
     "ZG1:J:" + "A" * 25 + ":1", "ZG1:C:OPEN:1", "ZG1:J:A:", "ZG1:J:A\n:B", "ZG1:C:undo:3"],
)  # fmt: skip
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(CodeError, match="expected"):
        parse_order(text)


@pytest.mark.parametrize("job", ["", "-", "a", "A B", "A" * 25, "Ä", "A:B"])
def test_no_label_is_written_for_what_could_not_be_read_back(job: str) -> None:
    with pytest.raises(CodeError, match="expected 1 to 24"):
        work_order_code(job)
