# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided bytes for the parser of codes and the parser of tags, by atheris (libFuzzer).

    python -m tests.gs1.fuzz codes -runs=100000

The first argument names the target, what follows is libFuzzer's. `planted` is the control: it fails as soon
as the fuzzer has worked out a code that only a search guided by coverage finds. Ends with 0 when nothing
was found; else libFuzzer prints the input and the trace.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import atheris

from tests.fuzzing import fuzz

with atheris.instrument_imports(include=["gs1"]):
    from gs1 import TagRead, answer_code, answer_link, answer_tag, compile_patterns, identify
    from gs1.load import Load, Unknown
    from gs1.reading import read_code

TODAY = date(2026, 11, 22)
SITE = compile_patterns([("own", "WH-{part:any 1-40}"), ("other", "{part:letters 1-9}#{lot:any 1-20}")])


def codes(data: bytes) -> None:
    """Any bytes as a scan and as a link."""
    strict = answer_code(data, TODAY, patterns=SITE)
    lenient = answer_code(data, TODAY, lenient=True, short_names=True, short_gtins=True)
    json.dumps([strict, lenient, answer_link(data.decode("latin-1"), TODAY, company_prefix_digits=7)])
    identity = identify(data, TODAY, patterns=SITE)
    assert not isinstance(identity, Unknown) or identity.faults
    assert strict["ok"] == (not strict["errors"])
    if isinstance(identity, Load) and identity.identity is not None:
        again = identify(identity.identity.encode(), TODAY)
        assert isinstance(again, Load), identity.identity
        assert again.key == identity.key, (again.key, identity.key)


def tags(data: bytes) -> None:
    """The first two bytes as protocol control word, the rest as EPC bank; and all of it without the word."""
    for tag in (TagRead(data), TagRead(data[2:], int.from_bytes(data[:2], "big"))):
        answer = answer_tag(tag, TODAY)
        json.dumps(answer)
        assert answer["ok"] == (not answer["errors"])


def planted(data: bytes) -> None:
    """A reader with a bug that only a right element of one identifier shows."""
    if any(ai == "99" for ai, _ in read_code(data).elements):
        raise RuntimeError("planted")


TARGETS: dict[str, Callable[[bytes], None]] = {"codes": codes, "tags": tags, "planted": planted}


if __name__ == "__main__":
    fuzz(TARGETS, Path(__file__).with_name("fuzz.dict"), 160)
