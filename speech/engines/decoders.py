"""Recognition models behind one interface. Runs in a recognition process only.

pocketsphinx holds the interpreter's lock while it computes, and every model may take the
memory of its process with it, so none of them is loaded into a server.
"""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from speech.audio.pcm import SAMPLE_BYTES, to_samples
from speech.audio.voice import RATE_HZ
from speech.engines.recognition_wire import Recognised, Word


class Decoder(Protocol):
    """Recognises one utterance at a time; 16 kHz s16le."""

    def begin(self, voice: str | None) -> None: ...

    def hear(self, pcm: bytes) -> str:
        """The hypothesis so far; empty for models that only answer at the end."""

    def finish(self) -> Recognised: ...

    def transcribe(self, pcm: bytes) -> Recognised:
        """A whole utterance; models that gain from knowing its end take their time."""


class PocketSphinx:
    """The English model that ships in the package pocketsphinx.

    It subtracts the mean of the cepstrum, which a whole utterance tells best. A live
    utterance of a stranger is therefore held back for `HEAD_S`, which tell it nearly as
    well (docs/voice.md); the next utterances of the same speaker start with what was learnt.
    """

    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "samprate": RATE_HZ,
        "loglevel": "FATAL",
        # Chosen on recordings that no test uses (docs/interviews.md): a second search among the
        # words of the first, and the weight of 6.5 that ships, find more wrong words.
        "fwdflat": False,
        "lw": 5.0,
        # Followed in one frame. Without a limit noise takes twice the time, for the same words.
        "maxhmmpf": 5_000,
    }

    HEAD_S = 1.0
    _HEAD_BYTES = int(HEAD_S * RATE_HZ) * SAMPLE_BYTES
    _LEAST_HEAD_BYTES = _HEAD_BYTES // 3
    _FRAMES_PER_S = 100
    _FRAME_SAMPLES = 410
    """The window of 25.6 ms from which a frame is computed."""
    _PRIOR_FRAMES = 500
    """As so many frames the model counts the mean that it starts with (CMN_WIN in its cmn.h)."""

    def __init__(self) -> None:
        pocketsphinx: Any = importlib.import_module("pocketsphinx")
        self._model: Any = pocketsphinx.Decoder(**self.OPTIONS)
        self._head: bytearray | None = None
        self._open = False

    def begin(self, voice: str | None) -> None:
        self._close()
        # Takes no time, and forgets everything about whoever spoke before: mean, noise, and that
        # an utterance was live, after which a whole one would not be normalised as a whole.
        self._model.reinit_feat()
        if voice:
            self._model.set_cmn(voice)
        self._head = None if voice else bytearray()
        if voice:
            self._start()

    def hear(self, pcm: bytes) -> str:
        if self._head is None:
            self._model.process_raw(pcm)
            return self._text()
        self._head += pcm
        return self._adapt() if len(self._head) >= self._HEAD_BYTES else ""

    def finish(self) -> Recognised:
        if self._head is not None:
            self._adapt()
        self._close()
        return self._result()

    def transcribe(self, pcm: bytes) -> Recognised:
        self.begin(None)
        self._head = None
        self._start()
        if pcm:
            self._model.process_raw(pcm, full_utt=True)
        self._close()
        return self._result()

    def _adapt(self) -> str:
        """Learn the speaker from what was held back, then recognise it."""
        head, self._head = bytes(self._head or b""), None
        if len(head) >= self._LEAST_HEAD_BYTES:
            self._model.set_cmn(self._mean(head))
        self._start()
        if head:
            self._model.process_raw(head)
        return self._text()

    def _mean(self, head: bytes) -> str:
        """The mean of what was held back, and of nothing else."""
        first = _numbers(self._model.get_cmn(update=False))
        self._start()
        self._model.process_raw(head, no_search=True)
        mixed = _numbers(self._model.get_cmn(update=True))
        self._close()
        # What a second adds to a mean that already counts for five seconds would hardly show.
        hop = RATE_HZ // self._FRAMES_PER_S
        frames = (len(head) // SAMPLE_BYTES - self._FRAME_SAMPLES) // hop + 1
        weight = self._PRIOR_FRAMES / frames
        return ",".join(
            f"{after + weight * (after - before):.4f}"
            for before, after in zip(first, mixed, strict=True)
        )

    def _start(self) -> None:
        self._model.start_utt()
        self._open = True

    def _close(self) -> None:
        if self._open:
            self._model.end_utt()
        self._open = False

    def _text(self) -> str:
        hypothesis = self._model.hyp()
        return hypothesis.hypstr if hypothesis else ""

    def _result(self) -> Recognised:
        text = self._text()
        segments = self._model.seg() if text else None
        words = tuple(
            Word(
                segment.word.partition("(")[0],
                segment.start_frame / self._FRAMES_PER_S,
                (segment.end_frame + 1) / self._FRAMES_PER_S,
            )
            for segment in segments or ()
            if segment.word[0] not in "<["
        )
        return Recognised(text, words, self._model.get_cmn())


def _numbers(mean: str) -> list[float]:
    return [float(number) for number in mean.split(",")]


class Vosk:
    """A Kaldi model of https://alphacephei.com/vosk/models, by the path of its folder."""

    def __init__(self, path: Path) -> None:
        vosk: Any = importlib.import_module("vosk")
        vosk.SetLogLevel(-1)
        self._vosk = vosk
        self._model = vosk.Model(model_path=str(path))
        self.begin(None)

    def begin(self, voice: str | None) -> None:
        self._recogniser = self._vosk.KaldiRecognizer(self._model, RATE_HZ)
        self._recogniser.SetWords(True)
        self._done: list[dict[str, Any]] = []

    def hear(self, pcm: bytes) -> str:
        if self._recogniser.AcceptWaveform(pcm):
            self._done.append(json.loads(self._recogniser.Result()))
        partial = json.loads(self._recogniser.PartialResult()).get("partial", "")
        return " ".join([*(part["text"] for part in self._done), partial]).strip()

    def finish(self) -> Recognised:
        parts = [*self._done, json.loads(self._recogniser.FinalResult())]
        words = tuple(
            Word(word["word"], word["start"], word["end"])
            for part in parts
            for word in part.get("result", ())
        )
        return Recognised(" ".join(part["text"] for part in parts if part["text"]), words)

    def transcribe(self, pcm: bytes) -> Recognised:
        self.begin(None)
        self.hear(pcm)
        return self.finish()


class FasterWhisper:
    """A CTranslate2 conversion of Whisper, by the path of its folder. Answers at the end only."""

    def __init__(self, path: Path, language: str) -> None:
        faster_whisper: Any = importlib.import_module("faster_whisper")
        # A path that does not exist would be taken for the name of a download.
        self._model: Any = faster_whisper.WhisperModel(
            str(path), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )
        self._language = language
        self._heard = bytearray()

    def begin(self, voice: str | None) -> None:
        self._heard.clear()

    def hear(self, pcm: bytes) -> str:
        self._heard += pcm
        return ""

    def finish(self) -> Recognised:
        return self.transcribe(bytes(self._heard))

    def transcribe(self, pcm: bytes) -> Recognised:
        segments, _ = self._model.transcribe(
            to_samples(pcm), language=self._language, word_timestamps=True
        )
        words = tuple(
            Word(word.word.strip(), word.start, word.end)
            for segment in segments
            for word in segment.words or ()
        )
        return Recognised(" ".join(word.text for word in words), words)


class SherpaOnnx:
    """A streaming transducer of sherpa-onnx, by the path of its folder."""

    _TAIL_S = 0.66
    """The model looks ahead; without silence behind it the last word is missing."""

    def __init__(self, path: Path) -> None:
        sherpa_onnx: Any = importlib.import_module("sherpa_onnx")
        self._model: Any = sherpa_onnx.OnlineRecognizer.from_transducer(
            tokens=str(path / "tokens.txt"),
            encoder=str(_only(path, "encoder*.onnx")),
            decoder=str(_only(path, "decoder*.onnx")),
            joiner=str(_only(path, "joiner*.onnx")),
            num_threads=1,
            sample_rate=RATE_HZ,
        )
        self.begin(None)

    def begin(self, voice: str | None) -> None:
        self._stream = self._model.create_stream()

    def hear(self, pcm: bytes) -> str:
        self._stream.accept_waveform(RATE_HZ, to_samples(pcm))
        return self._decoded()

    def finish(self) -> Recognised:
        self.hear(bytes(int(self._TAIL_S * RATE_HZ) * SAMPLE_BYTES))
        self._stream.input_finished()
        return Recognised(self._decoded())

    def transcribe(self, pcm: bytes) -> Recognised:
        self.begin(None)
        self.hear(pcm)
        return self.finish()

    def _decoded(self) -> str:
        while self._model.is_ready(self._stream):
            self._model.decode_stream(self._stream)
        return " ".join(str(self._model.get_result(self._stream)).lower().split())


def _only(folder: Path, pattern: str) -> Path:
    """The file; the smaller one where a quantised copy lies beside it."""
    return min(folder.glob(pattern), key=lambda path: path.stat().st_size)


def load(engine: str, model: str, language: str) -> Decoder:
    """The decoder of a specification that `speech.engines.recogniser` has checked."""
    match engine:
        case "pocketsphinx":
            return PocketSphinx()
        case "vosk":
            return Vosk(Path(model))
        case "faster-whisper":
            return FasterWhisper(Path(model), language)
        case "sherpa-onnx":
            return SherpaOnnx(Path(model))
        case _:
            raise ValueError(f"unknown recogniser {engine}")
