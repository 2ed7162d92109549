"""One right and one wrong payload of each vocabulary, from the public JavaScript client: what
comes back is what the contract says, word for word where it has words."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.support.clients import NodeScript
from tests.support.worker import Server

pytestmark = pytest.mark.timeout(120)

SCRIPT = """
    const socket = io(url, { transports: ["websocket"], reconnection: false });
    const told = [];
    const looks = new Set();
    socket.onAny((name, ...data) => {
      told.push([name, ...data]);
      for (const look of looks) look();
    });
    const until = (name) => new Promise((resolve) => {
      const look = () => {
        const found = told.find(([event]) => event === name);
        if (found) { looks.delete(look); resolve(found.slice(1)); }
      };
      looks.add(look);
      look();
    });
    await until("connected");
    for (;;) {
      const [event, data, awaited] = await hear();
      told.length = 0;
      const ack = await socket.timeout(20_000).emitWithAck(event, data);
      say("answer", ack, await until(awaited));
    }
"""
ISO_MS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
READER = {"bookId": 42, "userId": "u1", "username": "ada"}


class Client:
    """A socket that asks one thing after the other."""

    def __init__(self, script: NodeScript) -> None:
        self._script = script

    def ask(self, event: str, data: Any, *, until: str) -> tuple[Any, Any]:
        """The acknowledgement, and the payload of the first event named ``until`` since."""
        self._script.tell([event, data, until])
        ack, heard = self._script.expect("answer", timeout_s=40)
        (payload,) = heard
        return ack, payload


@pytest.fixture
def talking(shared_server: StartServer) -> Server:
    """A server that has somebody to talk with."""
    running = shared_server(VOICE="true", INTERVIEW_STT="captions")
    running.running.wait_for_line("engine listens", timeout_s=40)
    return running


@pytest.fixture
def client(talking: Server) -> Iterator[Client]:
    with NodeScript(SCRIPT, talking.url) as script:
        yield Client(script)


def test_the_book_room(client: Client) -> None:
    joined, history = client.ask("joinRoom", READER, until="previousMessages")
    refused, exception = client.ask("chatMessage", {**READER, "content": "  "}, until="exception")
    said, message = client.ask("chatMessage", {**READER, "content": "hi"}, until="newMessage")

    assert (joined["ok"], joined["bookId"], joined["headSeq"], joined["members"]) == (
        True,
        42,
        0,
        1,
    )
    assert history == []
    assert exception == {
        "status": "error",
        "message": refused["error"],
        "code": "VALIDATION_ERROR",
        "cause": {"pattern": "chatMessage"},
    }
    assert (refused["ok"], refused["code"]) == (False, "VALIDATION_ERROR")
    assert said == {"ok": True, "message": message}
    wanted = {**READER, "content": "hi", "seq": 1, "isAi": False}
    assert {key: message[key] for key in wanted} == wanted, "nothing wrong was kept before"
    assert re.fullmatch("[0-9a-f]{24}", message["_id"])
    assert ISO_MS.fullmatch(message["createdAt"])
    assert message["updatedAt"] == message["createdAt"]


def test_live_talk(client: Client) -> None:
    early, no_session = client.ask("sendAudio", {"audio": "AAAA"}, until="error")
    refused, words = client.ask("start", {"systemMessage": "x"}, until="error")
    started, status = client.ask(
        "start", {"systemMessage": "Be brief.", "temperature": 0.8}, until="sessionStatus"
    )
    _, wrong = client.ask("sendAudio", {"audio": ""}, until="error")
    stopped, ended = client.ask("stop", None, until="sessionStatus")

    assert (early["ok"], no_session) == (False, "No active session")
    assert (refused["ok"], refused["code"]) == (False, "VALIDATION_ERROR")
    assert words == refused["error"] == "Invalid session parameters"
    assert (started["ok"], status) == (True, {"active": True})
    assert wrong == "Invalid audio data"
    assert (stopped["ok"], ended) == (True, {"active": False})


def test_voice_sessions(client: Client) -> None:
    refused, failure = client.ask("session:end", {"sessionId": "nope"}, until="session:ended")
    request = {"sessionId": "my_session_123", "metadata": {"clientId": "client_456"}}
    acknowledged, started = client.ask("session:start", request, until="session:started")

    assert refused == failure
    assert (failure["success"], failure["code"]) == (False, "SESSION_NOT_FOUND")
    assert {type(failure["error"]), type(failure["timestamp"])} == {str, int}
    assert acknowledged == started
    assert (started["success"], type(started["timestamp"])) == (True, int)
    data = started["data"]
    assert (data["sessionId"], data["status"]) == ("my_session_123", "active")
    assert isinstance(data["startTime"], int)
    assert data["metadata"]["clientId"] == "client_456"
    assert isinstance(data["metadata"]["userAgent"], str)


def test_voice_interviews(client: Client) -> None:
    refused, error = client.ask("start_interview", {"user_id": "many"}, until="interview_error")
    lost, nobody = client.ask("stop_interview", {"user_id": 123}, until="interview_error")
    started, ready = client.ask("start_interview", {"user_id": 123}, until="backend_ready")
    _, turn = client.ask("interviewer_done", {"user_id": 123}, until="user_turn_started")

    assert (refused["ok"], refused["code"]) == (False, "VALIDATION_ERROR")
    assert error == {
        "error": refused["error"],
        "code": "VALIDATION_ERROR",
        "event": "start_interview",
    }
    assert (lost["ok"], nobody["code"]) == (False, "SESSION_NOT_FOUND")
    assert started["ok"] is True
    assert (ready["status"], type(ready["timestamp"])) == ("ready", float)
    assert turn["status"] == "ready"
    assert turn["question"]


DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]


def test_what_is_nested_too_deeply_is_refused_in_the_words_of_each_vocabulary(
    client: Client,
) -> None:
    said, exception = client.ask("joinRoom", {**READER, "x": DEEP}, until="exception")
    started, words = client.ask("start", {"systemMessage": DEEP}, until="error")
    played, sentence = client.ask("audioPlayed", {"ms": DEEP}, until="error")
    ended, envelope = client.ask("session:end", {"sessionId": DEEP}, until="session:ended")
    asked, error = client.ask("start_interview", {"user_id": DEEP}, until="interview_error")
    joined, history = client.ask("joinRoom", {**READER, "bookId": 43}, until="previousMessages")

    reason = "the payload is nested too deeply"
    assert said == {"ok": False, "code": "VALIDATION_ERROR", "error": reason}
    assert (exception["message"], exception["cause"]) == (reason, {"pattern": "joinRoom"})
    assert (started["code"], words) == ("VALIDATION_ERROR", "Invalid session parameters")
    assert played["error"] == sentence == reason
    assert ended == envelope
    assert (ended["success"], ended["code"], ended["error"]) == (False, "VALIDATION_ERROR", reason)
    assert (asked["ok"], error["error"], error["event"]) == (False, reason, "start_interview")
    assert (joined["ok"], history) == (True, []), "on the same connection"
