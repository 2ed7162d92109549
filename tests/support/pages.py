"""Pages as a browser without a window uses them: cookies, and forms with their CSRF token."""

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from tests.support.accounts import add_account
from tests.support.worker import Server

PASSWORD = "a long quiet evening"


class Browser:
    """Just enough of one."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        """A page."""
        with self._opener.open(self.url + path, timeout=10) as answer:
            return str(answer.read().decode())

    def post(self, path: str, *, page: str = "", **fields: str) -> str:
        """Send a form that stands on ``page``, or at ``path`` itself; the page that follows."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page or path))
        assert token is not None
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        request = Request(self.url + path, body, {"Referer": self.url + (page or path)})
        with self._opener.open(request, timeout=20) as answer:
            return str(answer.read().decode())

    @property
    def header(self) -> str:
        """Its cookies, as a request carries them."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)


class Admin(Browser):
    """The moderator "mo", who has logged in to the admin."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        add_account(server, "mo", password=PASSWORD, groups=("Moderators",))
        self.post("/admin/login/", username="mo", password=PASSWORD, next="/admin/")

    def act(self, action: str, message_id: str, **more: str) -> str:
        """Choose an action for one message; the page that follows."""
        chosen = {"action": action, "index": "0", "_selected_action": message_id}
        return self.post("/admin/chat/chatmessage/", **chosen, **more)

    def add_watch_word(self, word: str) -> str:
        """Put a word on the list; the page that follows."""
        return self.post("/admin/chat/watchword/add/", word=word, note="")
