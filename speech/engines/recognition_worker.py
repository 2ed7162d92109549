"""One recognition process: a model, one utterance at a time, over its standard streams.

``python -m speech.engines.recognition_worker ENGINE MODEL LANGUAGE``. It ends when its input
ends, so it never outlives the server that started it.
"""

import os
import sys
from typing import BinaryIO

from speech.engines.decoders import Decoder, load
from speech.engines.recognition_wire import (
    LENGTH,
    Answer,
    Begin,
    Failed,
    Finish,
    Forget,
    Hear,
    Heard,
    Ready,
    Request,
    Transcribe,
    pack,
    read_request,
)

NICENESS = 10


def answer(decoder: Decoder, request: Request) -> Answer:
    """Do what is asked; a model that fails says so and stays."""
    try:
        match request:
            case Begin(voice):
                decoder.begin(voice)
                return Heard("")
            case Hear(pcm):
                return Heard(decoder.hear(pcm))
            case Finish():
                return decoder.finish()
            case Forget():
                decoder.begin(None)
                return Heard("")
            case Transcribe(pcm):
                return decoder.transcribe(pcm)
    except Exception as error:  # every model raises its own
        return Failed(f"{type(error).__name__}: {error}")


def serve(decoder: Decoder, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    _say(answers, Ready())
    while len(head := requests.read(LENGTH.size)) == LENGTH.size:
        (size,) = LENGTH.unpack(head)
        _say(answers, answer(decoder, read_request(requests.read(size))))


def _say(answers: BinaryIO, message: Answer) -> None:
    answers.write(pack(message))
    answers.flush()


def main() -> None:
    # Servers share the cores with it, and their timers and sockets come first.
    os.nice(NICENESS)
    engine, model, language = sys.argv[1:4]
    # Models print; what they print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        decoder = load(engine, model, language)
    except Exception as error:  # every model raises its own
        _say(answers, Failed(f"{type(error).__name__}: {error}"))
        raise SystemExit(1) from None
    try:
        serve(decoder, sys.stdin.buffer, answers)
    except (BrokenPipeError, KeyboardInterrupt):
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
