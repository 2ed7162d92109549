"""Voice sessions without a store and without a network."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from readrealm.kernel.errors import AppError, ProviderUnavailable
from readrealm.kernel.identity import Identity, SocketIdentity
from readrealm.kernel.wire import plain
from speech.routes.audio import AudioService, Chunk, Kept
from speech.routes.config import ConfigService
from speech.routes.configuration import Stored
from speech.routes.consumer import RoutesConsumer
from speech.routes.events import Statistics
from speech.routes.reports import ReportService
from speech.routes.sessions import Owner, SessionService, State, VoiceSession
from speech.routes.system import SystemService
from speech.routes.work_events import ProcessCommand, Transcription

NOW = 1_795_000_000_000


class Store:
    """Sessions, streams, values and texts in dictionaries, for one test."""

    def __init__(self) -> None:
        self.sessions: dict[str, VoiceSession] = {}
        self.chunks: list[Chunk] = []
        self.next_kept: Kept | None = None
        self.values: dict[tuple[str, str], Any] = {}
        self.texts: list[Transcription] = []
        self.commands: list[ProcessCommand] = []
        self.told: list[Any] = []
        self.calls: list[str] = []
        self.is_enabled, self.is_recorded, self.most = True, False, 100
        self.recorded: list[bool] = []
        self.terms: dict[tuple[str, int], int] = {}
        self.can_name_speakers = False

    # Sessions

    async def create(self, session: VoiceSession, *, sid: str) -> bool:
        if session.id in self.sessions:
            return False
        self.sessions[session.id] = session
        return True

    async def find(self, session_id: str) -> VoiceSession | None:
        return self.sessions.get(session_id)

    async def live(self) -> int:
        return sum(session.state is not State.ENDED for session in self.sessions.values())

    async def change(
        self, session_id: str, *, allowed: Sequence[State], to: State, at_ms: int
    ) -> VoiceSession | None:
        session = self.sessions[session_id]
        if session.state not in allowed:
            return None
        ended_at = at_ms if to is State.ENDED else None
        streaming = session.streaming and to is not State.ENDED
        return self._put(replace(session, state=to, ended_at=ended_at, streaming=streaming))

    async def attach(self, session_id: str, *, sid: str, at_ms: int) -> None:
        self.calls.append(f"attach {session_id}")

    async def adopt(self, session_id: str, owner: Owner) -> None:
        self._put(replace(self.sessions[session_id], owner=owner))

    async def left(self, session_id: str, *, sid: str, at_ms: int) -> None:
        self.calls.append(f"left {session_id}")

    async def statistics(self, session_id: str) -> Statistics:
        return Statistics(chunks=len(self.chunks), duplicates=0, missing=0)

    async def transcript(self, session_id: str) -> list[Transcription]:
        return [text for text in self.texts if text.session_id == session_id]

    def _put(self, session: VoiceSession) -> VoiceSession:
        self.sessions[session.id] = session
        return session

    # Streams

    async def open(self, session: VoiceSession, *, sid: str, at_ms: int, recorded: bool) -> None:
        self.recorded.append(recorded)
        self._put(
            replace(
                self.sessions[session.id],
                stream=session.stream + 1,
                streaming=True,
                stream_sid=sid,
                left_stream=False,
            )
        )

    async def reopen(self, session: VoiceSession, *, sid: str, at_ms: int) -> bool:
        self._put(replace(session, streaming=True, stream_sid=sid, left_stream=False))
        return True

    async def close(self, session: VoiceSession, *, at_ms: int) -> None:
        self._put(replace(self.sessions[session.id], streaming=False, left_stream=False))

    async def keep_chunk(self, chunk: Chunk) -> Kept:
        if self.next_kept is not None:
            return self.next_kept
        if any((each.stream, each.seq) == (chunk.stream, chunk.seq) for each in self.chunks):
            return Kept.DUPLICATE
        self.chunks.append(chunk)
        return Kept.NEW

    async def pipeline(self) -> tuple[bool, bool]:
        return self.is_enabled, self.is_recorded

    async def most_sessions(self) -> int:
        return self.most

    # Values

    async def read(self) -> Stored:
        return dict(self.values)

    async def put(self, category: str, key: str, value: Any) -> None:
        self.calls.append("put")
        self.values[category, key] = value

    async def remove(self, category: str | None) -> None:
        for key in [key for key in self.values if category in (None, key[0])]:
            del self.values[key]

    def check(self) -> None:
        if not self.can_name_speakers:
            raise ProviderUnavailable("speaker labels need the path of a model")

    # Commands and reports

    async def tell(self, told: Any) -> None:
        if isinstance(told, ProcessCommand):
            self.calls.append(f"command {told.action}")
            self.commands.append(told)
        else:
            self.told.append(told)

    async def holds(self, session_id: str, stream: int, *, term: int) -> bool:
        return self.terms.get((session_id, stream)) == term

    async def keep(self, *args: Any) -> Any:
        """Of chunks and of texts, by what is given."""
        if isinstance(args[0], Chunk):
            return await self.keep_chunk(args[0])
        _, text = args
        is_new = text not in self.texts
        self.texts.append(text)
        return is_new


class Figures:
    """Everything that is counted and measured."""

    here = 2
    uptime_s = 12.5
    platform = "linux"
    runtime_version = "3.11.7"
    is_away = False

    def __init__(self) -> None:
        self.inside: set[str] = set()

    def enter(self, sid: str) -> None:
        self.inside.add(sid)

    def leave(self, sid: str) -> None:
        self.inside.discard(sid)

    async def everywhere(self) -> tuple[int, int]:
        from readrealm.kernel.errors import StoreUnavailable

        if self.is_away:
            raise StoreUnavailable
        return 5, 1

    def memory(self) -> dict[str, int]:
        return {"rss": 4, "heapTotal": 3, "heapUsed": 2, "external": 1}

    async def checks(self) -> dict[str, bool]:
        return {"redis": not self.is_away, "mongo": True}


class Attendance:
    def __init__(self) -> None:
        self.sessions: list[str] = []

    def attend(self, session_id: str) -> None:
        self.sessions.append(session_id)

    def leave(self, session_id: str) -> None:
        self.sessions.remove(session_id)


def routes(store: Store, figures: Figures | None = None, *, staff_only: bool = False) -> Any:
    """All use cases over one store."""
    figures = figures or Figures()
    held: Any = store

    def clock() -> int:
        return NOW

    return SimpleNamespace(
        sessions=SessionService(sessions=held, clock=clock, most_sessions=store.most_sessions),
        audio=AudioService(sessions=held, streams=held, commands=held, switches=held, clock=clock),
        config=ConfigService(
            values=held, commands=held, speakers=held, clock=clock, staff_only=staff_only
        ),
        system=SystemService(
            census=figures,
            machine=figures,
            dependencies=figures.checks,
            sessions=held,
            clock=clock,
        ),
        reports=ReportService(transcripts=held, audience=held),
        store=store,
        census=figures,
        upkeep=Attendance(),
        tells_all=False,
    )


class Socket(RoutesConsumer):
    """One connected consumer; what it emits is remembered.

    Args:
        account: the signed-in reader, if any.
    """

    def __init__(
        self,
        made: Any,
        sid: str = "w1.socket-one",
        *,
        account: Identity | None = None,
        is_worker: bool = False,
    ) -> None:
        super().__init__(lambda: made)
        self.sid = sid
        self.emitted: list[tuple[str, Any]] = []
        self.joined: list[str] = []
        self.scope = {
            "identity": SocketIdentity(account),
            "headers": [(b"user-agent", b"test/1")],
            "is_processing_worker": is_worker,
        }

    async def emit(self, event: str, *args: Any) -> None:
        self.emitted.append((event, plain(args[0])))

    async def join(self, group: str) -> None:
        self.joined.append(group)

    async def leave(self, group: str) -> None:
        self.joined.remove(group)

    async def say(self, event: str, data: Any = None) -> dict[str, Any]:
        """What the bridge does with an event; the acknowledgement."""
        try:
            reply = await self.answer(event, data)
        except AppError as error:
            reply = await self.refused(event, error)
        return plain(reply)


async def connected(made: Any, sid: str = "w1.socket-one", **options: Any) -> Socket:
    """A socket whose handshake is over."""
    socket = Socket(made, sid, **options)
    await socket.connected()
    return socket
