"""Voice in Django's admin."""

from speech.interviews.admin import InterviewQuestionAdmin, InterviewResultAdmin

__all__ = ["InterviewQuestionAdmin", "InterviewResultAdmin"]
