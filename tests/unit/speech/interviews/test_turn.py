import pytest

from readrealm.kernel.errors import PayloadTooLarge
from speech.interviews.timeline import Span, TurnEnd
from speech.interviews.transcription import MAX_TURN_CHARACTERS, HeardHow, Transcript
from speech.interviews.turn import OpenTurn


def begun():
    return OpenTurn(number=1, started_ms=1_000, last_voice_ms=1_000)


@pytest.mark.parametrize(
    ("text", "has_nothing", "is_silent"),
    [("", True, True), ("no", False, True), ("maybe", False, False)],
)
def test_a_turn_is_silent_below_five_characters(text, has_nothing, is_silent):
    turn = begun()
    turn.recogniser = Transcript("", text)

    assert (turn.has_nothing, turn.is_silent) == (has_nothing, is_silent)


def test_voice_is_clipped_to_the_turn_and_what_goes_on_is_noted_once():
    turn = begun()

    for start, end in ((0, 500), (0, 2_000), (0, 3_000), (3_500, 9_000)):
        turn.hear(Span(start, end), now_ms=4_000)

    assert turn.speech == [Span(1_000, 3_000), Span(3_500, 4_000)]
    assert turn.last_voice_ms == 4_000


def test_new_text_is_a_sign_of_voice_and_repeated_text_is_not():
    turn = begun()

    assert turn.caption("well", is_final=False, now_ms=5_000)
    assert not turn.caption("well", is_final=True, now_ms=9_000)
    assert not turn.recognise("bell", is_final=True, by="ears", now_ms=9_500)
    assert (turn.last_voice_ms, turn.last_text_ms) == (5_000, 5_000)


def test_text_after_the_end_is_kept_but_is_no_voice():
    turn = begun()
    turn.ended_ms = 4_000

    assert not turn.caption("late", is_final=True, now_ms=5_000)
    assert (turn.heard.text, turn.last_text_ms) == ("late", None)


def test_a_turn_does_not_grow_without_end():
    with pytest.raises(PayloadTooLarge):
        begun().caption("x" * (MAX_TURN_CHARACTERS + 1), is_final=True, now_ms=2_000)


def test_absence_is_not_silence():
    turn = begun()
    turn.hear(Span(1_000, 5_000), now_ms=5_000)
    turn.absences = [Span(2_000, 6_000), Span(8_000, 10_000)]

    assert turn.silent_until_ms(15_000) == 5_000 + 15_000 + 1_000 + 2_000


def test_captions_count_before_the_recogniser():
    turn = OpenTurn(number=1, started_ms=0, last_voice_ms=0, recognised_by="ears")
    assert turn.heard_by == ""
    turn.recogniser = Transcript("thread")
    assert (turn.heard.text, turn.heard_by) == ("thread", "ears")

    turn.captions = Transcript("", "threads")
    assert (turn.heard.text, turn.heard_by) == ("threads", "captions")


def test_a_closed_turn_counts_from_the_start_of_the_interview():
    turn = OpenTurn(
        number=1,
        started_ms=5_000,
        last_voice_ms=7_000,
        speech=[Span(6_000, 7_000)],
        absences=[Span(8_000, 9_000)],
        captions=Transcript("said", "perhaps"),
        last_text_ms=7_500,
        ended_ms=12_000,
        ended_by=TurnEnd.STOP,
    )

    closed = turn.closed(4_000)

    assert (closed.started_ms, closed.ended_ms, closed.last_text_ms) == (1_000, 8_000, 3_500)
    assert (closed.speech, closed.absences) == ((Span(2_000, 3_000),), (Span(4_000, 5_000),))
    assert closed.text == "said"
    assert turn.present_ms(5_000, 12_000) == 6_000


@pytest.mark.parametrize(
    ("live", "again", "captions", "heard_how"),
    [
        ("a lock is taken", ("a lock is token", True), "", HeardHow.WHOLE),
        ("a lock is taken", ("a lock is token", False), "", HeardHow.LIVE),
        ("a lock is taken", ("", True), "", HeardHow.LIVE),
        ("a lock is taken", None, "", HeardHow.LIVE),
        ("", ("a lock is token", True), "", HeardHow.WHOLE),
        ("a lock", ("a lock is token", True), "a lock is taken", HeardHow.CAPTIONS),
        ("", None, "", HeardHow.UNHEARD),
        ("", ("", False), "", HeardHow.UNHEARD),
        ("", ("", True), "", HeardHow.SILENCE),
        ("", ("yes", True), "", HeardHow.SILENCE),
    ],
)
def test_a_turn_knows_how_its_words_were_heard(live, again, captions, heard_how):
    turn = begun()
    turn.hear(Span(2_000, 4_000), now_ms=4_000)
    turn.recognise(live, is_final=False, by="ears", now_ms=4_000)
    turn.caption(captions, is_final=True, now_ms=4_000)
    if again is not None:
        text, is_whole = again
        turn.hear_again(text, by="ears", is_whole=is_whole)

    assert turn.heard_how is heard_how


def test_a_turn_without_voice_and_words_is_silence():
    assert begun().heard_how is HeardHow.SILENCE


def test_a_hypothesis_after_the_pass_over_the_turn_is_one_again():
    turn = begun()
    turn.hear_again("a lock is taken", by="ears", is_whole=True)

    turn.recognise("a lock is token", is_final=False, by="ears", now_ms=4_000)

    assert turn.heard_how is HeardHow.LIVE
