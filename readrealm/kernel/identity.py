"""Who a socket speaks for. The credential decides; without one, the first claim is kept."""

from dataclasses import dataclass

from readrealm.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Identity:
    """One reader, as rooms and sessions see them."""

    user_id: str
    username: str
    is_staff: bool = False
    authenticated: bool = False


class SocketIdentity:
    """The identity of one socket, shared by everything that is said over it.

    Args:
        account: the reader that the credential names, or None for an anonymous socket.
    """

    __slots__ = ("_known", "account")

    def __init__(self, account: Identity | None = None) -> None:
        self.account = account
        self._known = account

    @property
    def known(self) -> Identity | None:
        """The account, or what an anonymous socket claimed first; None before that."""
        return self._known

    def claim(self, user_id: str, username: str = "") -> Identity:
        """The identity under which this socket may act, given what a payload says.

        The name of an account cannot be overridden; of an anonymous reader the first name
        that is not empty is kept.

        Raises:
            Forbidden: the payload names somebody else than the credential or the first claim.
        """
        if self._known is not None and self._known.user_id != user_id:
            raise Forbidden("this socket already speaks for somebody else")
        if self.account is not None:
            return self.account
        if self._known is None or not self._known.username:
            self._known = Identity(user_id=user_id, username=username)
        return self._known
