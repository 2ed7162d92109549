"""What the local engine answers with, sentence by sentence.

With a language model (any OpenAI-compatible chat endpoint) it converses, with passages of
the book at hand. Without one it is a reading companion: it finds the passage that answers
best, reads it aloud and says where it stands. It never pretends to be more.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from readrealm.kernel.errors import NotFound, ProviderUnavailable
from speech.companion.dialogue import Question
from speech.companion.passages import Found, Library, NotIndexed
from speech.companion.sentences import SentenceCutter, sentences
from speech.companion.wording import place

CERTAIN = 0.45
"""Similarity from which a passage is read without a word of doubt. In the two books that were
tried, questions that have nothing to do with the book stay below 0.35."""

SEARCH_S = 10.0
FIRST_TOKEN_S = 20.0
NEXT_TOKEN_S = 15.0
MAX_TOKENS = 1_024
PASSAGES_AT_HAND = 3
LINES_AT_HAND = 12
"""What was said before, and is told to the language model again."""

SHELF = 20
"""Books that are searched when none is open."""

SPOKEN = (
    "Your words are spoken aloud by a voice: answer in a few plain sentences, without lists, "
    "markup or emoji."
)

T = TypeVar("T")


class Replies(Protocol):
    """Something that answers a reader."""

    async def prepare(self, book_id: int | None) -> None:
        """A reader has opened a book and may soon ask about it; never fails."""

    def reply(self, question: Question) -> AsyncGenerator[str, None]:
        """The answer, one speakable sentence after the other.

        Raises:
            ProviderUnavailable: the language model does not answer.
        """


@dataclass(frozen=True, slots=True)
class ReadingCompanion:
    """Answers with the book's own words.

    Args:
        library: the books.
        threads: where searching runs, for it computes; one thread is enough.
    """

    library: Library
    threads: ThreadPoolExecutor

    async def reply(self, question: Question) -> AsyncGenerator[str, None]:
        if not question.text.strip():
            yield "I did not catch that. Please ask me again."
            return
        try:
            found = await self.passages(question, count=1)
        except NotIndexed:
            yield "The text of this book is here, but it has not been indexed yet."
            yield "Please ask again when that is done."
            return
        except NotFound:
            yield "I look things up in the book, but the text of this book is not here yet."
            yield "A moderator can load it."
            return
        for sentence in _read_aloud(found):
            yield sentence

    async def prepare(self, book_id: int | None) -> None:
        if book_id is not None:
            with contextlib.suppress(NotFound, ProviderUnavailable):
                await self._compute(lambda: self.library.open(book_id))

    async def passages(self, question: Question, *, count: int) -> list[Found]:
        """The best passages of the book, or of all books if none is open.

        Raises:
            NotFound: there is no text to search.
            NotIndexed: there is one, without an index.
            ProviderUnavailable: searching took too long.
        """
        return await self._compute(lambda: self._search(question, count))

    def _search(self, question: Question, count: int) -> list[Found]:
        if question.book_id is not None:
            return self.library.search(question.book_id, question.text, count=count)
        books = self.library.books()
        if not books:
            raise NotFound("there are no books here")
        found: list[Found] = []
        for book_id in books[:SHELF]:
            with contextlib.suppress(NotFound):
                found += self.library.search(book_id, question.text, count=count)
        return sorted(found, key=lambda one: -one.similarity)[:count]

    async def _compute(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self.threads, work)
        try:
            async with asyncio.timeout(SEARCH_S):
                return await future
        except TimeoutError:
            raise ProviderUnavailable("searching the book took too long") from None


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Answers with a language model that has the best passages of the book at hand."""

    client: openai.AsyncOpenAI
    model: str
    companion: ReadingCompanion

    async def prepare(self, book_id: int | None) -> None:
        await self.companion.prepare(book_id)

    async def reply(self, question: Question) -> AsyncGenerator[str, None]:
        messages = await self._messages(question)
        cutter = SentenceCutter()
        async with contextlib.aclosing(self._tokens(messages)) as tokens:
            async for token in tokens:
                for sentence in cutter.feed(token):
                    yield sentence
        for sentence in cutter.rest():
            yield sentence

    async def _messages(self, question: Question) -> list[ChatCompletionMessageParam]:
        passages: list[Found] = []
        with contextlib.suppress(NotFound):
            passages = await self.companion.passages(question, count=PASSAGES_AT_HAND)
        quoted = [f"{place(one)}:\n{one.passage.text}" for one in passages]
        hint = ["Passages of the book that may help:", *quoted] if quoted else []
        system = "\n\n".join(part for part in (question.instructions, SPOKEN, *hint) if part)
        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": system}]
        for line in question.history[-LINES_AT_HAND:]:
            if line.by_reader:
                messages.append({"role": "user", "content": line.text})
            else:
                messages.append({"role": "assistant", "content": line.text})
        messages.append({"role": "user", "content": question.text})
        return messages

    async def _tokens(
        self, messages: list[ChatCompletionMessageParam]
    ) -> AsyncGenerator[str, None]:
        try:
            async with asyncio.timeout(FIRST_TOKEN_S):
                stream = await self.client.chat.completions.create(
                    model=self.model, messages=messages, max_tokens=MAX_TOKENS, stream=True
                )
            async with stream:
                while (chunk := await _next(stream)) is not None:
                    text = chunk.choices[0].delta.content if chunk.choices else None
                    if text:
                        yield text
        except TimeoutError:
            raise ProviderUnavailable("the language model does not answer") from None
        except openai.OpenAIError as error:
            # Its text may quote the request, which is private.
            reason = type(error).__name__
            raise ProviderUnavailable(f"the language model failed: {reason}") from None


async def _next(stream: openai.AsyncStream[ChatCompletionChunk]) -> ChatCompletionChunk | None:
    async with asyncio.timeout(NEXT_TOKEN_S):
        return await anext(aiter(stream), None)


def _read_aloud(found: list[Found]) -> Iterator[str]:
    if not found:
        yield "I find nothing about that in the book."
        return
    best = found[0]
    if best.similarity >= CERTAIN:
        yield f"I read from {place(best)}."
    else:
        yield f"I am not sure that this answers you. The nearest I find is in {place(best)}."
    yield from sentences(best.passage.text)
