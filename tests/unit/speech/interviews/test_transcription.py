import inspect
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readrealm.kernel.errors import PayloadTooLarge, ProviderUnavailable
from speech.interviews.transcription import (
    MAX_TURN_CHARACTERS,
    CaptionTranscriber,
    Failed,
    Final,
    Partial,
    Ready,
    RecogniserTranscriber,
    ScriptedTranscriber,
    ScriptedTurn,
    Transcriber,
    Transcript,
)

SECOND = bytes(32_000)


@dataclass(frozen=True)
class Said:
    text: str


class FakeRecogniser:
    """Hears a word a second; fails where it is told to."""

    def __init__(self, *, busy=False, dies_after=None, transcribes=True):
        self.busy, self.dies_after, self.transcribes = busy, dies_after, transcribes
        self.open = 0

    @asynccontextmanager
    async def utterance(self):
        if self.busy:
            raise ProviderUnavailable("busy")
        self.open += 1
        try:
            yield FakeUtterance(self.dies_after)
        finally:
            self.open -= 1

    async def transcribe(self, pcm):
        if not self.transcribes:
            raise ProviderUnavailable("gone")
        return Said(f"{len(pcm) // 32_000} words with care")


class FakeUtterance:
    def __init__(self, dies_after):
        self.heard, self.dies_after = 0, dies_after

    async def hear(self, pcm):
        self.heard += len(pcm)
        if self.dies_after is not None and self.heard > self.dies_after:
            raise ProviderUnavailable("died")
        return " ".join(["word"] * (self.heard // 32_000))


@pytest.mark.parametrize(
    "implementation", [CaptionTranscriber, ScriptedTranscriber, RecogniserTranscriber]
)
def test_no_transcriber_is_told_a_question_or_an_answer(implementation):
    for name in ("begin_turn", "hear", "end_turn", "close"):
        expected = inspect.signature(getattr(Transcriber, name))
        assert list(inspect.signature(getattr(implementation, name)).parameters) == [
            *expected.parameters
        ]
        assert set(expected.parameters) <= {"self", "pcm"}


async def test_captions_are_heard_by_the_browser_alone():
    transcriber = CaptionTranscriber()

    assert await transcriber.begin_turn() == (Ready(),)
    assert [*await transcriber.hear(SECOND), *await transcriber.end_turn(SECOND)] == []
    assert transcriber.name == "captions"
    await transcriber.close()


@pytest.mark.parametrize("chunk", [320, 3_200, 32_000, 96_000])
async def test_a_script_is_heard_by_the_amount_of_audio_however_it_is_cut(chunk):
    script = ScriptedTurn(cues=[(500, Partial("a")), (500, Final("a b")), (2_000, Partial("c"))],
                          final="a b c")  # fmt: skip
    transcriber = ScriptedTranscriber([script])
    await transcriber.begin_turn()

    heard = []
    for _ in range(96_000 // chunk):
        heard += await transcriber.hear(bytes(chunk))

    assert heard == [Partial("a"), Final("a b"), Partial("c")]
    assert await transcriber.end_turn(b"") == (Final("a b c"),)


async def test_turns_beyond_the_script_are_silent():
    transcriber = ScriptedTranscriber([ScriptedTurn(cues=[(0, Final("one"))])])

    for expected in ([Final("one")], []):
        await transcriber.begin_turn()
        assert await transcriber.hear(b"") == expected
        assert await transcriber.end_turn(SECOND) == ()


async def test_a_recogniser_tells_each_new_hypothesis_once_and_then_listens_with_care():
    recogniser = FakeRecogniser()
    transcriber = RecogniserTranscriber(recogniser, name="ears")

    assert await transcriber.begin_turn() == (Ready(),)
    heard = [await transcriber.hear(bytes(16_000)) for _ in range(4)]
    assert heard == [(), (Partial("word"),), (), (Partial("word word"),)]
    assert await transcriber.end_turn(SECOND * 2) == (Final("2 words with care"),)
    assert recogniser.open == 0
    assert transcriber.name == "ears"


async def test_without_a_free_process_only_the_careful_pass_hears():
    transcriber = RecogniserTranscriber(FakeRecogniser(busy=True), name="ears")

    assert await transcriber.begin_turn() == (Failed(),)
    assert await transcriber.hear(SECOND) == ()
    assert await transcriber.end_turn(SECOND) == (Final("1 words with care"),)


async def test_a_recogniser_that_dies_is_released_and_named_once():
    recogniser = FakeRecogniser(dies_after=40_000, transcribes=False)
    transcriber = RecogniserTranscriber(recogniser, name="ears")
    await transcriber.begin_turn()

    heard = [await transcriber.hear(SECOND) for _ in range(3)]

    assert heard == [(Partial("word"),), (Failed(),), ()]
    assert recogniser.open == 0
    assert await transcriber.end_turn(SECOND) == (Failed(),)


async def test_a_turn_without_audio_is_not_listened_to_again():
    transcriber = RecogniserTranscriber(FakeRecogniser(transcribes=False), name="ears")

    assert await transcriber.end_turn(b"") == ()


async def test_closing_and_beginning_anew_release_what_was_held():
    recogniser = FakeRecogniser()
    transcriber = RecogniserTranscriber(recogniser, name="ears")

    await transcriber.begin_turn()
    await transcriber.begin_turn()
    assert recogniser.open == 1
    await transcriber.close()
    await transcriber.close()
    assert recogniser.open == 0


def test_a_transcript_keeps_what_is_final_and_revises_the_rest():
    transcript = Transcript().after("a  thread", is_final=False)
    assert (transcript.text, transcript.final) == ("a thread", "")

    transcript = transcript.after("A thread.", is_final=True).after("it", is_final=False)

    assert (transcript.text, transcript.final) == ("A thread. it", "A thread.")
    assert transcript.after("", is_final=True) == Transcript("A thread.")


def test_a_transcript_does_not_grow_without_end():
    transcript = Transcript().after("x" * MAX_TURN_CHARACTERS, is_final=True)

    for is_final in (True, False):
        with pytest.raises(PayloadTooLarge):
            transcript.after("y", is_final=is_final)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text("ab ", max_size=8), st.booleans()), max_size=8))
def test_final_text_is_every_final_phrase_in_order(phrases):
    transcript = Transcript()
    for text, is_final in phrases:
        transcript = transcript.after(text, is_final=is_final)

    spoken = " ".join(text for text, is_final in phrases if is_final)
    assert transcript.final == " ".join(spoken.split())
    assert transcript.text.startswith(transcript.final)
