import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.companion.dialogue import Line, Question
from speech.companion.passages import Library
from speech.companion.replies import LanguageModel, ReadingCompanion
from tests.unit.speech.companion.test_passages import ThemeEmbedder, source


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path, ThemeEmbedder(), model="themes")


@pytest.fixture
def companion(library):
    with ThreadPoolExecutor(1) as threads:
        yield ReadingCompanion(library, threads)


async def said(replies, question: Question) -> list[str]:
    return [sentence async for sentence in replies.reply(question)]


async def test_the_companion_says_where_it_reads_and_then_reads(companion, library):
    library.add(7, source())
    first, second, *_ = await said(companion, Question(text="What of the garden?", book_id=7))
    assert first == "I read from Chapter 2, On gardens, 33 percent into Three Themes."
    assert second == "Here the garden is spoken of at length."


async def test_the_companion_says_when_it_is_not_sure(companion, library):
    library.add(7, source())
    first, *_ = await said(companion, Question(text="whale garden candle " * 3, book_id=7))
    assert first.startswith("I read from")
    library.embedder.embed = lambda texts: ThemeEmbedder().embed(texts) * 0.3
    first, *_ = await said(companion, Question(text="What of the garden?", book_id=7))
    assert first.startswith("I am not sure that this answers you.")


async def test_the_companion_says_that_a_book_is_not_here(companion):
    sentences = await said(companion, Question(text="What of the whale?", book_id=9))
    assert "not here yet" in sentences[0]


async def test_the_companion_says_that_an_index_is_missing(companion, library, tmp_path):
    library.add(7, source())
    (tmp_path / "7.npz").unlink()
    sentences = await said(companion, Question(text="What of the whale?", book_id=7))
    assert "has not been indexed" in sentences[0]


async def test_what_was_not_understood_is_asked_again(companion):
    assert await said(companion, Question(text=" ")) == [
        "I did not catch that. Please ask me again."
    ]


async def test_without_an_open_book_every_book_is_searched(companion, library):
    assert "not here" in (await said(companion, Question(text="the whale")))[0]
    library.add(7, source())
    library.add(8, b"Title: Candles\n\nCHAPTER 1\n\n" + b"A candle and a candle. " * 60)
    first, *_ = await said(companion, Question(text="candle"))
    assert first.endswith("into Candles.") or "On candles" in first


async def test_preparing_opens_the_book_and_never_fails(companion, library, tmp_path):
    library.add(7, source())
    for book_id in (None, 7, 8):
        await companion.prepare(book_id)
    (tmp_path / "7.npz").unlink()
    assert [book_id for book_id, _ in library._open] == [7]


class ChatServer(httpx2.AsyncBaseTransport):
    """An OpenAI-compatible chat endpoint that streams what it is told to."""

    def __init__(self, tokens: list[str], status: int = 200) -> None:
        self.tokens, self.status = tokens, status
        self.requests: list[dict] = []

    async def handle_async_request(self, request):
        self.requests.append(json.loads(await request.aread()))
        if self.status != 200:
            return httpx2.Response(self.status, json={"error": {"message": "secret"}})
        return httpx2.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Tokens(self.tokens)
        )


class Tokens(httpx2.AsyncByteStream):
    def __init__(self, tokens):
        self._tokens = tokens

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for token in self._tokens:
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}],
            }
            yield f"data: {json.dumps(chunk)}\n\n".encode()
        yield b"data: [DONE]\n\n"


def language_model(server, companion):
    client = openai.AsyncOpenAI(
        base_url="http://model.test/v1",
        api_key="k",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=server),
    )
    return LanguageModel(client, "m", companion)


async def test_a_language_model_is_heard_sentence_by_sentence(companion):
    server = ChatServer(["The wh", "ale is wh", "ite. Ahab h", "ates it", "."])
    assert await said(language_model(server, companion), Question(text="Why?")) == [
        "The whale is white.",
        "Ahab hates it.",
    ]


async def test_a_language_model_knows_the_passages_the_rules_and_what_was_said(companion, library):
    library.add(7, source())
    server = ChatServer(["Yes."])
    question = Question(
        text="What of the garden?",
        book_id=7,
        instructions="Be kind.",
        history=(Line(True, "Hello"), Line(False, "Good day.")),
    )
    await said(language_model(server, companion), question)
    (request,) = server.requests
    system, *lines = request["messages"]
    assert system["content"].startswith("Be kind.")
    assert "Here the garden is spoken of" in system["content"]
    assert [(line["role"], line["content"]) for line in lines] == [
        ("user", "Hello"),
        ("assistant", "Good day."),
        ("user", "What of the garden?"),
    ]
    assert request["stream"] is True


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_a_language_model_that_refuses_is_unavailable_and_its_words_stay_here(
    companion, status
):
    model = language_model(ChatServer([], status), companion)
    with pytest.raises(ProviderUnavailable) as refused:
        await said(model, Question(text="Why?"))
    assert "secret" not in str(refused.value)
