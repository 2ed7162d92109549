"""Who spoke when: speaker labels, by the paths of two models of sherpa-onnx.

There is no label without a model. The models run in a process of their own, started for one
recording: they take a while, and a process can be ended.
"""

import asyncio
import importlib
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import duration_ms, to_samples
from speech.audio.voice import RATE_HZ
from speech.engines.child import end

LONGEST_S = 3_600
DEADLINE_S = 30.0
"""Besides the length of the recording."""

_PROJECT = Path(__file__).resolve().parents[2]


class SpeakerTurn(msgspec.Struct, frozen=True):
    """One voice, for a while."""

    start_s: float
    end_s: float
    speaker: int
    """0, 1, ...: the same number is the same voice within one recording."""


class Diariser(Protocol):
    async def diarise(
        self, pcm: bytes, *, min_speakers: int = 1, max_speakers: int = 2
    ) -> list[SpeakerTurn]:
        """The turns of a recording (16 kHz s16le) in the order of their beginnings.

        Raises:
            ProviderUnavailable: a model or the package is missing, or it failed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SherpaDiariser:
    """A `Diariser` with a pyannote segmentation model and a speaker embedding model."""

    segmentation_model: Path | None
    embedding_model: Path | None

    def check(self) -> None:
        """Make sure that everything is there.

        Raises:
            ProviderUnavailable: says what is missing.
        """
        if importlib.util.find_spec("sherpa_onnx") is None:
            raise ProviderUnavailable("speaker labels need the package sherpa-onnx, not installed")
        models = {"segmentation": self.segmentation_model, "embedding": self.embedding_model}
        for kind, path in models.items():
            if path is None or not path.is_file():
                raise ProviderUnavailable(f"speaker labels need the path of a {kind} model")

    async def diarise(
        self, pcm: bytes, *, min_speakers: int = 1, max_speakers: int = 2
    ) -> list[SpeakerTurn]:
        self.check()
        seconds = duration_ms(len(pcm), rate_hz=RATE_HZ) / 1000
        if seconds > LONGEST_S:
            raise ProviderUnavailable(f"a recording to label may last {LONGEST_S} s")
        arguments = [
            *(str(self.segmentation_model), str(self.embedding_model)),
            *(str(min_speakers), str(max_speakers)),
        ]
        answer = await _run(arguments, pcm, DEADLINE_S + seconds)
        try:
            return msgspec.json.decode(answer, type=list[SpeakerTurn])
        except msgspec.DecodeError:
            raise ProviderUnavailable("the speaker labels could not be read") from None


async def _run(arguments: list[str], pcm: bytes, deadline_s: float) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "speech.engines.diariser", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_PROJECT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    )
    try:
        async with asyncio.timeout(deadline_s):
            answer, _ = await process.communicate(pcm)
    except TimeoutError:
        raise ProviderUnavailable("the speaker labels took too long") from None
    finally:
        await end(process)
    if process.returncode:
        raise ProviderUnavailable("the speaker labels could not be made")
    return answer


def label(
    pcm: bytes, segmentation: str, embedding: str, *, at_least: int, at_most: int
) -> list[SpeakerTurn]:
    """Runs the models here and now; between ``at_least`` and ``at_most`` voices are told apart."""
    turns = _clustered(pcm, segmentation, embedding, clusters=-1)
    voices = len({turn.speaker for turn in turns})
    if turns and not at_least <= voices <= at_most:
        clusters = min(max(voices, at_least), at_most)
        turns = _clustered(pcm, segmentation, embedding, clusters=clusters)
    return turns


def _clustered(
    pcm: bytes, segmentation: str, embedding: str, *, clusters: int
) -> list[SpeakerTurn]:
    sherpa: Any = importlib.import_module("sherpa_onnx")
    pyannote = sherpa.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)
    config = sherpa.OfflineSpeakerDiarizationConfig(
        segmentation=sherpa.OfflineSpeakerSegmentationModelConfig(pyannote=pyannote),
        embedding=sherpa.SpeakerEmbeddingExtractorConfig(model=embedding),
        clustering=sherpa.FastClusteringConfig(num_clusters=clusters, threshold=0.5),
    )
    found = sherpa.OfflineSpeakerDiarization(config).process(to_samples(pcm))
    return [SpeakerTurn(part.start, part.end, part.speaker) for part in found.sort_by_start_time()]


def main() -> None:
    segmentation, embedding, at_least, at_most = sys.argv[1:5]
    turns = label(
        sys.stdin.buffer.read(),
        segmentation,
        embedding,
        at_least=int(at_least),
        at_most=int(at_most),
    )
    sys.stdout.write(json.dumps(msgspec.to_builtins(turns)))


if __name__ == "__main__":
    main()
