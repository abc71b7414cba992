# SPDX-License-Identifier: Apache-2.0
"""Our reading against the GS1 Barcode Syntax Engine's vectors, its linters' and the dictionary itself.

The engine's vectors of element strings leave associations aside, so a vector that it accepts may be refused
here for a missing partner and for nothing else; one that it refuses must be refused here. Where a vector is
right under an option of the engine that is off by default, the option is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from biip.gs1_messages import GS1Message

from gs1 import CodeError, Elements, Fault, Load, Unknown, identify, link_of, parse_bracketed, parse_elements
from gs1.carriers import read_carried
from gs1.dictionary import IDENTIFIERS
from gs1.links import LINK_ROOT, parse_link
from gs1.linters import LINTERS

# Refusals that belong to the sum of a label, which the engine judges apart.
APART = {"missing_partner", "excluded_partner", "missing_serial", "repeated"}
# Right only under an option of the engine, which is ours by the same meaning and off by default as there:
# permitZeroSuppressedGTINinDLuris, and its unpublished switch for the names of early releases.
SHORT_GTINS = {"https://brand.example.com/01/9520123456788"}
SHORT_NAMES = {"https://a/gtin/12312312312333", "https://a/sscc/006141411234567890"}
# Right or wrong only by a list of the company prefixes that are in use, which the engine can be given.
BY_A_LIST_OF_PREFIXES = {"GS1_LINTER_INVALID_GCP_PREFIX", "GS1_LINTER_GCP_DATASOURCE_OFFLINE"}
# Written under addCheckDigit, an option for printing: the data come without the digit that the scan has.
WITHOUT_CHECK_DIGIT = {"211234567890"}
PLAIN_CARRIERS = ("]Q1", "]d1", "]J0")
GS = "\x1d"
TODAY = date(2026, 11, 22)

Vectors = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def vectors(conformance_data: Path) -> Vectors:
    loaded: Vectors = json.loads((conformance_data / "gs1/syntax_vectors.json").read_text())
    return loaded


def codes_of(parse: Callable[[str], object], text: str) -> set[str]:
    try:
        parse(text)
    except CodeError as refused:
        return {fault.code for fault in refused.faults}
    return set()


def disagreements(parse: Callable[[str], object], cases: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    return [
        (text, right)
        for text, right in cases
        if bool(codes_of(parse, text) - (APART if right else set())) == right
    ]


def accept_all(text: str) -> None:
    return None


def refuse_all(text: str) -> None:
    raise CodeError(Fault("refused", text))


def raw(data: str) -> str:
    """The engine writes FNC1 as `^`, in front as well."""
    return data.removeprefix("^").replace("^", GS)


def cases_of(vectors: Vectors, group: str) -> list[tuple[str, bool]]:
    match group:
        case "elements":
            cases = vectors["test_processAIdata"]
            return [(raw(v["data_str"]), v["ok"]) for v in cases if v["ok"] or v["data_str"].startswith("^")]
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


def test_we_read_the_values_that_the_engine_does(vectors: Vectors) -> None:
    compared = 0
    for group, key, parse in (
        ("test_parseAIdata", "ai_data", parse_bracketed),
        ("test_parseDLuri", "uri", parse_link),
    ):
        for vector in vectors[group]:
            if vector["ok"] and not codes_of(parse, vector[key]):
                compared += 1
                assert parse(vector[key]) == parse_elements(raw(vector["data_str"])), vector
    assert compared > 20


def test_links_of_early_releases_are_read_under_their_options_alone() -> None:
    for uri in SHORT_GTINS | SHORT_NAMES:
        assert codes_of(parse_link, uri)
        assert parse_link(uri, short_names=uri in SHORT_NAMES, short_gtins=uri in SHORT_GTINS)


def test_we_write_the_links_that_the_engine_does_but_for_the_order_of_the_query(vectors: Vectors) -> None:
    compared = 0
    for vector in vectors["test_testGenerateDLuri"]:
        codes = codes_of(lambda typed: link_of(parse_bracketed(typed)), vector["ai_data"])
        if not vector["ok"]:
            assert codes, vector
        elif not codes & APART:
            compared += 1
            stem = LINK_ROOT if vector["stem"] == "NULL" else vector["stem"]
            path, _, query = link_of(parse_bracketed(vector["ai_data"])).partition("?")
            their_path, _, their_query = vector["uri"].partition("?")
            assert path.replace(LINK_ROOT, stem, 1) == their_path
            assert query.split("&") == sorted(their_query.split("&"))
    assert compared >= 7


def test_we_read_the_scans_that_the_engine_does(vectors: Vectors) -> None:
    compared = 0
    for group in ("test_testProcessScanData", "test_testGenerateScanData"):
        for vector in vectors[group]:
            scan, right = vector["scan_data"].replace("^", GS), vector.get("ok", True)
            carried = read_carried(scan[:3], scan[3:])
            if carried is None:
                # A plain carrier's text is anybody's, so only a link in it can be wrong.
                assert right == (scan.startswith(PLAIN_CARRIERS)), vector
                continue
            elements, faults = carried
            assert bool({fault.code for fault in faults} - APART) != right, vector
            if right and vector["data_str"] not in WITHOUT_CHECK_DIGIT:
                compared += 1
                assert elements == elements_of(vector["data_str"]), vector
    assert compared > 12


def elements_of(data: str) -> Elements:
    """What the engine's data string holds: of a linear symbol, and of a composite component behind `|`."""
    parts = [
        parse_elements(raw(part), lenient=True) if part.startswith("^") else gtin(part)
        for part in data.split("|")
    ]
    return tuple(element for part in parts for element in part)


def gtin(digits: str) -> Elements:
    return (("01", digits.zfill(14)),)


def test_scans_that_the_engine_refuses_are_unknown(vectors: Vectors) -> None:
    refused = [v["scan_data"].replace("^", GS) for v in vectors["test_testProcessScanData"] if not v["ok"]]
    assert refused
    assert [scan for scan in refused if not isinstance(identify(scan.encode(), TODAY), Unknown)] == []
    assert isinstance(identify(b"]C100095201234567891235", TODAY), Load)


def test_our_checks_agree_with_the_published_ones(vectors: Vectors) -> None:
    compared = 0
    for vector in vectors["linters"]:
        name = vector["linter"].removeprefix("gs1_lint_")
        if name != "linter" and vector.get("error") not in BY_A_LIST_OF_PREFIXES:
            compared += 1
            assert (LINTERS[name](vector["value"]) is None) == vector["ok"], vector
    assert compared > 560


def test_our_rows_are_those_of_the_published_dictionary(conformance_data: Path) -> None:
    published = {}
    for row in (conformance_data / "gs1/gs1-syntax-dictionary.txt").read_text().splitlines():
        words = row.partition("#")[0].split()
        if words:
            low, _, high = words[0].partition("-")
            numbers = range(int(low), int(high or low) + 1)
            published.update({str(number).zfill(len(low)): words[1:] for number in numbers})
    assert IDENTIFIERS.keys() == published.keys()
    for ai, held in IDENTIFIERS.items():
        words = published[ai]
        assert held.predefined == ("*" in words[0]), ai
        assert held.in_query == ("?" in words[0]), ai
        required = [word[4:] for word in words if word.startswith("req=")]
        assert [",".join("+".join(way) for way in group) for group in held.requires] == required, ai
        assert ",".join(held.excludes) == ",".join(word[3:] for word in words if word.startswith("ex=")), ai
        formats = [word.strip("[") for word in words if word.lstrip("[")[:1] in ("N", "X", "Y", "Z")]
        assert len(formats) == len(held.components), ai
        for component, published_format in zip(held.components, formats, strict=True):
            length, *checks = published_format.replace("]", "").split(",")
            lowest = 1 if ".." in length else component.length_max
            assert length.replace("..", "") == f"{component.charset}{component.length_max}", ai
            assert component.optional == ("]" in published_format), ai
            assert component.length_min == lowest, ai
            assert list(component.checks) == checks, ai
        keys = [word.partition("=")[2] for word in words if word.startswith("dlpkey")]
        ways = None if held.qualifiers is None else "|".join(",".join(way) for way in held.qualifiers)
        assert ([] if ways is None else [ways]) == keys, ai


def test_biip_reads_the_same_values_from_the_vectors(vectors: Vectors) -> None:
    compared = 0
    for text, right in cases_of(vectors, "elements"):
        if right and not codes_of(parse_elements, text):
            compared += 1
            theirs = tuple((found.ai.ai, found.value) for found in GS1Message.parse(text).element_strings)
            assert theirs == parse_elements(text)
    assert compared >= 4
