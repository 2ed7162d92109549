"""Interviews in the relational store: what can be asked, what came of it, what readers know.

An interview that still goes on is in `speech.interviews.live_store`.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from speech.interviews.questions import QUESTION_CHARACTERS, Difficulty
from speech.interviews.state import Reason

MOST_WORDINGS = 12
LONGEST_NAME = 64


def validate_name(name: str) -> None:
    """A name becomes part of the key under which a reader's knowledge is kept."""
    if "." in name or "$" in name or "/" in name:
        raise ValidationError("A name has no dot, no dollar and no slash.")


def validate_synonyms(synonyms: Any) -> None:
    """A list of at most eleven short texts, none of them twice."""
    if not isinstance(synonyms, list) or not all(isinstance(one, str) for one in synonyms):
        raise ValidationError("Synonyms are a list of texts.")
    if len(synonyms) >= MOST_WORDINGS:
        raise ValidationError(f"A term has at most {MOST_WORDINGS - 1} synonyms.")
    if not all(0 < len(one) <= LONGEST_NAME for one in synonyms):
        raise ValidationError(f"A synonym has 1 to {LONGEST_NAME} characters.")
    if len({one.casefold() for one in synonyms}) < len(synonyms):
        raise ValidationError("A synonym is there twice.")


def validate_question(text: str) -> None:
    """Long enough to mean something, short enough to be read out and kept in mind."""
    shortest, longest = QUESTION_CHARACTERS
    if not shortest <= len(" ".join(text.split())) <= longest:
        raise ValidationError(f"A question has {shortest} to {longest} characters.")


def _name(**options: Any) -> models.CharField:
    return models.CharField(max_length=LONGEST_NAME, **options)


class InterviewTopic(models.Model):
    """A field of knowledge that readers can be asked about."""

    name = _name(unique=True, validators=[validate_name])
    """What clients send and what knowledge is kept under."""
    title = _name()
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField("is asked about", default=True)

    class Meta:
        ordering = ("position", "name")
        verbose_name = "interview topic"

    def __str__(self) -> str:
        return str(self.title)


class InterviewSubtopic(models.Model):
    """A part of a topic; one is visited at a time."""

    topic = models.ForeignKey(InterviewTopic, models.CASCADE, related_name="subtopics")
    name = _name(validators=[validate_name])
    title = _name()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("topic__position", "topic__name", "position", "name")
        verbose_name = "interview subtopic"
        constraints = (
            models.UniqueConstraint(fields=("topic", "name"), name="subtopic_once_per_topic"),
        )

    def __str__(self) -> str:
        return f"{self.topic.title}: {self.title}"


class InterviewConcept(models.Model):
    """An idea of a subtopic; readers are asked about those they know least."""

    subtopic = models.ForeignKey(InterviewSubtopic, models.CASCADE, related_name="concepts")
    name = _name(validators=[validate_name])
    synonyms = models.JSONField(default=list, blank=True, validators=[validate_synonyms])
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")
        verbose_name = "concept"
        constraints = (
            models.UniqueConstraint(fields=("subtopic", "name"), name="concept_once_per_subtopic"),
        )

    def __str__(self) -> str:
        return f"{self.subtopic.name}: {self.name}"


class InterviewQuestion(models.Model):
    """A question, with what a good answer holds."""

    class Level(models.TextChoices):
        EASY = Difficulty.EASY.value, "easy"
        MEDIUM = Difficulty.MEDIUM.value, "medium"
        HARD = Difficulty.HARD.value, "hard"

    identifier = _name(unique=True, validators=[validate_name])
    """Under which a reader's knowledge remembers it."""
    subtopic = models.ForeignKey(InterviewSubtopic, models.CASCADE, related_name="questions")
    concepts = models.ManyToManyField(InterviewConcept, related_name="questions")
    """One or two, of the same subtopic."""
    difficulty = models.CharField(max_length=8, choices=Level.choices, default=Level.MEDIUM)
    text = models.CharField(
        "question", max_length=QUESTION_CHARACTERS[1], validators=[validate_question]
    )
    expected_answer = models.TextField(max_length=2_000)
    is_active = models.BooleanField("is asked", default=True)
    shipped_digest = models.CharField(max_length=64, blank=True, editable=False)
    """Of its content as it came with ReadRealm; empty for a question of one's own. Content of
    another digest was edited, and is never overwritten."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("subtopic__topic__position", "subtopic__position", "identifier")
        verbose_name = "interview question"

    def __str__(self) -> str:
        return str(self.identifier)


class QuestionTerm(models.Model):
    """Something that a good answer names, in any of its wordings."""

    question = models.ForeignKey(InterviewQuestion, models.CASCADE, related_name="terms")
    name = _name()
    synonyms = models.JSONField(default=list, blank=True, validators=[validate_synonyms])
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")
        verbose_name = "key term"
        constraints = (
            models.UniqueConstraint(fields=("question", "name"), name="term_once_per_question"),
        )

    def __str__(self) -> str:
        return str(self.name)


class InterviewResult(models.Model):
    """What came of one interview; written once, before the reader is told."""

    ENDINGS = tuple(
        (reason.value, reason.value.replace("_", " "))
        for reason in Reason
        if reason is not Reason.ABANDONED
    )

    session_id = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="interview_results",
    )
    """None for a reader without an account."""
    claimed_id = models.BigIntegerField(null=True, blank=True)
    """What a reader without an account called itself."""
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField()
    duration_s = models.FloatField("duration in seconds")
    reason = models.CharField("ended", max_length=16, choices=ENDINGS)
    stress_test = models.BooleanField(default=False)
    analysis_valid = models.BooleanField(default=False)
    questions_asked = models.PositiveSmallIntegerField()
    questions_answered = models.PositiveSmallIntegerField()
    similarity = models.FloatField()
    """Mean over all answers, 0 to 1; so are the next three."""
    keyword_coverage = models.FloatField()
    relevance = models.FloatField()
    fluency = models.FloatField()
    wpm = models.FloatField("words per minute")
    topics = models.JSONField(default=list)
    heard_by = models.JSONField(default=list)
    measured_by = models.JSONField(default=list)
    report = models.JSONField()
    """The ``interview_complete`` event as it was told."""

    class Meta:
        ordering = ("-completed_at", "-pk")
        verbose_name = "interview"
        indexes = (
            models.Index(fields=("user", "-completed_at"), name="interview_by_reader"),
            models.Index(fields=("completed_at",), name="interview_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.started_at:%d %b %Y, %H:%M}"


class ReaderKnowledge(models.Model):
    """What the interviews of one account have shown; it steers the next one."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="interview_knowledge",
    )
    knowledge = models.JSONField(default=dict)
    """A `speech.interviews.knowledge.Knowledge` as plain mappings."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "knowledge of a reader"
        verbose_name_plural = "knowledge of readers"

    def __str__(self) -> str:
        return f"knowledge of reader {self.pk}"


# Django finds the models of an app through this module only.
from speech.routes import records  # noqa: E402, F401
