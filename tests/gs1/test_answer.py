# SPDX-License-Identifier: Apache-2.0
"""The one JSON answer: its shape for every kind of code, and the worked examples of the Tag Data Standard."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import TagRead, answer_code, answer_link, answer_tag, control_code, parse_bracketed, work_order_code
from gs1.answer import refusal
from gs1.errors import Fault

TODAY = date(2026, 11, 22)
GTIN = "09520123456788"
KEYS = {
    "ok", "carrier", "symbology", "kind", "identity", "key", "elements", "hri", "epc_uri", "tag_uri", "dates",
    "errors", "notes",
}  # fmt: skip
KEY_OF_KIND = {"work-order": "job", "control": "command", "parcel": "parcel", "unknown": "text"}


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer.keys() >= KEYS
    assert json.loads(json.dumps(answer)) == answer, "JSON holds it as it is"
    assert answer["ok"] == (not answer["errors"])
    for told in answer["errors"] + answer["notes"]:
        assert told.keys() == {"code", "ai", "position", "message"}
        assert told["message"].isprintable()
    assert (answer["identity"] or "https://id.gs1.org/").startswith("https://id.gs1.org/")
    return answer


def test_a_right_code_has_identity_elements_and_hri() -> None:
    answer = checked(answer_code(f"]C101{GTIN}17270200\x1d10L/1\x1d21S1".encode(), TODAY))
    assert answer["ok"]
    assert (answer["carrier"], answer["symbology"], answer["kind"]) == ("GS1-128", "]C1", "gtin")
    assert answer["identity"] == f"https://id.gs1.org/01/{GTIN}/10/L%2F1/21/S1"
    assert answer["key"] == f"https://id.gs1.org/01/{GTIN}/21/S1"
    assert answer["elements"] == {"01": GTIN, "17": "270200", "10": "L/1", "21": "S1"}
    assert answer["hri"] == f"(01){GTIN}(17)270200(10)L/1(21)S1"
    assert answer["dates"] == {"17": "2027-02-28"}
    assert parse_bracketed(answer["hri"]) == tuple(answer["elements"].items())


def test_a_wrong_code_keeps_what_could_be_read_and_names_every_fault() -> None:
    answer = checked(answer_code(f"]C101{GTIN[:-1]}717261340\x1d10L1".encode(), TODAY))
    assert not answer["ok"]
    assert answer["identity"] is None
    assert answer["elements"]["10"] == "L1"
    assert [(told["code"], told["ai"], told["position"]) for told in answer["errors"]] == [
        ("csum", "01", 2),
        ("yymmd0", "17", 20),
    ]


def test_a_right_code_that_names_nothing_breaks_no_rule() -> None:
    answer = checked(answer_code(b"]C1991234", TODAY))
    assert (answer["ok"], answer["kind"], answer["identity"], answer["elements"]) == (
        True,
        "nothing",
        None,
        {"99": "1234"},
    )
    assert [told["code"] for told in answer["notes"]] == ["no_identity"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (work_order_code("OUT-1"), "work-order"),
        (control_code("UNDO"), "control"),
        ("1Z999AA10123456784", "parcel"),
        ("<script>", "unknown"),
    ],
)
def test_each_kind_says_what_it_is(code: str, kind: str) -> None:
    answer = checked(answer_code(code.encode(), TODAY))
    assert answer["kind"] == kind
    assert answer[KEY_OF_KIND[kind]]
    assert answer["identity"] is None


def test_an_epc_uri_needs_the_length_of_the_prefix_or_is_refused() -> None:
    code = f"]C101{GTIN}21S1".encode()
    assert answer_code(code, TODAY)["epc_uri"] is None
    told = checked(answer_code(code, TODAY, company_prefix_digits=7))
    assert told["epc_uri"] == "urn:epc:id:sgtin:9520123.045678.S1"
    refused = checked(answer_code(f"]C101{GTIN}".encode(), TODAY, company_prefix_digits=7))
    assert refused["ok"], "the code is right; it is only no EPC"
    assert refused["epc_uri"] is None
    assert "expected" in refused["notes"][0]["message"]
    link = checked(answer_link(f"https://a.example/01/{GTIN}/21/S1", TODAY, company_prefix_digits=7))
    assert link["epc_uri"] == told["epc_uri"]


def test_one_of_several_barcodes_may_lack_its_partners() -> None:
    for code in (b"]C110L1", b"(10)L1", b"\x1d10L1"):
        alone = checked(answer_code(code, TODAY))
        assert [told["code"] for told in alone["errors"]] == ["missing_partner"]
        beside = checked(answer_code(code, TODAY, partners=False))
        assert (beside["ok"], beside["kind"], beside["elements"]) == (True, "nothing", {"10": "L1"})
        assert [told["code"] for told in beside["notes"]] == ["missing_partner", "no_identity"]
    wrong = answer_code(b"]C117261340", TODAY, partners=False)
    assert [told["code"] for told in wrong["errors"]] == ["yymmd0"], "nothing else is set aside"


def test_every_element_string_agrees_with_the_engine(conformance_data: Path) -> None:
    """The engine's vectors leave partners aside; ours state that option."""
    vectors = json.loads((conformance_data / "gs1/syntax_vectors.json").read_text())
    cases = [(v["data_str"], v["ok"]) for v in vectors["test_processAIdata"]]
    read = {
        "GS1-128": [(f"]C1{text.removeprefix('^')}".replace("^", "\x1d"), right) for text, right in cases],
        "FNC1 as GS": [(text.replace("^", "\x1d"), right) for text, right in cases],
        "FNC1 as ^": cases,
        "bracketed": [(v["ai_data"], v["ok"]) for v in vectors["test_parseAIdata"]],
    }
    for form, said in read.items():
        wrong = [
            text for text, right in said if answer_code(text.encode(), TODAY, partners=False)["ok"] != right
        ]
        assert wrong == [], form
        assert any(right for _, right in said), form


def test_a_tag_that_does_not_tell_its_prefix_needs_it_as_well() -> None:
    tag = TagRead(bytes.fromhex("F900952012345678912350"))
    assert answer_tag(tag, TODAY)["epc_uri"] is None
    told = checked(answer_tag(tag, TODAY, company_prefix_digits=6))
    assert (told["epc_uri"], told["tag_uri"]) == ("urn:epc:id:sscc:952012.03456789123", None)
    own = TagRead(bytes.fromhex("311BA1B300CE0A6A83000000"))
    assert answer_tag(own, TODAY, company_prefix_digits=9)["epc_uri"] == told["epc_uri"], "its own goes first"


def test_links_of_early_releases_need_an_option() -> None:
    named, short = f"https://a.example/gtin/{GTIN}/lot/L1", f"https://a.example/01/{GTIN[1:]}"
    assert not answer_link(named, TODAY)["ok"]
    assert answer_link(named, TODAY, short_names=True)["identity"] == f"https://id.gs1.org/01/{GTIN}/10/L1"
    assert not answer_link(short, TODAY)["ok"]
    assert answer_link(short, TODAY, short_gtins=True)["identity"] == f"https://id.gs1.org/01/{GTIN}"
    assert answer_code(f"]Q1{short}".encode(), TODAY, short_gtins=True)["ok"]


def test_a_data_identifier_that_stands_twice_has_a_list() -> None:
    answer = checked(answer_code(b"]d1[)>\x1e06\x1dPA1\x1dS1\x1dS2\x1e\x04", TODAY))
    assert answer["elements"] == {"P": "A1", "S": ["1", "2"]}
    assert (answer["kind"], answer["key"], answer["identity"]) == ("part", "zg:part/-/A1", None)


def test_what_is_no_code_at_all_has_the_same_shape() -> None:
    answer = checked(refusal(Fault("not_json", "no JSON")))
    assert answer["errors"][0]["code"] == "not_json"
    answer["elements"]["x"] = "y"
    answer["notes"].append("z")
    assert refusal(Fault("a", "b"))["elements"] == {}, "answers share nothing"
    assert refusal(Fault("a", "b"))["notes"] == []


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_have_an_answer(code: bytes, lenient: bool) -> None:
    checked(answer_code(code, TODAY, lenient=lenient, company_prefix_digits=7))
    checked(answer_tag(TagRead(code), TODAY))


@given(st.text(max_size=80), st.integers(-3, 20))
def test_any_text_as_a_link_has_an_answer(link: str, digits: int) -> None:
    checked(answer_link(link, TODAY, company_prefix_digits=digits))
    checked(answer_link(f"https://a/01/{GTIN}/21/{link}", TODAY, company_prefix_digits=digits))


def test_the_examples_of_the_tag_data_standard(conformance_data: Path) -> None:
    with (conformance_data / "gs1/tds_examples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 30
    for row in rows:
        digits = row["hex"]
        memory = bytes.fromhex(digits + "0" * (len(digits) % 2))
        answer = checked(answer_tag(TagRead(memory), TODAY))
        assert answer["ok"], (row["scheme"], answer["errors"])
        assert (answer["epc_uri"] or "") == row["epc_uri"], row["scheme"]
        assert (answer["tag_uri"] or "") == row["tag_uri"], row["scheme"]
        assert (answer["hri"] or "") == row["element_string"], row["scheme"]
        address = row["digital_link"].replace("id.example.com", "id.gs1.org")
        assert (answer["identity"] or "") == address, row["scheme"]
        assert (answer["key"] or "") == address.partition("?")[0] or not address, row["scheme"]
