from speech.realtime.partials import SettledText


def deltas(*hypotheses: str) -> list[str]:
    settled = SettledText()
    return [settled.feed(hypothesis) for hypothesis in hypotheses]


def test_a_word_is_told_when_three_hypotheses_agree_on_it():
    assert deltas("call me", "call me fish", "call me ish now", "call me ishmael now") == [
        "",
        "",
        "call",
        " me",
    ]


def test_what_is_revised_in_time_was_never_told():
    told = deltas("it was an arab", "it was an ira", "it was my reports", "it was my reports from")
    assert "".join(told) == "it was"


def test_deltas_joined_are_the_settled_text():
    settled = SettledText()
    words = ["the", "child", "almost", "hurt", "the", "small", "dog"]
    told = [settled.feed(" ".join(words[:n])) for n in range(1, len(words) + 3)]
    assert "".join(told) == settled.text == "the child almost hurt the small"


def test_what_was_told_is_never_taken_back():
    settled = SettledText()
    for _ in range(3):
        settled.feed("one two three")
    assert settled.feed("four five six seven") == ""
    for _ in range(3):
        assert settled.feed("four five six seven") == ""
    assert settled.text == "one two"


def test_silence_tells_nothing():
    assert deltas("", "", "", "") == ["", "", "", ""]
