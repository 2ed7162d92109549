import io

import pytest

from speech.engines.recognition_wire import (
    LENGTH,
    Begin,
    Failed,
    Finish,
    Forget,
    Hear,
    Heard,
    Ready,
    Recognised,
    Transcribe,
    Word,
    pack,
    read_answer,
    read_request,
)
from speech.engines.recognition_worker import answer, serve


class CountingDecoder:
    """Hears as many letters as bytes."""

    def __init__(self):
        self.begin(None)

    def begin(self, voice):
        self.voice, self.bytes = voice, 0

    def hear(self, pcm):
        if pcm == b"bad":
            raise RuntimeError("decoding failed")
        self.bytes += len(pcm)
        return "a" * self.bytes

    def finish(self):
        return Recognised("a" * self.bytes, voice=self.voice)

    def transcribe(self, pcm):
        return Recognised("t" * len(pcm))


def answers(out: io.BytesIO):
    stream = io.BytesIO(out.getvalue())
    while head := stream.read(LENGTH.size):
        yield read_answer(stream.read(LENGTH.unpack(head)[0]))


@pytest.mark.parametrize("request_", [Begin("v"), Hear(b"xy"), Finish(), Forget(), Transcribe(b"")])
def test_a_request_survives_the_pipe(request_):
    assert read_request(pack(request_)[LENGTH.size :]) == request_


@pytest.mark.parametrize(
    "message", [Ready(), Heard("x"), Recognised("a", (Word("a", 0.0, 0.5),), "v"), Failed("no")]
)
def test_an_answer_survives_the_pipe(message):
    assert read_answer(pack(message)[LENGTH.size :]) == message


def test_every_request_has_one_answer_in_order():
    requests = [Begin("v"), Hear(b"xy"), Hear(b"z"), Finish(), Transcribe(b"four"), Forget()]
    out = io.BytesIO()
    serve(CountingDecoder(), io.BytesIO(b"".join(map(pack, requests))), out)
    assert list(answers(out)) == [
        Ready(),
        Heard(""),
        Heard("aa"),
        Heard("aaa"),
        Recognised("aaa", voice="v"),
        Recognised("tttt"),
        Heard(""),
    ]


def test_a_model_that_fails_says_so_and_stays():
    decoder = CountingDecoder()
    assert answer(decoder, Hear(b"bad")) == Failed("RuntimeError: decoding failed")
    assert answer(decoder, Hear(b"x")) == Heard("a")


def test_it_ends_when_a_request_is_cut_off():
    out = io.BytesIO()
    serve(CountingDecoder(), io.BytesIO(pack(Finish()) + b"\x05"), out)
    assert len(list(answers(out))) == 2
