# SPDX-License-Identifier: Apache-2.0
"""Our reading and writing of tags against the standard's worked examples, and a thousand tags."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from gs1 import CodeError
from gs1.epc import decode_tag, encode_tag, encode_tag_uri
from tests.source import ROOT

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def examples(conformance_data: Path) -> Rows:
    with (conformance_data / "gs1/tds_examples.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def whole_bytes(digits: str) -> bytes:
    """Printed without the zeros that fill the last byte."""
    return bytes.fromhex(digits + "0" * (len(digits) % 2))


def disagreements(examples: Rows) -> list[tuple[str, ...]]:
    wrong: list[tuple[str, ...]] = []
    for row in examples:
        tag = decode_tag(whole_bytes(row["hex"]))
        elements = "".join(f"({ai}){value}" for ai, value in tag.elements)
        host = re.match("https://([^/]*)", row["digital_link"])
        told = (tag.scheme, elements, tag.epc_uri or "", tag.tag_uri or "", tag.host or "id.gs1.org")
        expected = (
            row["scheme"].lower(),
            row["element_string"],
            row["epc_uri"],
            row["tag_uri"],
            host[1] if host else "id.gs1.org",
        )
        if told != expected:
            wrong.append((*told, *expected))
    return wrong


def test_the_examples_are_read(examples: Rows) -> None:
    assert len(examples) >= 30
    assert disagreements(examples) == []
    # The control: a changed example is found.
    changed = {**examples[0], "element_string": "(01)09506000134352(21)1"}
    assert disagreements([changed]) != []


def test_the_examples_are_written(examples: Rows) -> None:
    for row in examples:
        tag = decode_tag(whole_bytes(row["hex"]))
        if tag.tag_uri is not None:
            epc = encode_tag_uri(tag.tag_uri)
            assert epc.hex().upper().ljust(len(row["hex"]), "0").rstrip("0") == row["hex"].rstrip("0")
        if tag.elements:
            assert tag.filter is not None
            how = {"filter": tag.filter, "company_prefix_digits": tag.company_prefix_digits}
            epc = encode_tag(tag.scheme, tag.elements, host=tag.host, **how)  # type: ignore[arg-type]
            assert epc.hex().upper().rstrip("0") == row["hex"].rstrip("0")


def test_a_thousand_tags_are_told_apart(conformance_data: Path) -> None:
    seen: Counter[str] = Counter()
    with (conformance_data / "tags/1000-tags.csv").open(newline="") as file:
        for pc, bits in csv.reader(file):
            epc = int(bits, 2).to_bytes(len(bits) // 8, "big")
            try:
                tag = decode_tag(epc, int(pc, 16))
            except CodeError as refused:
                seen[refused.faults[0].code] += 1
                continue
            seen[tag.scheme] += 1
            assert tag.filter is not None
            again = encode_tag(
                tag.scheme, tag.elements, filter=tag.filter, company_prefix_digits=tag.company_prefix_digits
            )
            assert again == epc
    # Nine say by their control word that they are freight containers by ISO 17363.
    assert seen == {"sgtin-96": 975, "sscc-96": 8, "giai-96": 8, "not_gs1": 9}


def test_the_documented_example_runs() -> None:
    page = (ROOT / "docs/integrate/tags.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "tags.md", "exec"), {})
