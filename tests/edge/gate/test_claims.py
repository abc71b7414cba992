# SPDX-License-Identifier: Apache-2.0
"""Which crossings a tag may have made: with a body before the eyes, or by its own course alone."""

from __future__ import annotations

import pytest

from edge.gate import witness
from edge.gate.claims import UNITS, Claim, claims_of, one_long
from edge.gate.doubts import _cases_err, count_labels, doubt_turned, lead, leave_unsure
from edge.gate.eyes import Sight
from edge.gate.group import LIKELY
from edge.gate.grouping import _believed, _in_turn, _one_way
from edge.gate.hearing import Heard
from edge.gate.own import Own, own_of
from edge.gate.way import BIN_US, Gateway, Way, follow
from edge.gate.witness import belief

from .scene import CASE, OPENED_US, OTHER, STAYED, STRAIGHT, UNIT, body, group, heard, seen


def claims(epc: bytes, sight: Sight, way: Way = STAYED) -> list[Claim]:
    hearing = heard(epc)
    return claims_of(hearing.tags[epc], way, hearing, sight)


def test_a_label_may_have_crossed_with_each_body_the_way_that_body_went() -> None:
    found = claims(UNIT, seen(body(1, 3, "inner", "outer"), body(6, 8, "outer", "inner")))
    assert [(each.sense, each.body) for each in found] == [(1, 0), (-1, 1)]
    assert found[0].at < found[1].at


def test_what_leaves_by_the_side_from_which_it_came_took_something_out_or_fetched_something() -> None:
    found = claims(UNIT, seen(body(1, 9, "inner", "inner")))
    assert [each.sense for each in found] == [1, -1]
    begun, ended = (OPENED_US - heard(UNIT).base_us + s * 1_000_000 for s in (1, 9))
    assert begun < found[0].at * BIN_US < found[1].at * BIN_US < ended


def test_a_person_is_no_body_and_a_case_that_stays_is_not_asked() -> None:
    assert claims(UNIT, seen(body(1, 1.4, "inner", "outer"))) == []
    assert claims(CASE, seen(body(1, 3, "inner", "outer"))) == []
    moved = Way(0.4, 0.01, 0.59, [], [])
    assert [each.sense for each in claims(CASE, seen(body(1, 3, "inner", "outer")), moved)] == [1]


def test_without_eyes_the_tags_own_course_says_it() -> None:
    blind = Sight(any=False, pair=False, height=False, bodies=())
    crossed = Way(0.02, 0.9, 0.08, [10, 20, 30], [0.9, 0.0, -0.9])
    [claim] = claims(UNIT, blind, crossed)
    assert (claim.sense, claim.body, claim.likely) == (-1, None, 0.9)
    assert claims(UNIT, blind) == []


def test_what_only_a_tag_says_though_both_eyes_were_there_is_no_more_than_a_hold() -> None:
    crossed = Way(0.999, 0.0, 0.001, [10, 20, 30], [-0.9, 0.0, 0.9])
    [claim] = claims(UNIT, seen(), crossed)
    assert claim.body is None
    hearing = heard(UNIT)
    assert belief(hearing.tags[UNIT], claim, 0.0, [], hearing, seen()) <= 0.6


@pytest.mark.parametrize("header", [0x31, 0xF9])
def test_labels_of_whole_pallets_are_known_by_their_header(header: int) -> None:
    assert header in UNITS
    assert not {0x30, 0x33, 0x34} & UNITS


def test_company_alone_makes_no_label_cross() -> None:
    """The label went with the others by its levels, and does not say so itself: the control does."""
    hearing = heard(UNIT, CASE)
    sure = Own(1, 10.0, 0.99, 0, (1,), (0,))
    for said, moved, least in ((0.16, False, 0.0), (0.8, True, 0.95)):
        made = group(hearing, [UNIT, CASE], sure)
        count_labels(
            made, {CASE: sure, UNIT: Own(1, 10.0, said, 0, (1,), (0,))}, hearing, [STRAIGHT], alone=False
        )
        assert (UNIT in {tag.epc for tag in made.moved()}) is moved
        assert CASE in {tag.epc for tag in made.moved()}
        assert made.doubts[UNIT] > least


@pytest.mark.parametrize(
    ("said", "went", "clear", "other", "told"),
    [
        (0.3, 0.99, 6, 0.0, 0.99),  # the cases' own: it moved as they did
        (0.3, 0.4, 6, 0.0, 0.49),  # it did not: told, and not surely
        (0.3, 0.99, 4, 0.0, None),  # too few cases tell of it
        (0.3, 0.99, 6, 0.9, None),  # the cases are another label's
        (0.1, 0.99, 6, 0.0, None),  # it says itself that it did not
    ],
)
def test_many_cases_that_crossed_bear_out_the_one_label_that_moved_as_they_did(
    said: float, went: float, clear: int, other: float, told: float | None
) -> None:
    epcs = [b"\x30" * 11 + bytes([n]) for n in range(clear)]
    hearing = heard(UNIT, OTHER, *epcs)
    sure = Own(1, 10.0, 0.99, 0, (1,), (0,))
    own = dict.fromkeys(epcs, sure) | {UNIT: sure._replace(belief=said), OTHER: sure._replace(belief=other)}
    made = group(hearing, [UNIT, *([OTHER] if other else []), *epcs], sure, went)
    count_labels(made, own, hearing, [STRAIGHT], alone=False)
    assert (UNIT in {tag.epc for tag in made.moved()}) is (told is not None)
    if told is not None:
        assert made.doubts[UNIT] == pytest.approx(told, abs=0.01)


@pytest.mark.parametrize(
    ("said", "went", "case", "told"),
    [
        (0.95, 0.8, 0.99, 0.5),  # its cases, as it seems, moved otherwise
        (0.95, 0.95, 0.99, 0.988),
        (0.99, 0.8, 0.99, 0.995),  # it leaves no doubt itself
        (0.95, 0.8, 0.9, 0.977),  # no case says so clearly
    ],
)
def test_a_label_that_did_not_move_as_its_cases_is_a_hold(
    said: float, went: float, case: float, told: float
) -> None:
    """Of the pallet that crossed one case was read; the label stands beside the way, uncovered."""
    hearing = heard(UNIT, CASE)
    own = {UNIT: Own(1, 10.0, said, 0, (1,), (0,)), CASE: Own(1, 10.0, case, 0, (1,), (0,))}
    made = group(hearing, [UNIT, CASE], own[CASE], went)
    count_labels(made, own, hearing, [STRAIGHT], alone=False)
    assert made.doubts[UNIT] == pytest.approx(told, abs=0.006)


@pytest.mark.parametrize(
    ("said", "dbm", "last", "told"),
    [
        (0.9, -55, "inner", 0.5),  # it stands in the truck, and is uncovered
        (0.9, -35, "inner", 0.998),
        (0.96, -55, "inner", 0.999),  # the far side of metal
        (0.9, -55, "outer", 0.998),  # nothing turned beyond the door
    ],
)
def test_a_label_that_was_faint_in_the_doorway_must_tell_more_itself(
    said: float, dbm: int, last: str, told: float
) -> None:
    """Eight cases of the pallet that crossed moved as it did."""
    epcs = [b"\x30" * 11 + bytes([n]) for n in range(8)]
    hearing = heard(UNIT, *epcs, dbm=dbm)
    sure = Own(1, 10.0, 0.99, 0, (1,), (0,))
    own = dict.fromkeys(epcs, sure) | {UNIT: sure._replace(belief=said)}
    made = group(hearing, [UNIT, *epcs], sure, 0.995)
    count_labels(made, own, hearing, [body(1, 6, "inner", last)], alone=False)
    assert made.doubts[UNIT] == pytest.approx(told, abs=0.001)


@pytest.mark.parametrize(("count", "said", "err"), [(2, 0.96, True), (2, 0.98, False), (3, 0.96, False)])
def test_a_couple_of_cases_must_be_surer_together(count: int, said: float, err: bool) -> None:
    epcs = [b"\x30" * 11 + bytes([n]) for n in range(count)]
    sure = Own(1, 10.0, said, 0, (1,), (0,))
    made = group(heard(*epcs), epcs, sure)
    went = body(1, 6, "inner", "outer")._replace(loads=((1_500_000, 2_300_000),))
    assert _cases_err(made, went, dict.fromkeys(epcs, sure)) is err


def test_of_one_body_the_surest_way_holds_and_cases_that_say_otherwise_rest() -> None:
    hearing = heard(UNIT, CASE)
    out = group(hearing, [UNIT], Own(1, 10.0, 0.97, 0, (1,), (0,)))
    against = group(hearing, [CASE], Own(-1, 40.0, 0.999, 0, (-1,), (0,)))
    one = body(1, 9, "inner", "inner")
    for unseen in (one, one._replace(loads=())):
        resting: list[Heard] = []
        assert _one_way([against, out], resting, [unseen]) == [out]
        assert [tag.epc for tag in resting] == [CASE]
    other_body = group(hearing, [CASE], Own(-1, 40.0, 0.999, 1, (-1,), (1,)))
    other_body.bodies = (1,)
    assert _one_way([other_body, out], [], [one, one]) == [other_body, out]


def test_of_two_loads_that_were_seen_above_one_body_each_went_its_own_way() -> None:
    """A truck took one out and fetched another: the control is the same moment, so the same load."""
    hearing = heard(UNIT, CASE)
    seen_twice = [body(1, 9, "inner", "inner")._replace(loads=((1, 2), (8, 9)))]
    out = group(hearing, [UNIT], Own(1, 10.0, 0.56, 0, (1,), (0,)))
    back = group(hearing, [CASE], Own(-1, 40.0, 0.999, 0, (-1,), (0,)))
    assert _one_way([back, out], [], seen_twice) == [back, out]
    assert out.belief == 0.56
    of_one = group(hearing, [CASE], Own(-1, 10.0, 0.999, 0, (-1,), (0,)))
    assert _one_way([of_one, out], [], seen_twice) == [out]


def test_a_tag_that_says_nothing_by_itself_has_no_own_crossing() -> None:
    hearing = heard(UNIT)
    tag = hearing.tags[UNIT]
    way = follow({at: told[:4] for at, told in tag.told(hearing.quietest).items()}, Gateway())
    assert own_of([tag], [way], hearing, Sight(any=False, pair=False, height=False, bodies=())) == {}


def test_a_second_label_with_one_load_must_be_surer() -> None:
    """A pallet that stands next to the way is uncovered when another goes by: one load has one label."""
    hearing = heard(UNIT, OTHER)
    for said, went, told in ((0.94, 0.999, 0.88), (0.99, 0.999, 0.98), (0.97, 0.91, 0.5)):
        made = group(hearing, [UNIT, OTHER], Own(1, 10.0, 0.999, 0, (1,), (0,)), went)
        own = {epc: Own(1, 10.0, each, 0, (1,), (0,)) for epc, each in ((UNIT, 0.999), (OTHER, said))}
        count_labels(made, own, hearing, [STRAIGHT], alone=False)
        assert made.doubts[UNIT] >= 0.999
        assert made.doubts[OTHER] == pytest.approx(told)
        assert {tag.epc for tag in made.moved()} == {UNIT, OTHER}, "it is told, and held where it is not sure"


@pytest.mark.parametrize(
    ("first", "last", "loads", "one"),
    [
        ("inner", "outer", [(1.5, 2.35)], True),  # 0.28 of the truck's time
        ("inner", "outer", [(1.5, 2.85)], False),  # 0.45: two, one behind the other
        ("inner", "outer", [(1.1, 3.5)], True),  # 0.8: on a pallet jack
        ("outer", "outer", [(1.5, 1.9)], True),  # 0.13: the truck turned beyond the door
        ("outer", "outer", [(1.5, 2.15)], False),  # 0.22
        ("inner", "outer", [(1.2, 2.0), (2.5, 3.3)], False),
        ("inner", "outer", [], False),
    ],
)
def test_a_load_as_long_as_one_pallet_is_told_from_two_by_its_trucks_time(
    first: str, last: str, loads: list[tuple[float, float]], one: bool
) -> None:
    spans = tuple((OPENED_US + int(a * 1e6), OPENED_US + int(b * 1e6)) for a, b in loads)
    assert one_long(body(1, 4, first, last)._replace(loads=spans)) is one


@pytest.mark.parametrize(
    ("until_s", "said", "told"), [(1.85, 0.99, 0.5), (1.85, 0.996, 0.992), (2.35, 0.99, 0.98)]
)
def test_a_second_label_beside_a_load_no_longer_than_one_pallet_must_leave_no_doubt(
    until_s: float, said: float, told: float
) -> None:
    """The control is a load as long as two."""
    hearing = heard(UNIT, OTHER)
    own = {epc: Own(1, 10.0, each, 0, (1,), (0,)) for epc, each in ((UNIT, 0.999), (OTHER, said))}
    made = group(hearing, [UNIT, OTHER], own[UNIT])
    load = (OPENED_US + 1_000_000, OPENED_US + int(until_s * 1e6))
    count_labels(made, own, hearing, [body(1, 4, "inner", "outer")._replace(loads=(load,))], alone=False)
    assert made.doubts[OTHER] == pytest.approx(told)


def test_a_second_label_that_a_neighbor_heard_better_is_a_hold() -> None:
    for elsewhere, told in ((2.0, 0.5), (0.5, 0.98)):
        hearing = heard(UNIT, OTHER)
        hearing.tags[OTHER].away = elsewhere * hearing.tags[OTHER].home
        own = {epc: Own(1, 10.0, said, 0, (1,), (0,)) for epc, said in ((UNIT, 0.999), (OTHER, 0.99))}
        made = group(hearing, [UNIT, OTHER], own[UNIT])
        count_labels(made, own, hearing, [STRAIGHT], alone=False)
        assert made.doubts[OTHER] == pytest.approx(told)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (0.985, 0.92, 0.5),  # which of them went?
        (0.998, 0.92, 0.998),
        (0.985, 0.97, 0.985),  # two on one fork
        (0.985, 0.3, 0.985),
    ],
)
def test_where_another_label_may_have_gone_the_surer_one_must_leave_no_doubt(
    first: float, second: float, told: float
) -> None:
    hearing = heard(UNIT, OTHER)
    own = {epc: Own(1, 10.0, said, 0, (1,), (0,)) for epc, said in ((UNIT, first), (OTHER, second))}
    made = group(hearing, [UNIT, OTHER], own[UNIT], went=0.98)
    count_labels(made, own, hearing, [STRAIGHT], alone=False)
    assert min(made.doubts[UNIT], first) == pytest.approx(told)


@pytest.mark.parametrize(
    ("loads", "err"),
    [
        (((1.5, 2.3),), False),
        (((1.0, 5.0),), True),  # a load stood there
        (None, False),  # nothing looks at the height
    ],
)
def test_cases_without_a_label_are_believed_by_what_the_height_eye_saw(
    loads: tuple[tuple[float, float], ...] | None, err: bool
) -> None:
    hearing = heard(CASE)
    spans = None if loads is None else tuple((int(a * 1e6), int(b * 1e6)) for a, b in loads)
    sure = Own(1, 10.0, 0.99, 0, (1,), (0,))
    made = group(hearing, [CASE], sure)
    assert _cases_err(made, body(1, 6, "inner", "outer")._replace(loads=spans), {CASE: sure}) is err


@pytest.mark.parametrize(("clear", "unclear", "err"), [(9, 3, False), (9, 5, True), (7, 0, True)])
def test_many_cases_that_all_say_so_are_a_load_though_it_stood_in_the_doorway(
    clear: int, unclear: int, err: bool
) -> None:
    epcs = [b"\x30" * 11 + bytes([n]) for n in range(clear + unclear)]
    hearing = heard(*epcs)
    says = [Own(1, 10.0, 0.99 if n < clear else 0.01, 0, (1,), (0,)) for n in range(clear + unclear)]
    made = group(hearing, epcs[:clear], says[0])
    stood = body(1, 6, "inner", "outer")._replace(loads=((1_000_000, 5_000_000),))
    assert _cases_err(made, stood, dict(zip(epcs, says, strict=True))) is err


@pytest.mark.parametrize(("told", "agree", "err"), [(1, 15, True), (2, 15, False), (1, 20, False)])
def test_a_few_of_many_cases_are_a_load_only_where_most_say_so(told: int, agree: int, err: bool) -> None:
    epcs = [b"\x30" * 11 + bytes([n]) for n in range(30)]
    says = [Own(1, 10.0, 0.99 if n < agree else 0.2, 0, (1,), (0,)) for n in range(30)]
    made = group(heard(*epcs), epcs[:told], says[0])
    went = body(1, 6, "inner", "outer")._replace(loads=((1_500_000, 2_300_000),))
    assert _cases_err(made, went, dict(zip(epcs, says, strict=True))) is err


def test_loads_that_were_seen_above_one_body_in_turn_are_groups_of_their_own() -> None:
    """Something was set down before an eye, and two loads went by meanwhile; the control is one load."""
    hearing = heard(UNIT, CASE)
    own = {UNIT: Own(1, 10.0, 0.99, 0, (1,), (0,)), CASE: Own(1, 40.0, 0.99, 0, (1,), (0,))}
    for loads, groups in ((((1, 2), (5, 6)), 2), ((), 1)):
        long = body(1, 9, "inner", "outer")._replace(loads=loads)
        assert len(_in_turn(list(hearing.tags.values()), own, [long])) == groups


def test_what_went_with_no_body_though_both_eyes_can_be_believed_is_a_hold() -> None:
    """One eye was touched; the control is a door with that eye alone."""
    crossed = Own(1, 10.0, 0.999, None, (1,), ())
    for pair, least, most in ((True, 0.0, 0.5), (False, 0.8, 1.0)):
        hearing = heard(CASE)
        made = group(hearing, [CASE], crossed)
        sight = Sight(any=True, pair=pair, height=False, bodies=())
        assert least < _believed(made, {CASE: crossed}, hearing, sight) <= most


def test_two_labels_are_two_loads_and_do_not_bear_each_other_out() -> None:
    """The control is a label with a case."""
    for other, least, most in ((OTHER, 0.94, 0.94), (CASE, 0.98, 1.0)):
        hearing = heard(UNIT, other)
        own = {UNIT: Own(1, 10.0, 0.94, 0, (1,), (0,)), other: Own(1, 10.0, 0.92, 0, (1,), (0,))}
        sight = Sight(any=True, pair=True, height=True, bodies=(STRAIGHT,))
        assert least <= _believed(group(hearing, [UNIT, other], own[UNIT]), own, hearing, sight) <= most


def test_cases_of_which_no_load_was_seen_are_a_hold_and_nothing_where_a_neighbor_hears_them() -> None:
    """The lowest loads pass under the height eye."""
    low = body(1, 6, "inner", "outer")._replace(loads=())
    for said, elsewhere, belief_ in ((0.988, 0.0, 0.8), (0.988, 0.5, 0.5), (0.995, 0.5, 0.8)):
        hearing = heard(CASE)
        hearing.tags[CASE].away = elsewhere * hearing.tags[CASE].home
        own = Own(1, 10.0, said, 0, (1,), (0,))
        made = group(hearing, [CASE], own)
        doubt_turned([made], {CASE: own}, [low])
        assert made.belief == belief_
    own = Own(1, 10.0, 0.995, 0, (1,), (0,))
    label = group(heard(UNIT), [UNIT], own._replace(belief=0.8))
    label.belief = 0.96
    doubt_turned([label], {UNIT: own}, [low])
    assert label.belief == 0.8, "others of the like make it no surer"
    control = group(heard(CASE), [CASE], own)
    doubt_turned([control], {CASE: own}, [low._replace(loads=((1_500_000, 2_300_000),))])
    assert control.belief == 0.995


def test_what_went_with_a_body_that_turned_is_surer_or_held() -> None:
    """Nothing but the antennas says which way; the controls went straight, or with a load that was seen as
    the body left.
    """
    own = Own(-1, 10.0, 0.945, 0, (-1,), (0,))
    early, late = (
        (OPENED_US + at, OPENED_US + at + long) for at, long in ((1_200_000, 500_000), (4_900_000, 800_000))
    )
    fetched = own._replace(sense=1, belief=0.99)
    for first, loads, others, belief_ in (
        ("inner", None, [], 0.89),
        ("outer", None, [], 0.945),
        ("inner", (late,), [], 0.945),
        ("inner", (early, late), [], 0.89),
        ("inner", (early, late), [group(heard(OTHER), [OTHER], fetched)], 0.67),  # one out, another in
    ):
        made = group(heard(UNIT), [UNIT], own)
        doubt_turned([made, *others], {UNIT: own}, [body(1, 6, first, "inner")._replace(loads=loads)])
        assert made.belief == pytest.approx(belief_)


@pytest.mark.parametrize(
    ("back", "loads", "belief_"),
    [
        (("outer", "inner"), ((6_500_000, 7_300_000),), 0.5),
        (("outer", "inner"), (), 0.96),  # the truck came back without a load
        (("outer", "inner"), ((6_500_000, 7_000_000),), 0.96),  # a shorter one: another load, or the driver
        (("inner", "outer"), ((6_500_000, 7_300_000),), 0.96),  # another went the same way
    ],
)
def test_a_load_that_a_later_body_may_have_brought_back_is_not_sure(
    back: tuple[str, str], loads: tuple[tuple[int, int], ...], belief_: float
) -> None:
    """Of the load that came back no tag tells."""
    hearing = heard(UNIT)
    own = Own(1, 10.0, 0.96, 0, (1,), (0,))
    bodies = [
        body(1, 3, "inner", "outer")._replace(loads=((OPENED_US + 1_500_000, OPENED_US + 2_300_000),)),
        body(6, 8, *back)._replace(loads=tuple((OPENED_US + a, OPENED_US + b) for a, b in loads)),
    ]
    made = group(hearing, [UNIT], own)
    doubt_turned([made], {UNIT: own}, bodies)
    assert made.belief == belief_
    # What is not sure to have gone with the later body does not account for it.
    other = group(heard(OTHER), [OTHER], own._replace(sense=-1, body=1, crossings=(-1,), bodies=(1,)))
    for other.belief, by_another in ((0.5, belief_), (0.95, 0.96)):
        made.belief = 0.96
        doubt_turned([made, other], {UNIT: own}, bodies)
        assert made.belief == by_another
    both = made.surest = own._replace(crossings=(1, -1), bodies=(0, 1))
    made.belief = 0.96
    doubt_turned([made], {UNIT: both}, bodies)
    assert made.belief == 0.96, "the control: it told so itself"


@pytest.mark.parametrize(
    ("said", "other_said", "went", "moved"),
    [
        (0.93, 0.999, 0.999, False),
        (0.98, 0.999, 0.999, True),
        (0.98, 0.999, 0.992, False),
        (0.93, 0.93, 0.992, True),
        (0.93, None, 0.999, True),
    ],
)
def test_without_a_label_a_case_goes_beside_a_sure_one_only_where_it_is_sure_itself(
    said: float, other_said: float | None, went: float, moved: bool
) -> None:
    """By the levels both went; the surest is told however sure it is."""
    other = b"\x30" * 11 + b"\x31"
    hearing = heard(CASE, other)
    own = {CASE: Own(1, 10.0, said, 0, (1,), (0,))}
    if other_said is not None:
        own[other] = Own(1, 10.0, other_said, 0, (1,), (0,))
    made = group(hearing, [CASE, other], own.get(other, own[CASE]), went)
    leave_unsure(made, own)
    assert (made.sureness[CASE] > LIKELY) is moved
    assert (made.sureness[other] > LIKELY) is (other_said is not None)


def test_among_many_cases_each_must_be_surer() -> None:
    """The control is among few."""
    for many, moved in ((9, False), (3, True)):
        others = [b"\x30" * 11 + bytes([n]) for n in range(many)]
        hearing = heard(CASE, *others)
        sure = Own(1, 10.0, 0.999, 0, (1,), (0,))
        own = dict.fromkeys(others, sure) | {CASE: sure._replace(belief=0.992)}
        made = group(hearing, [CASE, *others], sure)
        leave_unsure(made, own)
        assert (made.sureness[CASE] > LIKELY) is moved
        assert all(made.sureness[epc] > LIKELY for epc in others)


def test_beside_a_case_that_was_read_often_one_that_was_not_stays() -> None:
    """The control: none was read often."""
    for often, moved in ((8, False), (7, True)):
        seldom = b"\x30" * 11 + b"\x31"
        hearing = heard(CASE, seldom)
        sure = Own(1, 10.0, 0.99, 0, (1,), (0,))
        made = group(hearing, [CASE, seldom], sure)
        hearing.tags[CASE].reads, hearing.tags[seldom].reads = often, 4
        leave_unsure(made, {CASE: sure, seldom: sure._replace(belief=0.999)})
        assert [tag.epc for tag in made.moved()] == [CASE, *([seldom] if moved else [])]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ((0.6, 0.5, 0.29), 2),  # the third says half as much, or less
        ((0.97, 0.8, 0.8), 1),  # the control: one leaves no doubt
        ((0.6,) * 8, 5),  # of more nobody would look at each
    ],
)
def test_where_no_case_is_sure_a_hold_names_those_that_say_about_the_like(
    said: tuple[float, ...], named: int
) -> None:
    epcs = [b"\x30" * 11 + bytes([n]) for n in range(len(said))]
    own = {epc: Own(1, 10.0, each, 0, (1,), (0,)) for epc, each in zip(epcs, said, strict=True)}
    other_way = b"\x30" * 11 + b"\xff"
    own[other_way] = Own(-1, 10.0, 0.6, 0, (-1,), (0,))
    made = group(heard(*own), list(own), own[epcs[0]], went=0.4)
    made.sureness[epcs[0]] = 0.999
    leave_unsure(made, own)
    assert [tag.epc for tag in made.moved()] == epcs[:named]
    assert all(made.doubts.get(epc, 1.0) <= 0.5 for epc in epcs[:named] if own[epc].belief < 0.97)


def test_a_label_that_leads_and_moved_otherwise_is_told_and_held() -> None:
    """With one eye left, what crossed one behind the other is one group. The control is a case."""
    other_case = b"\x30" * 11 + b"\x31"
    for label, told in ((UNIT, True), (other_case, False)):
        hearing = heard(label, CASE, b"\x30" * 11 + b"\x32")
        made = group(hearing, list(hearing.tags), Own(1, 10.0, 0.999, None, (1,), ()))
        made.sureness[label] = 0.4
        lead(made, made.tags)
        assert (made.sureness[label] > LIKELY) is told
        assert made.doubts.get(label) == (0.5 if told else None)
        assert not {CASE} & set(made.doubts)


def test_what_an_eye_would_have_seen_and_did_not_is_no_more_than_a_hold() -> None:
    """One eye is left; it was free when the tag's own course has it cross."""
    crossed = Way(0.999, 0.0, 0.001, [10, 20, 30], [-0.9, 0.0, 0.9])
    hearing = heard(UNIT)
    one_eye = Sight(any=True, pair=False, height=False, bodies=())
    [claim] = claims_of(hearing.tags[UNIT], crossed, hearing, one_eye)
    blind = Sight(any=False, pair=False, height=False, bodies=())
    free, control = (belief(hearing.tags[UNIT], claim, 0.0, [], hearing, sight) for sight in (one_eye, blind))
    assert free == pytest.approx(0.6 * control)


@pytest.mark.parametrize(
    ("load", "loads", "same"),
    [(False, (), False), (True, ((2_000_000, 3_000_000),), True), (False, None, True)],
)
def test_with_one_eye_left_what_no_load_was_seen_of_is_no_more_than_a_hold(
    load: bool, loads: tuple[tuple[int, int], ...] | None, same: bool
) -> None:
    """The controls: a load was seen then; nothing looks at the height."""
    crossed = Way(0.999, 0.0, 0.001, [10, 20, 30], [-0.9, 0.0, 0.9])
    hearing = heard(UNIT)
    one_eye = Sight(True, False, loads is not None, (body(0, 9, "outer", "outer")._replace(loads=loads),))
    assert one_eye.bodies[0].load in {load, None}
    [claim] = claims_of(hearing.tags[UNIT], crossed, hearing, one_eye)
    blind = Sight(any=False, pair=False, height=False, bodies=())
    told, control = (belief(hearing.tags[UNIT], claim, 0.0, [], hearing, sight) for sight in (one_eye, blind))
    assert (told == pytest.approx(control)) is same


@pytest.mark.parametrize(
    ("until_s", "last", "part"), [(2.3, "inner", 0.6), (6.0, "inner", 1.0), (2.6, "outer", 1.0)]
)
def test_a_person_in_the_eyes_is_no_pallet_jack(
    until_s: float, last: str, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No load was seen. The controls: a jack is walked there and back, or straight through."""
    hearing = heard(UNIT)
    sight = Sight(True, True, True, (body(1, until_s, "inner", last)._replace(loads=()),))
    [claim, *_] = claims_of(hearing.tags[UNIT], STAYED, hearing, sight)
    told = belief(hearing.tags[UNIT], claim, 0.0, [], hearing, sight)
    monkeypatch.setattr(witness, "_WALKED_BACK_US", 0)
    assert told == pytest.approx(part * belief(hearing.tags[UNIT], claim, 0.0, [], hearing, sight))
