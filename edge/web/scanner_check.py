# SPDX-License-Identifier: Apache-2.0
"""What a keyboard scanner does to the test label: suffix, speed, group separator, keyboard layout.

Pure: compares what came with what the label says and tells what to set on the scanner.
"""

from __future__ import annotations

from typing import Final

import msgspec

GS: Final = "\x1d"
"""FNC1 between two element strings; readers send it as this character."""

TEST_TEXT: Final = f"91aqwzyYZm-/:_?;{GS}920123456789"
"""Two company-internal elements (AI 91, 92), which are no goods at any door. The letters and signs are those
that move between the keyboard layouts of docks; the digits are shifted in French."""

GAP_MS_MAX: Final = 50.0
"""Slower characters cannot be told from a person who types."""

RECEIVED_CHARS_MAX: Final = 200
"""The label has 29; a wrong layout may double some. More is another label."""

_LAYOUTS: Final = (
    ("French", str.maketrans("aqwzAQWZm;:/?-_0123456789", "qazwQAZWÀ:/!§)°à&é\"'(-è_ç")),
    ("German", str.maketrans("zyZY-/:_?;", "yzYZß-Ö?_ö")),
    ("Spanish", str.maketrans("-/:_?;", "'-Ñ?_ñ")),
)
"""What the US key of each character gives under that layout. Where a system differs, the general sentence
still comes."""


class Finding(msgspec.Struct, frozen=True):
    """One thing about the scanner: right or not, and the sentence; a fault's sentence says what to set."""

    right: bool
    text: str


def check(received: str, suffix: str, gap_ms: float) -> list[Finding]:
    """Judge one scan of the test label.

    `received` are the characters with a group separator as U+001D, `suffix` is "Enter", "Tab" or "" and
    `gap_ms` the longest time between two characters.
    """
    text = received[:RECEIVED_CHARS_MAX].removeprefix("]C1")
    findings = [_suffix(suffix), _speed(gap_ms)]
    if text == TEST_TEXT:
        return [*findings, Finding(True, "Every character came right, the group separator too.")]
    if text == TEST_TEXT.replace(GS, ""):
        return [*findings, _GS_LOST]
    layout = _layout(text)
    if layout is not None:
        return [*findings, layout]
    return [*findings, _other(text)]


_GS_LOST: Final = Finding(
    False,
    "The group separator (GS) is lost: lots and serials would run together. Set the scanner to send GS as "
    "Ctrl+] or as Alt+029.",
)


def _suffix(suffix: str) -> Finding:
    if suffix in ("Enter", "Tab"):
        return Finding(True, f"The scan ends with {suffix}.")
    return Finding(False, "The suffix is missing. Set the scanner to send Enter (CR) after each code.")


def _speed(gap_ms: float) -> Finding:
    if gap_ms <= GAP_MS_MAX:
        return Finding(True, f"Fast enough: at most {gap_ms:.0f} ms between two characters.")
    return Finding(
        False,
        f"Too slow: {gap_ms:.0f} ms between two characters, at most {GAP_MS_MAX:.0f} are taken for a scan. "
        "Set the scanner's inter-character delay to 0.",
    )


def _layout(text: str) -> Finding | None:
    bare = text.replace(GS, "")
    expected = TEST_TEXT.replace(GS, "")
    lost = "" if GS in text else " The group separator (GS) is lost as well."
    if bare == expected.swapcase():
        return Finding(False, f"Capitals are swapped. Turn Caps Lock off on this machine.{lost}")
    for name, table in _LAYOUTS:
        # Dead keys and AltGr differ between systems: the letters and most of the signs decide.
        layout = expected.translate(table)
        same = sum(ours == theirs for ours, theirs in zip(layout, bare, strict=False))
        if (
            bare != expected
            and len(bare) == len(layout)
            and same >= len(layout) - 4
            and same > _same(expected, bare)
        ):
            return Finding(
                False,
                f"The keyboard layout of this machine is {name}, the scanner's is not. Set both to the same "
                f"layout, best US English.{lost}",
            )
    return None


def _same(one: str, other: str) -> int:
    return sum(left == right for left, right in zip(one, other, strict=False))


def _other(text: str) -> Finding:
    for place, (expected, came) in enumerate(zip(TEST_TEXT, text, strict=False), start=1):
        if expected != came:
            return Finding(
                False,
                f"Character {place} came as {_name(came)}, expected {_name(expected)}. Is this the test "
                "label? If it is, set scanner and machine to the same keyboard layout.",
            )
    return Finding(
        False,
        f"{len(text)} characters came, expected {len(TEST_TEXT)}. Scan the test label again; if it "
        "stays, set the scanner back to its factory settings.",
    )


def _name(character: str) -> str:
    return (
        "GS" if character == GS else repr(character) if character.isprintable() else f"U+{ord(character):04X}"
    )
