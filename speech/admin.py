"""Voice in Django's admin."""

from speech.interviews.admin import InterviewQuestionAdmin, InterviewResultAdmin
from speech.routes.admin import VoiceSessionAdmin

__all__ = ["InterviewQuestionAdmin", "InterviewResultAdmin", "VoiceSessionAdmin"]
