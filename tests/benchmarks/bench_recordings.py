"""Holds metrics and recogniser against people: ``python -m tests.benchmarks.bench_recordings``.

Recognises all ninety ordered pairs of the recordings beside the repository as an interview would,
and compares speaking time, pauses and rates with the truth. Then lets the ways in which a whole
answer can be recognised compete, each recording judged by a choice that was made without it.
Writes ``docs/benchmarks/recordings.md``; ends with status 1 where a pair is off by over a tenth.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from speech.engines.decoders import PocketSphinx
from speech.engines.recogniser import Deadlines, RecogniserPool, RecogniserSpec
from speech.interviews.timeline import Turn
from tests.benchmarks.bench_speech import distance
from tests.support.spoken_pairs import (
    PAIRS,
    SURE_PAUSE_MS,
    TEXTS,
    TOLERANCE,
    Joined,
    Pair,
    gaps,
    heard,
    joined_pair,
    metrics,
    overlap_ms,
    pieces,
    turn,
)
from tests.unit.speech.audio.recordings import REPOSITORY, recording, silence

PAGE = REPOSITORY / "docs" / "benchmarks" / "recordings.md"

PATIENT = Deadlines(start=60, wait=3_600, answer=120)

CHOSEN = "as it is"
WAYS: Mapping[str, Mapping[str, Any]] = {
    CHOSEN: {},
    "language weight 6.5": {"lw": 6.5},
    "language weight 6.5, searched again": {"lw": 6.5, "fwdflat": True},
}
"""Options of pocketsphinx on top of those of `PocketSphinx`."""


# ---- pairs


@dataclass(frozen=True, slots=True)
class Row:
    """One pair: relative errors, and words said and heard."""

    pair: Pair
    speaking: float
    pauses_are_right: bool
    wpm: float
    articulation: float
    wpm_of_truth: float
    articulation_of_truth: float
    said: int
    heard: int

    @property
    def worst(self) -> float:
        return max(map(abs, (self.speaking, self.wpm, self.articulation)))

    @property
    def is_met(self) -> bool:
        own = max(abs(self.wpm_of_truth), abs(self.articulation_of_truth))
        return self.pauses_are_right and max(self.worst, own) <= TOLERANCE

    def cells(self) -> list[str]:
        errors = (
            *(self.speaking, self.wpm_of_truth, self.articulation_of_truth),
            *(self.wpm, self.articulation),
        )
        return [
            " + ".join(name.removesuffix(".wav") for name in self.pair),
            "yes" if self.pauses_are_right else "**no**",
            *(f"{100 * error:+.1f}" for error in errors),
            f"{self.heard} of {self.said}",
        ]


COLUMNS = (
    "pair",
    "pauses exact",
    "speaking time %",
    "words/min %, words as said",
    "syllables/s %, words as said",
    "words/min %, recognised",
    "syllables/s %, recognised",
    "words heard",
)


def row(pair: Pair, said: Joined, text: str) -> Row:
    answer = turn(said.sound, text)
    found, ideal = metrics(answer), metrics(turn(said.sound, said.text))
    return Row(
        pair=pair,
        speaking=found.speaking_time / said.speaking_s - 1,
        pauses_are_right=pauses_are_right(said, answer),
        wpm=found.wpm / said.wpm - 1,
        articulation=found.articulation_rate / said.articulation_rate - 1,
        wpm_of_truth=ideal.wpm / said.wpm - 1,
        articulation_of_truth=ideal.articulation_rate / said.articulation_rate - 1,
        said=len(said.spoken),
        heard=found.total_words,
    )


def pauses_are_right(said: Joined, answer: Turn) -> bool:
    """As many as there are, and each that is certain where it is."""
    found, true = gaps(answer.voiced), gaps(said.speech)
    certain = [gap for gap in true if gap.length_ms >= SURE_PAUSE_MS]
    return len(found) == len(true) and all(
        any(overlap_ms(gap, other) > 0 for other in found) for gap in certain
    )


async def recognise(pairs: Sequence[Pair]) -> list[Row]:
    """All pairs, as many at a time as there are cores."""
    cores = len(os.sched_getaffinity(0))
    pool = RecogniserPool(RecogniserSpec(), processes=cores, deadlines=PATIENT)

    async def one(pair: Pair) -> Row:
        said = joined_pair(pair)
        found = row(pair, said, await heard(pool.transcribe, said.sound))
        mark = "" if found.is_met else "  !"
        say(f"  {' + '.join(pair):42} worst {100 * found.worst:4.1f} %{mark}")
        return found

    try:
        return list(await asyncio.gather(*map(one, pairs)))
    finally:
        await pool.close()


# ---- ways


@dataclass(frozen=True, slots=True)
class Trial:
    """What one way made of one recording."""

    errors: int
    words: int
    cpu_s: float


def trial(way: str, name: str) -> Trial:
    import pocketsphinx

    model: Any = pocketsphinx.Decoder(**{**PocketSphinx.OPTIONS, **WAYS[way]})
    sound = np.concatenate([silence(0.5), recording(name), silence(0.5)])
    began, texts = time.process_time(), []
    for piece in pieces(sound):
        model.start_utt()
        model.process_raw(piece, full_utt=True)
        model.end_utt()
        texts.append(model.hyp().hypstr if model.hyp() else "")
    said = TEXTS[name].split()
    taken_s = time.process_time() - began
    return Trial(distance(said, " ".join(texts).split()), len(said), taken_s)


Trials = Mapping[str, Mapping[str, Trial]]
"""By way, then by recording."""


def try_ways() -> Trials:
    tasks = [(way, name) for way in WAYS for name in TEXTS]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as processes:
        done = dict(zip(tasks, processes.map(trial, *zip(*tasks, strict=True)), strict=True))
    return {way: {name: done[way, name] for name in TEXTS} for way in WAYS}


def rate(trials: Sequence[Trial]) -> float:
    return sum(one.errors for one in trials) / sum(one.words for one in trials)


def left_out(trials: Trials, way: str) -> float:
    """Word error rate of a choice between ``way`` and `CHOSEN` that never saw the recording on
    which it is judged; equal is for `CHOSEN`."""
    judged = []
    for name in TEXTS:
        rates = {
            one: rate([trials[one][other] for other in TEXTS if other != name])
            for one in (CHOSEN, way)
        }
        judged.append(trials[way if rates[way] < rates[CHOSEN] else CHOSEN][name])
    return rate(judged)


# ---- page


def page(rows: Sequence[Row], trials: Trials, *, taken_s: float) -> str:
    cores = len(os.sched_getaffinity(0))
    worst = max(rows, key=lambda one: one.worst)
    return "\n".join(
        [
            "# Metrics and words of real speech",
            "",
            f"Measured {datetime.now(UTC):%Y-%m-%d}, {cores} cores, pocketsphinx. "
            "`make bench-recordings` repeats it.",
            "",
            "## Ninety pairs",
            "",
            f"{len(TEXTS)} recordings of people, each behind each other one with 0.6, 0.8, 1.2, "
            "2.5 or 5.5 s of silence between. The truth is a forced alignment with the text that "
            "was said. *Words as said*: the metrics are given the words that were said, so that "
            "the error is that of the voice detector. *Recognised*: the words that an interview "
            "would have.",
            "",
            f"Within a tenth in everything, and pauses exact: {sum(one.is_met for one in rows)} of "
            f"{len(rows)}; the worst is {' + '.join(worst.pair)} with {100 * worst.worst:.1f} %. "
            f"Recognising all took {taken_s:.0f} s.",
            "",
            *table(COLUMNS, [one.cells() for one in rows]),
            "",
            "## Ways to recognise a whole answer",
            "",
            "Word errors on the recordings, each alone. *Left out*: a way that is better on the "
            "other nine recordings is used for the tenth, and so for each in turn; a way is worth "
            "having only if that is better than the way as it is.",
            "",
            *table(
                ("way", "word error rate", "left out", "words heard wrongly", "CPU s"),
                [
                    [
                        way,
                        f"{rate(list(done.values())):.3f}",
                        f"{left_out(trials, way):.3f}",
                        f"{sum(one.errors for one in done.values())} of "
                        f"{sum(one.words for one in done.values())}",
                        f"{sum(one.cpu_s for one in done.values()):.0f}",
                    ]
                    for way, done in trials.items()
                ],
            ),
            "",
        ]
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="nine pairs; writes no page")
    parser.add_argument("--out", type=Path, default=PAGE)
    chosen = parser.parse_args()
    if not TEXTS:
        say("the recordings are not beside the repository (READREALM_SHARED)")
        return 2
    pairs = PAIRS[::10] if chosen.quick else PAIRS
    say(f"{len(pairs)} pairs")
    began = time.monotonic()
    rows = asyncio.run(recognise(pairs))
    taken_s = time.monotonic() - began
    if not chosen.quick:
        say(f"{len(WAYS)} ways to recognise {len(TEXTS)} recordings")
        chosen.out.write_text(page(rows, try_ways(), taken_s=taken_s))
    say(f"{sum(one.is_met for one in rows)} of {len(rows)} within {TOLERANCE:.0%}")
    return 0 if all(one.is_met for one in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
