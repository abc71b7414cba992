# SPDX-License-Identifier: Apache-2.0
"""One connection's conversation, by hand: messages in, messages out, and the time as the test has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from drivers.errors import LinkLost
from drivers.llrp.clock import ReaderClock
from drivers.llrp.messages import Message, Parameter
from drivers.llrp.pins import Inputs, Outputs
from drivers.llrp.refusals import refusal_in
from drivers.llrp.session import MISSED_MAX, ReaderFault, Session
from drivers.llrp.settings import ReaderSettings
from tests.drivers.llrp.peer import SILENT, Peer, event, greeting, status

SECOND = 1_000_000
SETTINGS = ReaderSettings(inputs=(1, 2), outputs={1: False}, debounce_s=0.02)


class Talk:
    """A session and a scripted reader, with nothing between."""

    def __init__(self, settings: ReaderSettings = SETTINGS, peer: Peer | None = None) -> None:
        self.peer = peer or Peer()
        self.now_us = 10 * SECOND
        self.sent: list[Message] = []
        self.outputs = Outputs(settings.outputs)
        self.inputs = Inputs("gate-1", settings.inputs, round(settings.debounce_s * 1e6))
        self.session = Session(settings, ReaderClock(), self.inputs, self.outputs, self.now_us)

    def hear(self, message: Message) -> None:
        self.session.take(message, self.now_us)
        self.exchange()

    def exchange(self) -> None:
        """Send what is to be sent, and hear its answers, until both are silent."""
        while outgoing := self.session.outgoing():
            for message in outgoing:
                self.sent.append(message)
                self.peer.received.append(message)
                for answer in self.peer.answers(message):
                    self.session.take(answer, self.now_us)

    def later(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND)
        self.session.tick(self.now_us)
        self.exchange()

    def ready(self) -> Talk:
        self.hear(greeting())
        assert self.session.ready
        return self

    def names(self) -> list[str]:
        return [message.name for message in self.sent]

    def levels(self) -> list[tuple[int, bool]]:
        return [(change.port, change.high) for change in self.session.findings().inputs]


def test_the_order_is_that_of_the_standard_and_of_care() -> None:
    names = Talk().ready().names()
    for earlier, later in (
        ("GET_SUPPORTED_VERSION", "GET_READER_CAPABILITIES"),
        ("GET_READER_CAPABILITIES", "ENABLE_EVENTS_AND_REPORTS"),
        ("ENABLE_EVENTS_AND_REPORTS", "DELETE_ROSPEC"),  # what was kept, before it is gone
        ("IMPINJ_ENABLE_EXTENSIONS", "ADD_ROSPEC"),
        ("DELETE_ROSPEC", "ADD_ROSPEC"),
        ("ADD_ROSPEC", "ENABLE_ROSPEC"),
    ):
        assert names.index(earlier) < names.index(later)
    assert names[-1] == "ENABLE_EVENTS_AND_REPORTS"
    ids = [message.id for message in Talk().ready().sent]
    assert ids == list(range(1, len(ids) + 1))


def test_three_missed_keepalives_are_death_and_two_are_not() -> None:
    talk = Talk(replace(SETTINGS, probe_s=3600.0)).ready()
    talk.later(MISSED_MAX * SETTINGS.keepalive_s)
    talk.hear(Message("KEEPALIVE", 77))
    assert (talk.sent[-1].name, talk.sent[-1].id) == ("KEEPALIVE_ACK", 77)
    assert talk.session.deadline_us <= talk.now_us + 16 * SECOND
    assert not talk.session.overdue(talk.now_us + 15 * SECOND)
    talk.peer.refuse["GET_ROSPECS"] = SILENT
    with pytest.raises(LinkLost, match="silent for 16 s and missed 3 keepalives"):
        talk.later(16)


def test_reports_are_life_too() -> None:
    talk = Talk(replace(SETTINGS, probe_s=3600.0)).ready()
    for _ in range(100):
        talk.now_us += 10 * SECOND
        talk.session.reported(talk.now_us)
        talk.session.tick(talk.now_us)


def test_a_level_told_at_connect_never_overrules_a_newer_edge() -> None:
    talk = Talk()
    answers = talk.peer.answers

    def then_an_edge(message: Message) -> list[Message]:
        told = answers(message)
        if message.name == "DELETE_ROSPEC":
            told.append(event(Parameter("GPIEvent", {"Port": 1, "Event": True})))
        return told

    talk.peer.answers = then_an_edge  # type: ignore[method-assign]
    talk.ready()
    talk.later(1)
    assert sorted(talk.levels()) == [(1, True), (2, False)]


def test_a_level_whose_time_ended_without_a_connection_is_never_shown() -> None:
    talk = Talk()
    talk.outputs.set(1, True, talk.now_us + SECOND)
    talk.now_us += 2 * SECOND
    talk.ready()
    written = [
        (part.fields["Port"], part.fields["Data"])
        for message in talk.sent
        for part in message.every("GPOWriteData")
    ]
    assert written == [(1, False)]


def test_a_level_that_still_holds_is_shown_at_connect() -> None:
    talk = Talk()
    talk.outputs.set(1, True, talk.now_us + SECOND)
    talk.ready()
    talk.later(2)
    written = [part.fields["Data"] for message in talk.sent for part in message.every("GPOWriteData")]
    assert written == [True, False]


def test_an_output_goes_out_while_the_script_waits_for_an_answer() -> None:
    talk = Talk()
    talk.peer.refuse["ADD_ROSPEC"] = SILENT
    talk.hear(greeting())
    assert not talk.session.ready
    talk.outputs.set(1, True, None)
    talk.session.show([1], talk.now_us)
    talk.exchange()
    assert talk.sent[-1].first("GPOWriteData") is not None


@pytest.mark.parametrize("answer", [SILENT, status(401, "later")])
def test_an_output_that_a_reader_did_not_take_is_set_until_it_does(answer: Parameter | object) -> None:
    talk = Talk().ready()
    talk.peer.refuse["SET_READER_CONFIG"] = answer
    talk.outputs.set(1, True, None)
    talk.session.show([1], talk.now_us)
    talk.exchange()
    for _ in range(5):
        talk.later(10)
        talk.hear(Message("KEEPALIVE", 1))
    assert "output-1" in talk.session.faults
    del talk.peer.refuse["SET_READER_CONFIG"]
    before = len(talk.sent)
    for _ in range(4):
        talk.later(10)
        talk.hear(Message("KEEPALIVE", 1))
    written = [
        part.fields["Data"] for message in talk.sent[before:] for part in message.every("GPOWriteData")
    ]
    assert written == [True], "once taken it is not set again"
    assert talk.session.faults == {}


def test_the_last_words_are_the_safe_levels_and_the_end() -> None:
    talk = Talk().ready()
    talk.outputs.set(1, True, None)
    level, end = talk.session.farewell()
    written = level.first("GPOWriteData")
    assert written is not None
    assert written.fields["Data"] is False
    assert end.name == "CLOSE_CONNECTION"
    [alone] = Talk().session.farewell()  # before the greeting
    assert alone.name == "CLOSE_CONNECTION"


def test_a_reader_that_reads_nothing_for_long_is_told_once_and_its_end_too() -> None:
    talk = Talk(replace(SETTINGS, quiet_s=60.0)).ready()
    for _ in range(12):
        talk.later(10)
        talk.hear(Message("KEEPALIVE", 1))
    talk.session.reported(talk.now_us)
    notes = talk.session.findings().notes
    assert [note for note in notes if "tag" in note] == [
        "connected and its inventory runs, but no tag was read for 1 min",
        "tags are read again",
    ]
    assert talk.names().count("GET_ROSPECS") == 4


def test_what_no_answer_is_due_to_may_be_refused_in_silence() -> None:
    talk = Talk(replace(SETTINGS, pallets_first=False))
    talk.peer.refuse["ENABLE_EVENTS_AND_REPORTS"] = status(109)
    talk.peer._knows = lambda name: name != "ENABLE_EVENTS_AND_REPORTS"  # type: ignore[method-assign]
    talk.ready()
    assert talk.session.findings().notes == []
    talk.hear(Message("ERROR_MESSAGE", 4711, {}, [status(112, "why?")]))
    assert talk.session.findings().notes == [
        'the reader refused a message: a message that it did not expect now (112), "why?"'
    ]


def test_what_a_reader_says_by_itself_under_a_number_of_ours_is_no_answer() -> None:
    talk = Talk()
    answers = talk.peer.answers
    strange = {"VendorID": 161, "MessageSubtype": 9}
    talk.peer.answers = lambda message: [  # type: ignore[method-assign]
        Message("CUSTOM_MESSAGE", message.id, strange),  # type: ignore[arg-type]
        Message("GET_ROSPECS_RESPONSE", message.id, {}, [status(100)]),
        *answers(message),
    ]
    talk.ready()
    talk.outputs.set(1, True, None)
    talk.session.show([1], talk.now_us)
    talk.exchange()
    assert talk.session.faults == {}


def test_answers_told_twice_or_to_nobody_are_ignored() -> None:
    talk = Talk()
    answers = talk.peer.answers
    talk.peer.answers = lambda message: answers(message) * 2  # type: ignore[method-assign]
    talk.ready()
    assert talk.session.faults == {}


def test_a_reader_that_sends_and_does_not_listen_is_given_up() -> None:
    talk = Talk().ready()
    for number in range(64):
        talk.session.take(Message("KEEPALIVE", number), talk.now_us)
    with pytest.raises(ReaderFault, match="64 messages wait to be sent"):
        talk.session.take(Message("KEEPALIVE", 64), talk.now_us)


def chain(depth: int, leaf: Callable[[], list[Parameter]]) -> list[Parameter]:
    if depth == 0:
        return leaf()
    return [Parameter("ParameterError", {"ParameterType": 183, "ErrorCode": 203}, chain(depth - 1, leaf))]


UNKNOWN = Parameter("ParameterError", {"ParameterType": 999, "ErrorCode": 207})
FIELD = Parameter("FieldError", {"FieldIndex": 3, "ErrorCode": 301})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([], " and did not say why"),
        ([status(101)], ": an error in a field (101)"),
        ([status(777)], ": status 777"),
        ([status(101, "", FIELD)], ": an error in a field (101); field 3: a value out of range (301)"),
        (
            [status(100, "", UNKNOWN)],
            ": an error in a parameter (100); parameter 999: a parameter that it does not know (207)",
        ),
        (
            [status(100, "", *chain(2, list))],
            ": an error in a parameter (100); AISpec > AISpec: a parameter that is missing (203)",
        ),
    ],
)
def test_a_refusal_is_a_sentence_with_its_place(told: list[Parameter], words: str) -> None:
    assert str(refusal_in("ADD_ROSPEC", Message("X", 0, {}, told))) == f"the reader refused ADD_ROSPEC{words}"


def test_a_chain_without_end_is_cut() -> None:
    told = str(refusal_in("ADD_ROSPEC", Message("X", 0, {}, [status(100, "", *chain(200, list))])))
    assert told.count("AISpec") == 8
