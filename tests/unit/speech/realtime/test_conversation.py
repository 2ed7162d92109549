import pytest

from readrealm.kernel.wire import parse
from speech.companion.dialogue import Line
from speech.realtime.conversation import MAX_ITEMS, Conversation, Message
from speech.realtime.refusals import ProtocolRefusal
from speech.realtime.shapes import Item


def answer(identifier: str = "a1") -> Message:
    return Message(
        identifier,
        "assistant",
        "output_audio",
        text="One. Two. Three.",
        audio_ms=3_000,
        sentences=[(0, "One."), (1_000, "Two."), (2_000, "Three.")],
    )


def user(text: str, identifier: str = "u1") -> Message:
    return Message(identifier, "user", "input_audio", text=text)


def item(role: str, text: str, kind: str = "input_text", **more) -> Item:
    content = [{"type": kind, "text": text}]
    return parse(Item, {"type": "message", "role": role, "content": content, **more})


def test_each_item_knows_the_one_before_it():
    conversation = Conversation()
    assert conversation.add(user("hi")) is None
    assert conversation.add(answer()) == "u1"
    assert conversation.last_id == "a1"


@pytest.mark.parametrize(
    ("audio_end_ms", "text"),
    [(3_000, "One. Two. Three."), (2_001, "One. Two. Three."), (1_500, "One. Two."), (0, "")],
)
def test_truncating_forgets_the_sentences_that_nobody_heard(audio_end_ms, text):
    conversation = Conversation()
    conversation.add(answer())
    left = conversation.truncate("a1", content_index=0, audio_end_ms=audio_end_ms)
    assert (left.text, left.audio_ms) == (text, audio_end_ms)


@pytest.mark.parametrize(
    ("item_id", "index", "end_ms", "reason"),
    [
        ("nobody", 0, 0, "item_truncate_invalid_item_id"),
        ("u1", 0, 0, "item_truncate_invalid_item_id"),
        ("a1", 1, 0, "item_truncate_invalid_item_id"),
        ("a1", 0, 3_001, "invalid_value"),
    ],
)
def test_what_cannot_be_truncated_is_refused(item_id, index, end_ms, reason):
    conversation = Conversation()
    conversation.add(user("hi"))
    conversation.add(answer())
    with pytest.raises(ProtocolRefusal) as refused:
        conversation.truncate(item_id, content_index=index, audio_end_ms=end_ms)
    assert refused.value.details["reason"] == reason


def test_the_question_is_what_the_user_said_last_and_the_rest_is_history():
    conversation = Conversation()
    for message in (user("one"), answer(), user("two", "u2")):
        conversation.add(message)
    conversation.add_item(item("system", "be quiet"))
    assert conversation.question() == (
        "two",
        (Line(True, "one"), Line(False, "One. Two. Three.")),
    )
    assert Conversation().question() == ("", ())


def test_a_client_may_add_lines_of_its_own():
    conversation = Conversation()
    message, previous = conversation.add_item(item("user", "hello", id="mine"))
    assert (message.id, previous) == ("mine", None)
    assert conversation.find("mine", reason="x").to_wire()["content"] == [
        {"type": "input_text", "text": "hello"}
    ]


@pytest.mark.parametrize("wrong", [item("user", ""), item("user", "hello", id="taken")])
def test_an_item_without_words_or_with_a_taken_id_is_refused(wrong):
    conversation = Conversation()
    conversation.add(user("hi", "taken"))
    with pytest.raises(ProtocolRefusal):
        conversation.add_item(wrong)


def test_a_deleted_item_is_gone():
    conversation = Conversation()
    conversation.add(user("hi"))
    conversation.delete("u1")
    assert conversation.last_id is None
    with pytest.raises(ProtocolRefusal):
        conversation.delete("u1")


def test_a_conversation_does_not_grow_without_end():
    conversation = Conversation()
    for number in range(MAX_ITEMS + 50):
        conversation.add(user("hi", f"u{number}"))
    assert conversation.find("u50", reason="x")
    with pytest.raises(ProtocolRefusal):
        conversation.find("u49", reason="x")
