"""What a reader does with messages: answer, change, delete, react."""

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.looks import violations
from tests.support.stores import SessionStores
from tests.support.worker import Server


def test_an_edit_is_seen_by_everybody_and_marked(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    ada.say("The wale")
    ben.expect_texts("The wale")

    ada.composer.press("ArrowUp")
    expect(ada.composer).to_have_value("The wale")
    ada.say("The whale")

    ben.expect_texts("The whale")
    expect(ben.message("The whale").locator("[data-marks]")).to_contain_text("edited")
    expect(ada.composer).to_have_value("")


def test_escape_gives_up_an_edit_and_brings_back_what_was_written(
    open_reader: Open, book_id: int
) -> None:
    ada = open_reader().join(book_id, "Ada")
    ada.say("kept as it is")
    ada.expect_texts("kept as it is")
    ada.composer.fill("half a thought")

    ada.choose("kept as it is", "Edit")
    expect(ada.composer).to_have_value("kept as it is")
    ada.composer.fill("changed")
    ada.composer.press("Escape")

    expect(ada.composer).to_have_value("half a thought")
    ada.expect_texts("kept as it is")


def test_a_deleted_message_leaves_a_muted_line_for_everybody(
    open_reader: Open, book_id: int
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    ada.say("regretted")
    ben.expect_texts("regretted")

    ada.choose("regretted", "Delete")
    ada.page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    ada.expect_texts("regretted")
    ada.choose("regretted", "Delete")
    ada.page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    ada.expect_texts("The reader removed this message.")
    ben.expect_texts("The reader removed this message.")


def test_only_the_author_is_offered_to_edit_or_delete(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    ada.say("mine")
    ben.expect_texts("mine")

    ben.messages.first.hover()
    ben.messages.first.get_by_role("button", name="Actions for").click()

    expect(ben.menu.get_by_role("button", name="Reply")).to_be_visible()
    expect(ben.menu.get_by_role("button", name="Edit")).to_be_hidden()
    expect(ben.menu.get_by_role("button", name="Delete")).to_be_hidden()


def test_a_reaction_is_given_counted_and_taken_back(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    ada.say("Call me Ishmael.")
    ben.expect_texts("Call me Ishmael.")

    ben.choose("Call me Ishmael.", "Love")
    theirs = ada.messages.first.locator(".reaction")
    expect(theirs).to_contain_text("1")
    expect(theirs).to_have_attribute("aria-pressed", "false")
    theirs.click()
    expect(theirs).to_contain_text("2")
    expect(theirs).to_have_attribute("aria-pressed", "true")
    expect(ben.messages.first.locator(".reaction")).to_contain_text("2")
    theirs.click()
    expect(ben.messages.first.locator(".reaction")).to_contain_text("1")
    ben.choose("Call me Ishmael.", "Love")

    expect(ada.messages.first.locator(".reaction")).to_have_count(0)


def test_an_answer_shows_what_it_answers_and_leads_there(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    ada.say("Who has read Cetology?")
    ben.expect_texts("Who has read Cetology?")

    ben.choose("Who has read Cetology?", "Reply")
    expect(ben.page.locator("[data-context-words]")).to_have_text("Answering Ada")
    ben.say("I have.")

    quoted = ada.message("I have.").locator("[data-reply-link]")
    expect(quoted).to_have_text("Ada Who has read Cetology?")
    quoted.click()
    expect(ada.message("Who has read Cetology?")).to_be_focused()


def test_changes_are_there_after_a_reload_and_without_scripts(
    open_reader: Open, book_id: int
) -> None:
    ada = open_reader().join(book_id, "Ada")
    for words in ("first", "second", "third"):
        ada.say(words)
    ada.expect_texts("first", "second", "third")
    ada.choose("third", "Agree")
    expect(ada.message("third").locator(".reaction")).to_have_count(1)
    ada.choose("first", "Edit")
    ada.say("first, corrected")
    ada.expect_texts("first, corrected", "second", "third")

    ada.page.reload()
    ada.wait_until_live()
    plain = open_reader(java_script_enabled=False).open(book_id)

    for reader in (ada, plain):
        reader.expect_texts("first, corrected", "second", "third")
        expect(reader.message("third").locator(".reaction")).to_have_count(1)
        expect(reader.message("first, corrected").locator("[data-marks]")).to_be_visible()


def test_everybody_can_open_how_an_edited_message_was_worded_before(
    open_reader: Open, book_id: int
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader(bypass_csp=True).join(book_id, "Ben")
    ada.say("Call me Ahab")
    ada.choose("Call me Ahab", "Edit")
    ada.composer.fill("Call me Ishmael")
    ada.composer.press("Enter")
    message = ben.message("Call me Ishmael")

    message.get_by_role("button", name="edited").click()

    dialog = ben.page.get_by_role("dialog", name="How it was worded")
    expect(dialog.locator("[data-said]")).to_have_text(["Call me Ishmael", "Call me Ahab"])
    expect(dialog.locator("[data-now]:visible")).to_have_count(1)
    assert violations(ben.page) == []
    ben.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(message.get_by_role("button", name="edited")).to_be_focused()

    # With the keyboard, and not for longer than the message is there.
    ben.page.keyboard.press("h")
    expect(dialog).to_be_visible()
    ada.choose("Call me Ishmael", "Delete")
    ada.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(dialog).to_be_hidden()
    expect(ben.page.get_by_text("Call me Ahab")).to_have_count(0)


def test_a_message_is_reported_once_with_reason_and_note_and_the_keyboard_alone(
    open_reader: Open, site: Server, session_stores: SessionStores, book_id: int
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader(bypass_csp=True).join(book_id, "Ben")
    ada.say("buy my book")
    ben.expect_texts("buy my book")
    page, keys = ben.page, ben.page.keyboard
    dialog = page.get_by_role("dialog", name="Report this message")

    def report(note: str) -> None:
        keys.press("Alt+ArrowUp")
        keys.press("m")
        for _ in range(20):
            keys.press("Tab")
            if page.locator("[data-act=report]:focus").count():
                break
        keys.press("Enter")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_label("It is unkind")).to_be_focused()
        keys.press("ArrowDown")
        keys.press("ArrowDown")
        expect(dialog.get_by_label("It advertises")).to_be_checked()
        keys.press("Tab")
        keys.type(note)
        assert violations(page) == []
        keys.press("Tab")
        keys.press("Tab")
        expect(dialog.get_by_role("button", name="Report")).to_be_focused()
        keys.press("Enter")

    report("the third time today")
    expect(ben.bar).to_have_text("Thank you. A moderator will look at it.")
    expect(ben.message("buy my book")).to_be_focused()
    report("once more")
    expect(ben.bar).to_have_text("Thank you. A moderator will look at it.")

    kept = list(session_stores.mongo[site.database_name]["reports"].find({"bookId": book_id}))
    assert [(each["reason"], each["note"]) for each in kept] == [("spam", "the third time today")]


def test_a_report_that_is_cancelled_tells_nobody(
    open_reader: Open, site: Server, session_stores: SessionStores, book_id: int
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    ada.say("fine words")
    ben.expect_texts("fine words")

    ben.choose("fine words", "Report")
    ben.page.get_by_label("What a moderator should know").fill("hm")
    ben.page.get_by_role("button", name="Cancel").click()
    ben.choose("fine words", "Report")

    expect(ben.page.get_by_label("What a moderator should know")).to_have_value("")
    ben.page.keyboard.press("Escape")
    assert (
        session_stores.mongo[site.database_name]["reports"].count_documents({"bookId": book_id})
        == 0
    )
