"""Whose interview it is. An account and a guest who claims its number are two different readers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """The reader of an interview."""

    user_id: int
    is_account: bool

    @property
    def key(self) -> str:
        """The same for all sockets of the reader, on every worker."""
        return f"{'account' if self.is_account else 'guest'}:{self.user_id}"

    @classmethod
    def of_key(cls, key: str) -> "Owner":
        """The inverse of `key`."""
        kind, _, number = key.partition(":")
        return cls(int(number), kind == "account")
