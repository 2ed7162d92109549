"""Interim texts of an utterance that goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.recogniser import Recognised, Utterance
from speech.routes.configuration import PipelineConfig, effective
from speech.routes.interim_texts import MOST_BLOCKS, InterimTexts
from speech.routes.pipeline import Speaking
from speech.routes.work_events import Report, ReportTranscription
from speech.routes.work_reports import StreamReports
from tests.unit.speech.routes.test_work_reports import TENURE

CONFIG = replace(PipelineConfig.of(effective({})), stt_enabled=True, interim=True)
DEADLINE_S = 20


class Desk:
    """Keeps the texts that were told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.news = asyncio.Event()

    def tell(self, report: Report) -> None:
        assert isinstance(report, ReportTranscription)
        assert report.result.start_ms == 100
        self.texts.append(report.result.text)
        self.news.set()

    async def deliver(self, report: Report) -> None:
        raise AssertionError("interim texts are not waited for")

    async def until(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while len(self.texts) < count:
                self.news.clear()
                await self.news.wait()


class Live:
    """Hears words: each block is one."""

    def __init__(self, gate: asyncio.Event) -> None:
        self.words: list[str] = []
        self._gate = gate

    async def hear(self, pcm: bytes) -> str:
        await self._gate.wait()
        if word := pcm.decode():
            self.words.append(word)
        return " ".join(self.words)

    async def finish(self) -> Recognised:
        raise AssertionError("nobody asks for the end of it")


class Recognisers:
    """One that is free, unless ``is_busy``; ``gate`` holds its answers back."""

    def __init__(self) -> None:
        self.is_busy, self.open, self.begun = False, 0, 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.live = Live(self.gate)

    @asynccontextmanager
    async def preview(self, config: PipelineConfig) -> AsyncIterator[Utterance]:
        self.begun += 1
        if self.is_busy:
            raise ProviderUnavailable("every recogniser is busy")
        self.open += 1
        self.live = Live(self.gate)
        try:
            yield self.live
        finally:
            self.open -= 1


def more(word: str) -> Speaking:
    return Speaking(100, 200, word.encode())


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[InterimTexts, Desk, Recognisers]]:
    desk, recognisers = Desk(), Recognisers()
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
        interim = InterimTexts(StreamReports(TENURE, desk), recognisers, group)
        yield interim, desk, recognisers
        await interim.end()
    assert recognisers.open == 0


async def test_a_text_is_told_when_it_is_another_one() -> None:
    async with listening() as (interim, desk, _):
        for word in ("call", "", "me"):
            interim.hear(more(word), seq=1, config=CONFIG)
        await desk.until(2)

        assert desk.texts == ["call", "call me"]
        assert await interim.end() is True


async def test_the_next_utterance_begins_with_no_words() -> None:
    async with listening() as (interim, desk, recognisers):
        interim.hear(more("call"), seq=1, config=CONFIG)
        await desk.until(1)
        await interim.end()
        interim.hear(more("some"), seq=2, config=CONFIG)
        await desk.until(2)

        assert desk.texts == ["call", "some"]
        assert recognisers.begun == 2


async def test_nothing_is_told_that_nobody_wants() -> None:
    async with listening() as (interim, desk, recognisers):
        for unwanted in (replace(CONFIG, interim=False), replace(CONFIG, stt_enabled=False)):
            interim.hear(more("call"), seq=1, config=unwanted)

        assert await interim.end() is False
        assert (desk.texts, recognisers.begun) == ([], 0)


async def test_an_utterance_does_without_when_no_recogniser_is_free() -> None:
    async with listening() as (interim, desk, recognisers):
        recognisers.is_busy = True
        for word in ("call", "me"):
            interim.hear(more(word), seq=1, config=CONFIG)
            await asyncio.sleep(0)

        assert await interim.end() is False
        assert (desk.texts, recognisers.begun) == ([], 1)


async def test_sound_that_a_recogniser_cannot_keep_up_with_is_left_out() -> None:
    async with listening() as (interim, desk, recognisers):
        recognisers.gate.clear()
        for number in range(3 * MOST_BLOCKS):
            interim.hear(more(str(number)), seq=number, config=CONFIG)
        recognisers.gate.set()
        await desk.until(MOST_BLOCKS)

        assert desk.texts[-1].split() == [str(number) for number in range(MOST_BLOCKS)]


async def test_whoever_ends_it_hears_nothing_more() -> None:
    async with listening() as (interim, desk, recognisers):
        recognisers.gate.clear()
        interim.hear(more("call"), seq=1, config=CONFIG)
        await asyncio.sleep(0)
        told = await interim.end()
        recognisers.gate.set()

        assert told is False
        assert desk.texts == []
        assert recognisers.open == 0
