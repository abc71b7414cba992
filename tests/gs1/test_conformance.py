# SPDX-License-Identifier: Apache-2.0
"""Our reading against the GS1 Barcode Syntax Engine's vectors and against biip, for the identifiers we hold.

The engine's vectors of plain element strings leave associations aside, so a vector it accepts may be refused
here for a missing partner and for nothing else; one that it refuses must be refused here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from biip.gs1_messages import GS1Message
from hypothesis import given
from hypothesis import strategies as st

from gs1 import (
    CodeError,
    Fault,
    Load,
    Unknown,
    check_digit,
    element_string,
    identify,
    parse_bracketed,
    parse_elements,
    parse_link,
)
from gs1.dictionary import IDENTIFIERS
from gs1.findings import CHARSETS
from gs1.linters import LINTERS

# Refusals that belong to the sum of a label, which the engine judges apart, or to what we do not hold.
APART = {"missing_partner", "excluded_partner", "no_identity"}
# Right only under an option of the engine, which is ours by the same meaning and off by default as there:
# permitZeroSuppressedGTINinDLuris, and its unpublished switch for the names of early releases.
SHORT_GTINS = {"https://brand.example.com/01/9520123456788"}
SHORT_NAMES = {"https://a/gtin/12312312312333", "https://a/sscc/006141411234567890"}
# Right or wrong only by a list of the company prefixes that are in use, which the engine can be given.
BY_A_LIST_OF_PREFIXES = {"GS1_LINTER_INVALID_GCP_PREFIX", "GS1_LINTER_GCP_DATASOURCE_OFFLINE"}
ELEMENT_CARRIERS = ("]C1", "]d2", "]Q3", "]e0", "]J1")
GS = "\x1d"

Vectors = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def vectors(conformance_data: Path) -> Vectors:
    loaded: Vectors = json.loads((conformance_data / "gs1/syntax_vectors.json").read_text())
    return loaded


def faults_of(parse: Callable[[str], object], text: str) -> tuple[Fault, ...]:
    try:
        outcome = parse(text)
    except CodeError as refused:
        return refused.faults
    return outcome.faults if isinstance(outcome, Unknown) else ()


def disagreements(parse: Callable[[str], object], cases: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    wrong = []
    for text, right in cases:
        codes = {fault.code for fault in faults_of(parse, text)}
        if "unknown_ai" in codes and right:
            continue
        if bool(codes - APART) == right if right else not codes:
            wrong.append((text, right))
    return wrong


def accept_all(text: str) -> None:
    return None


def refuse_all(text: str) -> None:
    raise CodeError(Fault("refused", text))


def cases_of(vectors: Vectors, group: str) -> list[tuple[str, bool]]:
    match group:
        case "elements":
            cases = vectors["test_processAIdata"]
            return [(v["data_str"].removeprefix("^").replace("^", GS), v["ok"]) for v in cases]
        case "bracketed":
            return [(v["ai_data"], v["ok"]) for v in vectors["test_parseAIdata"]]
        case _:
            cases = vectors["test_parseDLuri"]
            by_option = SHORT_GTINS | SHORT_NAMES
            return [(v["uri"], v["ok"]) for v in cases if not (v["ok"] and v["uri"] in by_option)]


@pytest.mark.parametrize(
    ("group", "parse"),
    [("elements", parse_elements), ("bracketed", parse_bracketed), ("links", parse_link)],
)
def test_we_accept_and_refuse_what_the_engine_does(
    vectors: Vectors, group: str, parse: Callable[[str], object]
) -> None:
    cases = cases_of(vectors, group)
    assert disagreements(parse, cases) == []
    # The control: readers that judge nothing are found out.
    assert disagreements(accept_all, cases) != []
    assert disagreements(refuse_all, cases) != []


def test_links_of_early_releases_are_read_under_their_options_alone() -> None:
    for uri in SHORT_GTINS | SHORT_NAMES:
        assert faults_of(parse_link, uri)
        assert parse_link(uri, short_names=uri in SHORT_NAMES, short_gtins=uri in SHORT_GTINS)


def test_scans_that_the_engine_refuses_are_unknown(vectors: Vectors) -> None:
    refused = [v["scan_data"].replace("^", GS) for v in vectors["test_testProcessScanData"] if not v["ok"]]
    assert refused
    assert [scan for scan in refused if not isinstance(identify(scan.encode()), Unknown)] == []


def test_scans_that_the_engine_reads_are_loads_when_they_name_goods(vectors: Vectors) -> None:
    scans = [
        (v["scan_data"], v["data_str"].removeprefix("^").replace("^", GS))
        for group in ("test_testProcessScanData", "test_testGenerateScanData")
        for v in vectors[group]
        if v.get("ok", True) and v["scan_data"][:3] in ELEMENT_CARRIERS and "|" not in v["data_str"]
    ]
    assert scans
    for scan, data in scans:
        load = identify(scan.encode())
        assert isinstance(load, Load), load
        assert load.elements == parse_elements(data)


def test_our_checks_agree_with_the_published_ones(vectors: Vectors) -> None:
    compared = 0
    for vector in vectors["linters"]:
        name = vector["linter"].removeprefix("gs1_lint_")
        if name in LINTERS and vector.get("error") not in BY_A_LIST_OF_PREFIXES:
            compared += 1
            assert (LINTERS[name](vector["value"]) is None) == vector["ok"], vector
        elif name == "cset82":
            compared += 1
            assert (set(vector["value"]) <= CHARSETS["X"]) == vector["ok"], vector
    assert compared > 130


def test_our_rows_are_those_of_the_published_dictionary(conformance_data: Path) -> None:
    published = {}
    for row in (conformance_data / "gs1/gs1-syntax-dictionary.txt").read_text().splitlines():
        words = row.partition("#")[0].split()
        if words:
            low, _, high = words[0].partition("-")
            numbers = range(int(low), int(high or low) + 1)
            published.update({str(number).zfill(len(low)): words[1:] for number in numbers})
    for ai, held in IDENTIFIERS.items():
        words = published[ai]
        assert held.predefined == ("*" in words[0]), ai
        assert held.in_query == ("?" in words[0]), ai
        required = [word[4:] for word in words if word.startswith("req=")]
        assert [",".join("+".join(way) for way in group) for group in held.requires] == required, ai
        assert ",".join(held.excludes) == ",".join(word[3:] for word in words if word.startswith("ex=")), ai
        formats = [word.strip("[]") for word in words if word.lstrip("[")[:1] in ("N", "X", "Y", "Z")]
        assert len(formats) == len(held.components), ai
        for component, published_format in zip(held.components, formats, strict=True):
            length, *checks = published_format.replace("]", "").split(",")
            lowest = 1 if ".." in length else component.length_max
            assert length.replace("..", "") == f"{component.charset}{component.length_max}", ai
            assert component.length_min == lowest, ai
            assert list(component.checks) == checks, ai
        assert (held.qualifiers is not None) == any(word.startswith("dlpkey") for word in words), ai


def test_biip_reads_the_same_values_from_the_vectors(vectors: Vectors) -> None:
    compared = 0
    for text, right in cases_of(vectors, "elements"):
        if right and not faults_of(parse_elements, text):
            compared += 1
            theirs = tuple((found.ai.ai, found.value) for found in GS1Message.parse(text).element_strings)
            assert theirs == parse_elements(text)
    assert compared >= 4


@given(
    st.text("0123456789", min_size=13, max_size=13),
    st.text(sorted(CHARSETS["X"]), min_size=1, max_size=20),
    st.text(sorted(CHARSETS["X"]), min_size=1, max_size=20),
)
def test_biip_reads_the_same_values(body: str, lot: str, serial: str) -> None:
    elements = (("01", body + check_digit(body)), ("10", lot), ("21", serial))
    text = element_string(elements)
    theirs = tuple((found.ai.ai, found.value) for found in GS1Message.parse(text).element_strings)
    assert theirs == elements == parse_elements(text)
