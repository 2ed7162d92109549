"""What a session tells whom, and in which order, whatever happens."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.gateway.answer import decoded_size
from speech.gateway.events import SESSION_STARTED, AudioControl, SessionStatus, State
from speech.gateway.exchange import (
    ANSWER_FAILED,
    PROVIDER_BUSY,
    PROVIDER_ERROR,
    RECOGNITION_FAILED,
)
from speech.gateway.session import BLOCK_BYTES, Phase, Session
from speech.gateway.steps import Append, Commit, DropSound, Respond, Step, Tell, Truncate
from speech.realtime import events as realtime
from speech.realtime.shapes import ErrorDetail, Response, StatusDetails
from tests.unit.speech.gateway.provider import SimulatedProvider

BEGUN = [Tell("state", State.WORKING)]
OPENED = [
    Tell("audio", "Session start"),
    Tell("audioControl", AudioControl(type="sessionStart")),
    Tell("sessionStatus", SessionStatus(active=True)),
]
CONFIRMED = [Tell("state", State.READY_TO_STOP), Tell("transcript", SESSION_STARTED)]
ENDED = [Tell("state", State.READY_TO_START), Tell("sessionStatus", SessionStatus(active=False))]


def opened() -> Session:
    session = Session()
    list(session.begin())
    list(session.open())
    list(session.take(realtime.SessionCreated(), now_ms=0))
    return session


def take(session: Session, *events: realtime.Event, now_ms: int = 0) -> list[Step]:
    return [step for event in events for step in session.take(event, now_ms=now_ms)]


class TestBeginAndEnd:
    def test_it_opens_in_the_order_of_the_contract(self) -> None:
        session = Session()

        assert list(session.begin()) == BEGUN
        assert list(session.open()) == OPENED
        assert take(session, realtime.SessionCreated()) == CONFIRMED

    def test_the_provider_confirms_once_even_if_it_says_so_twice(self) -> None:
        session = opened()

        assert take(session, realtime.SessionUpdated(), realtime.SessionCreated()) == []

    def test_what_cannot_be_opened_was_never_active(self) -> None:
        session = Session()
        list(session.begin())

        refused = list(session.refuse("no"))

        assert refused == [Tell("error", "no"), Tell("state", State.READY_TO_START)]
        assert session.phase is Phase.ENDED

    def test_a_session_that_heard_nothing_stops_without_a_commit(self) -> None:
        session = opened()

        assert list(session.stop()) == BEGUN
        assert session.is_drained
        assert list(session.close()) == [*ENDED, Tell("done")]

    def test_a_session_that_breaks_says_why(self) -> None:
        assert list(opened().drop("gone")) == [Tell("error", "gone"), *ENDED]


class TestSound:
    def test_every_complete_block_goes_on_and_the_rest_waits(self) -> None:
        session = opened()

        assert list(session.hear(b"ab" * 5_000)) == [Append(b"ab" * 2_400)] * 2
        assert list(session.stop()) == [*BEGUN, Append(b"ab" * 200), Commit()]

    def test_an_odd_byte_is_carried_over_and_a_lone_one_is_dropped(self) -> None:
        session = opened()

        assert list(session.hear(b"x" * 4_799)) == []
        assert list(session.hear(b"yz1")) == [Append(b"x" * 4_799 + b"y")]
        assert list(session.stop()) == [*BEGUN, Append(b"z1"), Commit()]

        lonely = opened()
        list(lonely.hear(b"x"))
        assert list(lonely.stop()) == BEGUN

    def test_less_than_a_block_is_said_but_not_committed(self) -> None:
        session = opened()
        list(session.hear(bytes(4_000)))

        assert list(session.stop()) == [*BEGUN, Append(bytes(4_000))]

    def test_nothing_is_committed_twice(self) -> None:
        session = opened()
        list(session.hear(bytes(BLOCK_BYTES)))
        take(session, realtime.AudioCommitted(item_id="turn"))

        assert list(session.stop()) == BEGUN

    @given(st.lists(st.binary(max_size=15_000), max_size=20))
    def test_no_sound_is_lost_or_reordered_however_it_is_cut(self, pieces: list[bytes]) -> None:
        session = opened()
        steps: list[Step] = [step for piece in pieces for step in session.hear(piece)]
        steps += session.stop()

        said = [step.pcm for step in steps if isinstance(step, Append)]
        whole = b"".join(pieces)
        assert b"".join(said) == whole[: len(whole) - len(whole) % 2]
        assert all(len(block) == BLOCK_BYTES for block in said[: len(whole) // BLOCK_BYTES])
        assert any(isinstance(step, Commit) for step in steps) == (len(whole) >= BLOCK_BYTES)


class TestDrain:
    def test_a_turn_that_is_being_spoken_is_answered_before_the_end(self) -> None:
        session = opened()
        list(session.hear(bytes(BLOCK_BYTES)))
        take(session, realtime.SpeechStarted(item_id="turn"))

        assert list(session.stop()) == [*BEGUN, Commit(), Respond()]
        assert not session.is_drained
        take(session, realtime.AudioCommitted(item_id="turn"))
        assert not session.is_drained
        take(session, realtime.TranscriptCompleted(item_id="turn", transcript="hi"))
        assert not session.is_drained
        take(session, realtime.ResponseCreated(response=Response(id="r")))
        assert not session.is_drained
        take(session, realtime.ResponseDone(response=Response(id="r", status="completed")))
        assert session.is_drained

    def test_silence_is_committed_and_not_answered(self) -> None:
        session = opened()
        list(session.hear(bytes(BLOCK_BYTES)))

        assert list(session.stop()) == [*BEGUN, Commit()]
        assert not session.is_drained
        take(session, realtime.AudioCommitted(item_id="turn"))
        take(session, realtime.TranscriptCompleted(item_id="turn", transcript=""))
        assert session.is_drained

    def test_of_a_turn_without_words_nothing_is_said(self) -> None:
        session = opened()
        take(session, realtime.AudioCommitted(item_id="turn"))

        assert take(session, realtime.TranscriptCompleted(item_id="turn", transcript=" ")) == []
        take(session, realtime.AudioCommitted(item_id="next"))
        take(session, realtime.TranscriptDelta(item_id="next", delta="hm"))
        (line,) = take(session, realtime.TranscriptCompleted(item_id="next", transcript=""))
        assert line.payload.text == ""  # type: ignore[union-attr]

    def test_a_commit_that_came_too_late_is_no_error(self) -> None:
        session = opened()
        list(session.hear(bytes(BLOCK_BYTES)))
        list(session.stop())

        empty = ErrorDetail(code="input_audio_buffer_commit_empty")
        assert take(session, realtime.Failure(error=empty)) == []
        assert session.is_drained


class TestUpstreamErrors:
    """One clear sentence of ours; the provider's own words are for its operator."""

    @pytest.mark.parametrize(
        ("code", "text"),
        [
            ("server_error", PROVIDER_ERROR),
            (None, PROVIDER_ERROR),
            ("rate_limit_exceeded", PROVIDER_BUSY),
        ],
    )
    def test_an_error_is_told_once_and_the_session_goes_on(
        self, code: str | None, text: str
    ) -> None:
        session = opened()
        error = ErrorDetail(type="server_error", code=code, message="secret of tenant 7")

        assert take(session, realtime.Failure(error=error)) == [Tell("error", text)]
        assert session.phase is Phase.ACTIVE
        assert list(session.hear(bytes(BLOCK_BYTES))) == [Append(bytes(BLOCK_BYTES))]

    @pytest.mark.parametrize(
        "error",
        [
            ErrorDetail(code="response_cancel_not_active"),
            ErrorDetail(code="item_truncate_invalid_item_id"),
            ErrorDetail(code="conversation_already_has_active_response"),
            ErrorDetail(code="invalid_value", param="audio_end_ms"),
        ],
    )
    def test_that_the_provider_was_quicker_is_no_error(self, error: ErrorDetail) -> None:
        assert take(opened(), realtime.Failure(error=error)) == []

    @pytest.mark.parametrize(
        ("code", "text"), [("server_error", ANSWER_FAILED), ("rate_limit_exceeded", PROVIDER_BUSY)]
    )
    def test_an_answer_that_fails_is_ended_and_the_next_one_is_heard(
        self, code: str, text: str
    ) -> None:
        session = opened()
        details = StatusDetails(type="failed", error=ErrorDetail(code=code, message="secret"))
        failed = Response(id="r", status="failed", status_details=details)

        told = take(
            session,
            realtime.ResponseCreated(response=Response(id="r")),
            realtime.AnswerDelta(response_id="r", item_id="i", delta="Once"),
            realtime.ResponseDone(response=failed),
        )

        assert [step for step in tells(told) if step.event == "error"] == [Tell("error", text)]
        assert told[-1] == Tell("transcript", "---\n")
        assert told[-2] == Tell("audioControl", AudioControl(type="answerEnd", item_id="i"))
        following = take(
            session,
            realtime.ResponseCreated(response=Response(id="s")),
            realtime.AudioDelta(response_id="s", item_id="j", delta="AAAA"),
        )
        assert following[-1] == Tell("audio", "AAAA")

    def test_words_that_could_not_be_recognised_are_asked_for_again(self) -> None:
        session = opened()
        take(session, realtime.SpeechStarted(item_id="t"), realtime.AudioCommitted(item_id="t"))

        failed = realtime.TranscriptFailed(item_id="t", error=ErrorDetail(message="secret"))

        assert take(session, failed) == [Tell("error", RECOGNITION_FAILED)]


class TestReconnecting:
    def test_the_client_waits_and_an_answer_that_is_due_is_asked_for_anew(self) -> None:
        session = opened()
        take(
            session,
            realtime.AudioCommitted(item_id="turn"),
            realtime.TranscriptCompleted(item_id="turn", transcript="hi"),
            realtime.ResponseCreated(response=Response(id="r")),
            realtime.AudioDelta(response_id="r", item_id="i", delta="AAAA"),
        )

        lost = list(session.lose())

        assert lost[:2] == [DropSound(), Tell("audio", "clear")]
        assert lost[-2:] == [
            Tell("audioControl", AudioControl(type="reconnecting")),
            Tell("state", State.WORKING),
        ]
        assert Tell("transcript", "---\n") in lost
        assert list(session.regain()) == [Tell("state", State.READY_TO_STOP), Respond()]

    def test_words_that_were_lost_are_not_answered(self) -> None:
        session = opened()
        take(
            session,
            realtime.SpeechStarted(item_id="turn"),
            realtime.TranscriptDelta(item_id="turn", delta="call me"),
            realtime.AudioCommitted(item_id="turn"),
        )

        (line, *_) = [step for step in session.lose() if step.event == "transcriptDelta"]  # type: ignore[union-attr]

        assert (line.payload.text, line.payload.final) == ("call me", True)
        assert list(session.regain()) == [Tell("state", State.READY_TO_STOP)]

    def test_a_session_that_is_being_stopped_does_not_wait_for_it(self) -> None:
        session = opened()
        list(session.hear(bytes(BLOCK_BYTES)))
        list(session.stop())

        assert Tell("state", State.WORKING) not in list(session.lose())
        assert session.is_drained
        assert list(session.regain()) == []


# ------------------------------------------------------------------ whatever happens


def tells(steps: Iterable[Step]) -> list[Tell]:
    return [step for step in steps if isinstance(step, Tell)]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_promises_hold_whatever_a_provider_says(data: st.DataObject) -> None:
    """A random conversation with interruptions, failures and lost connections."""
    session, provider = Session(), SimulatedProvider(data.draw)
    steps: list[Step] = [*session.begin(), *session.open()]
    now_ms = 0
    for event in provider.opening():
        steps += session.take(event, now_ms=now_ms)
    for _ in range(data.draw(st.integers(0, 60))):
        now_ms += data.draw(st.integers(0, 700))
        match data.draw(st.sampled_from(["provider"] * 9 + ["sound", "played", "played", "lose"])):
            case "provider":
                for event in provider.next():
                    steps += session.take(event, now_ms=now_ms)
            case "sound":
                steps += session.hear(bytes(data.draw(st.integers(0, 12_000))))
            case "played":
                item_id = data.draw(st.sampled_from([None, *provider.items[-2:]]))
                steps += session.played(data.draw(st.integers(0, 900)), item_id, now_ms=now_ms)
            case "lose":
                steps += session.lose()
                provider.forget()
                steps += session.regain()
                for event in provider.opening():
                    steps += session.take(event, now_ms=now_ms)
    is_stopped = data.draw(st.booleans())
    if is_stopped:
        steps += session.stop()
        for _ in range(data.draw(st.integers(0, 6))):
            for event in provider.next():
                steps += session.take(event, now_ms=now_ms)
    steps += session.close() if is_stopped else session.drop("gone")

    check_opening_and_end(tells(steps), is_stopped=is_stopped)
    check_no_sound_of_an_interrupted_answer(steps)
    check_turns_are_closed_once(tells(steps))
    check_truncations(steps)


def check_opening_and_end(told: list[Tell], *, is_stopped: bool) -> None:
    assert told[: len(BEGUN + OPENED + CONFIRMED)] == BEGUN + OPENED + CONFIRMED
    active = [tell.payload.active for tell in told if tell.event == "sessionStatus"]
    assert active == [True, False]
    assert [tell.event for tell in told].count("done") == is_stopped
    last = [*ENDED, Tell("done")] if is_stopped else [Tell("error", "gone"), *ENDED]
    assert told[-len(last) :] == last
    assert told.count(Tell("transcript", SESSION_STARTED)) == 1


def check_no_sound_of_an_interrupted_answer(steps: list[Step]) -> None:
    """After `clear`, sound is that of an answer that began later; and it is announced."""
    announced: Any = None
    for step in steps:
        match step:
            case Tell("audio", "clear"):
                announced = None
            case Tell("audioControl", AudioControl(type="answerStart", item_id=item_id)):
                announced = item_id
            case Tell("audio", "Session start"):
                pass
            case Tell("audio", sound):
                assert announced is not None
                assert sound.startswith(announced), "the sound is that of another answer"


def check_turns_are_closed_once(told: list[Tell]) -> None:
    closed: set[str] = set()
    for tell in told:
        if tell.event == "transcriptDelta":
            assert tell.payload.turn_id not in closed
            if tell.payload.final:
                closed.add(tell.payload.turn_id)


def check_truncations(steps: list[Step]) -> None:
    """Never more than was sent, and later ones only say less."""
    sent_bytes: dict[str, int] = {}
    cut_at: dict[str, int] = {}
    item = ""
    for step in steps:
        match step:
            case Tell("audioControl", AudioControl(type="answerStart", item_id=str(item))):
                sent_bytes.setdefault(item, 0)
            case Tell("audio", str(sound)) if step.is_sound:
                sent_bytes[item] += decoded_size(sound)
            case Truncate(item_id, at_ms):
                assert 0 <= at_ms <= sent_bytes[item_id] // 48
                assert at_ms < cut_at.get(item_id, 1 << 40)
                cut_at[item_id] = at_ms
