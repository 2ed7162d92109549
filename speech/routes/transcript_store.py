"""Final texts of voice sessions in MongoDB."""

from dataclasses import dataclass

from msgspec import UNSET
from pymongo.asynchronous.database import AsyncDatabase

from speech.routes.database import STREAMS, TEXTS, Document, answered, stream_id
from speech.routes.work_events import Transcription


@dataclass(frozen=True, slots=True)
class TranscriptStore:
    """`speech.routes.reports.Transcripts`."""

    database: AsyncDatabase[Document]

    async def holds(self, session_id: str, stream: int, *, term: int) -> bool:
        key = {"_id": stream_id(session_id, stream), "term": term}
        return await answered(self.database[STREAMS].find_one(key, {"_id": 1})) is not None

    async def keep(self, stream: int, text: Transcription) -> bool:
        key = {"stream": stream_id(text.session_id, stream), "startMs": text.start_ms}
        speaker = None if text.speaker is UNSET else text.speaker
        fields = {"endMs": text.end_ms, "text": text.text, "seq": text.seq, "speaker": speaker}
        before = await answered(
            self.database[TEXTS].find_one_and_update(
                key, {"$set": fields, "$setOnInsert": {"session": text.session_id}}, upsert=True
            )
        )
        await answered(
            self.database[STREAMS].update_one(
                {"_id": key["stream"]}, {"$max": {"textMs": text.end_ms}}
            )
        )
        return before is None or any(before[name] != value for name, value in fields.items())


def text_of(document: Document) -> Transcription:
    """A kept final text as the wire knows it."""
    return Transcription(
        session_id=document["session"],
        seq=int(document["seq"]),
        text=document["text"],
        is_final=True,
        start_ms=int(document["startMs"]),
        end_ms=int(document["endMs"]),
        speaker=document["speaker"] or UNSET,
    )
