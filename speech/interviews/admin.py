"""The question bank and the results of interviews in Django's admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from readrealm.kernel.errors import AppError
from speech.interviews.imports import carry_out, export_bank, plan, read_file
from speech.models import (
    InterviewConcept,
    InterviewQuestion,
    InterviewResult,
    InterviewSubtopic,
    InterviewTopic,
    QuestionTerm,
)

PREVIEW_SALT = "speech.interviews.import"
PREVIEW_S = 3_600
"""For which a preview can be confirmed."""

FEWEST_TERMS, MOST_TERMS = 3, 12
MOST_CONCEPTS = 2


class SynonymsField(forms.CharField):
    """A list of texts, edited as one line with commas between."""

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"size": 70}))
        options["help_text"] = "other wordings, with commas between"
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [
            part.strip() for part in (super().to_python(value) or "").split(",") if part.strip()
        ]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


SYNONYMS = {models.JSONField: {"form_class": SynonymsField}}


class ConceptInline(admin.TabularInline):
    model = InterviewConcept
    formfield_overrides = SYNONYMS
    extra = 0


class TermInline(admin.TabularInline):
    """At least three, or an answer cannot be judged."""

    model = QuestionTerm
    formfield_overrides = SYNONYMS
    extra = 0
    min_num, max_num = FEWEST_TERMS, MOST_TERMS
    validate_min = validate_max = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        return super().get_formset(request, obj, validate_min=True, validate_max=True, **options)


@admin.register(InterviewTopic)
class InterviewTopicAdmin(admin.ModelAdmin):
    list_display = ("title", "name", "is_active", "position")
    list_editable = ("is_active", "position")
    search_fields = ("name", "title")


@admin.register(InterviewSubtopic)
class InterviewSubtopicAdmin(admin.ModelAdmin):
    list_display = ("title", "topic", "name", "position")
    list_filter = ("topic",)
    list_select_related = ("topic",)
    search_fields = ("name", "title", "topic__title")
    inlines = (ConceptInline,)


@admin.register(InterviewConcept)
class InterviewConceptAdmin(admin.ModelAdmin):
    """Looked up when a question is edited; edited with their subtopic."""

    search_fields = ("name", "subtopic__name", "subtopic__title")
    list_select_related = ("subtopic",)
    formfield_overrides = SYNONYMS

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


class QuestionForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        concepts, subtopic = cleaned.get("concepts"), cleaned.get("subtopic")
        if concepts is not None and subtopic is not None:
            if not 1 <= len(concepts) <= MOST_CONCEPTS:
                raise ValidationError({"concepts": "A question is about one or two concepts."})
            if any(concept.subtopic_id != subtopic.pk for concept in concepts):
                raise ValidationError({"concepts": "Concepts are those of the subtopic."})
        return cleaned


class UploadForm(forms.Form):
    file = forms.FileField(help_text="JSON, or CSV with a question in each row")


@admin.register(InterviewQuestion)
class InterviewQuestionAdmin(admin.ModelAdmin):
    """Questions; one that ships with ReadRealm is taken out of use, not deleted, or it would come
    again with the next start."""

    form = QuestionForm
    inlines = (TermInline,)
    list_display = ("identifier", "subtopic", "difficulty", "text", "is_active", "origin")
    list_filter = ("subtopic__topic", "difficulty", "is_active")
    list_select_related = ("subtopic__topic",)
    search_fields = ("identifier", "text", "expected_answer")
    autocomplete_fields = ("subtopic", "concepts")
    actions = ("retire", "put_into_use")
    save_on_top = True
    change_list_template = "admin/speech/interviewquestion/change_list.html"

    @admin.display(description="from")
    def origin(self, question: InterviewQuestion) -> str:
        return "ReadRealm" if question.shipped_digest else "this site"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_shipped = obj is not None and bool(obj.shipped_digest)
        return not is_shipped and super().has_delete_permission(request, obj)

    @admin.action(description="Ask no longer", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: Any) -> None:
        """Take questions out of use."""
        queryset.update(is_active=False)

    @admin.action(description="Ask again", permissions=["change"])
    def put_into_use(self, request: HttpRequest, queryset: Any) -> None:
        """Bring questions back into use."""
        queryset.update(is_active=True)

    # ------------------------------------------------------------------ files

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        return [
            path("import/", guard(self.import_view), name="speech_interviewquestion_import"),
            path("export/", guard(self.export_view), name="speech_interviewquestion_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """The bank as a file that can be imported again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        answer = JsonResponse(export_bank(), json_dumps_params={"indent": 1, "ensure_ascii": False})
        answer["Content-Disposition"] = 'attachment; filename="questions.json"'
        return answer

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Upload, look at what would happen, confirm."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        if request.method == "POST" and "confirmed" in request.POST:
            return self._import_confirmed(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"form": form}
        if request.method == "POST" and form.is_valid():
            context |= self._preview(form)
        return self._import_page(request, context)

    def _preview(self, form: UploadForm) -> dict[str, Any]:
        upload = form.cleaned_data["file"]
        try:
            entries = read_file(upload.name, upload.read())
        except AppError as refusal:
            form.add_error("file", str(refusal))
            return {}
        found = plan(entries)
        signed = "" if found.errors else signing.dumps(entries, salt=PREVIEW_SALT, compress=True)
        counts = [(effect, found.count(effect)) for effect in ("new", "changed", "unchanged")]
        return {"plan": found, "signed": signed, "counts": counts}

    def _import_confirmed(self, request: HttpRequest) -> HttpResponse:
        try:
            signed = request.POST["confirmed"]
            entries = signing.loads(signed, salt=PREVIEW_SALT, max_age=PREVIEW_S)
            written = carry_out(plan(entries))
        except signing.BadSignature:
            messages.error(request, "This preview does not hold any more; upload the file again.")
            return HttpResponseRedirect(reverse("admin:speech_interviewquestion_import"))
        except AppError as refusal:
            messages.error(request, f"Nothing was imported: {refusal}.")
            return HttpResponseRedirect(reverse("admin:speech_interviewquestion_import"))
        messages.success(request, f"{written} questions were written.")
        return HttpResponseRedirect(reverse("admin:speech_interviewquestion_changelist"))

    def _import_page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        page = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Import questions",
            **context,
        }
        return TemplateResponse(request, "admin/speech/interviewquestion/import.html", page)


@admin.register(InterviewResult)
class InterviewResultAdmin(admin.ModelAdmin):
    """What interviews came to: to be read, and to be deleted, but never changed."""

    list_display = ("started_at", "reader", "reason", "answered", "similarity_shown", "wpm")
    list_filter = ("reason", "stress_test", "analysis_valid", "started_at")
    list_select_related = ("user",)
    search_fields = ("session_id", "user__username", "=user__id")
    date_hierarchy = "started_at"
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("reader", "started_at", "completed_at", "reason", "stress_test")}),
        ("What it came to", {"fields": ("answered", "metrics")}),
        ("Answers", {"fields": ("answers",)}),
        ("How it was measured", {"fields": ("session_id", "heard_by", "measured_by")}),
    )
    readonly_fields = ("reader", "answered", "metrics", "answers")

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        # A page of reports would be megabytes, and a list shows none of them.
        is_list = request.resolver_match is not None and (
            request.resolver_match.url_name or ""
        ).endswith("_changelist")
        return found.defer("report") if is_list else found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(ordering="user")
    def reader(self, result: InterviewResult) -> str:
        return str(result.user) if result.user else f"guest {result.claimed_id}"

    @admin.display(description="answered")
    def answered(self, result: InterviewResult) -> str:
        return f"{result.questions_answered} of {result.questions_asked}"

    @admin.display(description="similarity", ordering="similarity")
    def similarity_shown(self, result: InterviewResult) -> str:
        return f"{result.similarity:.2f}"

    @admin.display
    def metrics(self, result: InterviewResult) -> SafeString:
        return format_html_join("\n", "<div>{}: {}</div>", result.report["metrics"].items())

    @admin.display
    def answers(self, result: InterviewResult) -> SafeString:
        return format_html_join(
            "\n",
            "<h3>{}. {}</h3><p>{}</p><p class='help'>Expected: {}</p>"
            "<p>similarity {}, key terms {}, grade {}</p>",
            (
                (
                    pair["number"],
                    pair["question"],
                    pair["answer"],
                    pair["expected_answer"],
                    pair["similarity"],
                    pair["keyword_coverage"],
                    pair["grade"],
                )
                for pair in result.report["qa_pairs"]
            ),
        )
