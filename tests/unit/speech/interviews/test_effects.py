from speech.interviews.effects import Receiver, Tell
from speech.interviews.events import ForceStopSpeaking


def test_what_is_told_goes_to_the_room_under_the_name_of_its_event():
    tell = Tell(ForceStopSpeaking())

    assert (tell.name, tell.to) == ("force_stop_speaking", Receiver.ROOM)
