"""What all events of an interview share: how names are written, and kinds of numbers."""

from typing import Annotated

from msgspec import Meta

from readrealm.kernel.wire import Contract

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class InterviewContract(Contract, frozen=True, kw_only=True, rename=None):
    """Base of everything said in an interview: wire names are the names here."""
