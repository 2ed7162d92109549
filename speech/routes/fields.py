"""What the fields of voice sessions may hold: shared by clients' and workers' events."""

from typing import Annotated

from msgspec import Meta

SESSION_ID_PATTERN = r"^[A-Za-z0-9_.:-]{1,128}\Z"
MAX_SEQ = 2**53 - 1

SessionId = Annotated[str, Meta(pattern=SESSION_ID_PATTERN)]
Seq = Annotated[int, Meta(ge=0, le=MAX_SEQ)]
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_SEQ)]
MimeType = Annotated[str, Meta(pattern=r"^[\x20-\x7e]{1,128}\Z")]
CategoryName = Annotated[str, Meta(min_length=1, max_length=32)]
ConfigKey = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")]
Text = Annotated[str, Meta(max_length=20_000)]
