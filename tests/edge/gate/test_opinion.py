# SPDX-License-Identifier: Apache-2.0
"""The second opinion on who went, from all that is known of a group."""

from __future__ import annotations

import pytest

from edge.gate import doubts
from edge.gate.doubts import ask_cases, ask_labels, doubt_turned
from edge.gate.eyes import Body
from edge.gate.opinion import Scene, cases_went, label_went
from edge.gate.own import Own

from .scene import CASE, OPENED_US, OTHER, UNIT, body, group, heard

ONE = body(1, 4, "inner", "outer")._replace(loads=((OPENED_US + 1_300_000, OPENED_US + 2_150_000),))
TWO = ONE._replace(loads=((OPENED_US + 1_300_000, OPENED_US + 2_650_000),))
UNSEEN = ONE._replace(loads=())


def scene_of(told: dict[bytes, float], seen: Body = ONE) -> Scene:
    """A group of tags, each of which tells so surely that it went out with the first body."""
    hearing = heard(*told)
    own = {epc: Own(1, 30.0, said, 0, (1,), (0,)) for epc, said in told.items()}
    surest = max(own.values(), key=lambda each: each.belief)
    made = group(hearing, list(told), surest)
    return Scene(made, own, hearing, [seen])


def opinion(scene: Scene, epc: bytes = UNIT) -> float:
    went = label_went(scene.hearing.tags[epc], scene)
    assert went is not None
    return went


def test_without_a_load_that_was_seen_there_is_no_second_opinion() -> None:
    for seen, none in ((UNSEEN, True), (UNSEEN._replace(loads=None), True), (ONE, False)):
        label = scene_of({UNIT: 0.99}, seen)
        assert (label_went(label.hearing.tags[UNIT], label) is None) is none
        assert (cases_went(scene_of({CASE: 0.99}, seen)) is None) is none


def test_a_label_that_says_nothing_itself_has_no_second_opinion() -> None:
    scene = scene_of({UNIT: 0.99})
    untold = scene._replace(own={UNIT: scene.own[UNIT]._replace(body=None)})
    assert label_went(scene.hearing.tags[UNIT], scene) is not None
    assert label_went(scene.hearing.tags[UNIT], untold) is None
    assert label_went(scene.hearing.tags[UNIT], scene._replace(own={})) is None


def test_a_label_is_believed_by_what_it_says_itself() -> None:
    sure, unsure = opinion(scene_of({UNIT: 0.999})), opinion(scene_of({UNIT: 0.3}))
    assert sure > 0.99
    assert unsure < 0.9


def test_a_label_that_a_neighbor_heard_better_is_believed_less() -> None:
    here, there = scene_of({UNIT: 0.97}), scene_of({UNIT: 0.97})
    there.hearing.tags[UNIT].away = 4.0 * there.hearing.tags[UNIT].home
    assert opinion(here) > opinion(there) + 0.3


def test_a_second_label_is_believed_where_the_load_is_as_long_as_two() -> None:
    one, two = (opinion(scene_of({UNIT: 0.999, OTHER: 0.97}, seen), OTHER) for seen in (ONE, TWO))
    assert two > 0.97 > one
    alone = opinion(scene_of({OTHER: 0.97}), OTHER)
    assert alone > one, "the control: beside no other it is believed"


def test_cases_are_believed_by_how_many_are_clear() -> None:
    cases = [b"\x30" * 11 + bytes([n]) for n in range(12)]
    many = cases_went(scene_of(dict.fromkeys(cases, 0.995)))
    few = cases_went(scene_of(dict.fromkeys(cases[:2], 0.995) | dict.fromkeys(cases[2:], 0.3)))
    assert many is not None
    assert few is not None
    assert many > 0.99
    assert many > few


@pytest.mark.parametrize(
    ("went", "said", "first", "told"),
    [
        (0.96, 0.99, 0.99, 0.5),  # not sure: a Hold whatever else is said
        (0.98, 0.99, 0.99, 0.99),  # sure: nothing changes
        (0.98, 0.92, 0.5, 0.5),
        (0.995, 0.92, 0.5, 0.995),  # no doubt is left
        (0.995, 0.85, 0.5, 0.5),  # but it does not say so itself
        (None, 0.92, 0.5, 0.5),
    ],
)
def test_the_second_opinion_holds_a_label_or_frees_it(
    went: float | None, said: float, first: float, told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "label_went", lambda *_: went)
    scene = scene_of({UNIT: said, CASE: 0.99})
    scene.group.doubts[UNIT] = first
    ask_labels(scene)
    assert scene.group.doubts == {UNIT: pytest.approx(told)}


@pytest.mark.parametrize(
    ("went", "sure", "told"),
    [
        (0.995, 0.97, 0.995),  # no doubt is left
        (0.98, 0.99, 0.76),  # what they tell is doubted
        (0.98, 0.9999, 0.9976),
        (0.96, 0.9999, 0.5),  # not sure: a Hold whatever they tell
        (None, 0.9999, 0.9976),
    ],
)
def test_the_second_opinion_holds_cases_or_frees_them(
    went: float | None, sure: float, told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "cases_went", lambda *_: went)
    cases = [b"\x30" * 11 + bytes([n]) for n in range(3)]
    scene = scene_of(dict.fromkeys(cases, sure))
    ask_cases(scene)
    doubt_turned([scene.group], scene.own, scene.bodies)
    assert scene.group.belief == pytest.approx(told, abs=1e-3)
