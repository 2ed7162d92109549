"""Makes the pictures of the moderators' pages: `docs/screenshots_moderation.py FOLDER`.

As `docs/screenshots.py`, which it builds on: a server of its own, with a conversation that took
place before, and reports of it.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from screenshots import IMAGES, Server, chromium, site, visit

PASSWORD = "call me ishmael"  # noqa: S105  of an account that ends with this script

PEOPLE = f"""
from django.contrib.auth.models import Group, User
for name in ("mo", "bea"):
    user = User.objects.create_user(name, password={PASSWORD!r}, is_staff=True)
    user.groups.add(Group.objects.get(name="Moderators"))
from chat.models import WatchWord
WatchWord.objects.create(word="followers", note="sold in rooms")
"""


def log_in(browser, server: Server, name: str, *, scheme: str, width: int = 1280):  # type: ignore[no-untyped-def]
    """A moderator's page."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": width, "height": 860}, color_scheme=scheme
    )
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


def main(folder: Path = IMAGES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        server = stack.enter_context(site())
        server.manage("shell", "--verbosity", "0", "--command", PEOPLE)
        browser = stack.enter_context(chromium())
        spammer = visit(browser, server, "Best Deals", scheme="light")
        tom = visit(browser, server, "Tom", scheme="light")
        quill = visit(browser, server, "Quill", scheme="light")
        spammer.say("Ten thousand f o l l o w e r s for ten dollars, ask me")
        spammer.say("The captain dies in the end, by the way.")
        for reader, words, reason in (
            (tom, "The captain dies in the end, by the way.", "It gives away the story"),
            (quill, "The captain dies in the end, by the way.", "It is unkind"),
        ):
            reader.message(words).wait_for()
            reader.choose(words, "Report")
            reader.page.get_by_label(reason).check()
            if reader is tom:
                reader.page.get_by_label("What a moderator").fill("Some of us are at chapter nine.")
            if reader is quill:
                reader.page.screenshot(path=folder / "report.png")
            reader.page.get_by_role("dialog").get_by_role("button", name="Report").click()
            reader.page.get_by_text("Thank you. A moderator").wait_for()
        bea = log_in(browser, server, "bea", scheme="light")
        mo = log_in(browser, server, "mo", scheme="light")
        night = log_in(browser, server, "mo", scheme="dark", width=320)
        bea.goto("/admin/chat/chatmessage/review/")
        bea.locator("[data-case]").nth(1).get_by_role("button", name="Take it").click()
        mo.goto("/admin/chat/chatmessage/review/")
        mo.screenshot(path=folder / "review.png", full_page=True)
        mo.get_by_role("button", name="Hide, 1 day out").first.click()
        mo.get_by_text("Hidden, author timed out").wait_for()
        for name, address in (
            ("history", "/admin/chat/chatmessage/"),
            ("log", "/admin/chat/moderatoract/"),
            ("sanctions", "/admin/chat/imposedsanction/"),
            ("watch", "/admin/chat/watchword/"),
            ("books", "/admin/chat/book/"),
        ):
            for page, kind in ((mo, ""), (night, "-night")):
                page.goto(address)
                page.screenshot(path=folder / f"{name}{kind}.png", full_page=True)
        night.goto("/admin/chat/chatmessage/review/")
        night.screenshot(path=folder / "review-night.png", full_page=True)
        mo.goto("/admin/chat/chatmessage/?state=hidden")
        mo.locator("#result_list tbody th a").first.click()
        mo.screenshot(path=folder / "admin-message.png", full_page=True)
        mo.get_by_role("link", name="Data of this reader").click()
        mo.screenshot(path=folder / "admin-reader.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
