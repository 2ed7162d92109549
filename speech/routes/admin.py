"""Voice sessions and their recordings in Django's admin: listed, read, heard and forgotten."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from readrealm.document_admin import DocumentQuerySet, answered_in_time
from readrealm.document_admin.filters import ChoiceFilter, SinceFilter
from readrealm.document_admin.model_admin import DocumentAdmin, says_when_away
from speech.routes.archive import archive
from speech.routes.recording_files import HEADER_BYTES, wav_header
from speech.routes.records import ACCOUNT, VoiceSessionRecord

GUEST = mark_safe('<span class="quiet">guest</span>')

MOST_AT_ONCE = 100
LONGEST_SEARCH = 128


class StateFilter(ChoiceFilter):
    """Whether a session goes on."""

    title, parameter_name, lookup = "state", "state", "state"
    values = tuple((str(value), str(label)) for value, label in VoiceSessionRecord.States.choices)


class TimeFilter(SinceFilter):
    """When a session started."""

    title, parameter_name, lookup = "started", "since", "started_at__gte"
    windows: ClassVar[dict[str, tuple[str, timedelta]]] = {
        "1d": ("last 24 hours", timedelta(days=1)),
        "7d": ("last 7 days", timedelta(days=7)),
        "30d": ("last 30 days", timedelta(days=30)),
    }


@admin.action(description="Forget with transcripts and recordings", permissions=["delete"])
def forget(model_admin: Any, request: HttpRequest, queryset: DocumentQuerySet) -> None:
    """Delete sessions that are over, with everything that belongs to them."""
    chosen = list(queryset[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        text = f"Choose at most {MOST_AT_ONCE} sessions. Nothing was changed."
        model_admin.message_user(request, text, messages.ERROR)
        return
    over = [each for each in chosen if each.state == VoiceSessionRecord.States.ENDED]
    count = archive().forget([each.pk for each in over])
    for each in over:
        model_admin.log_deletions(request, [each])
    model_admin.message_user(request, f"{count} forgotten.", messages.SUCCESS)
    if len(over) < len(chosen):
        model_admin.message_user(
            request, f"{len(chosen) - len(over)} still going on, left as they are.", messages.INFO
        )


@admin.action(description="Delete recordings, keep transcripts", permissions=["delete"])
def delete_recordings(model_admin: Any, request: HttpRequest, queryset: DocumentQuerySet) -> None:
    """Delete the sound of sessions, and nothing else."""
    chosen = list(queryset[:MOST_AT_ONCE])
    count = sum(archive().delete_recordings(each.pk) for each in chosen)
    recordings = "recording" if count == 1 else "recordings"
    model_admin.message_user(request, f"{count} {recordings} deleted.", messages.SUCCESS)


@admin.register(VoiceSessionRecord)
class VoiceSessionAdmin(DocumentAdmin):
    """Sessions are neither added nor edited here; those that are over can be forgotten."""

    list_display = ("started_at", "id", "owner", "state_badge", "duration", "stream_count")
    list_display_links = ("started_at", "id")
    list_filter = (StateFilter, TimeFilter)
    actions = (forget, delete_recordings)
    sortable_by = ("started_at",)
    ordering = ("-started_at",)
    search_fields = ("id",)  # shows the box; `get_search_results` says what it does
    search_help_text = f"The beginning of a session id, or {ACCOUNT}id for those of one account"
    fields = ("id", "owner", "state_badge", "started_at", "ended_at", "ended_by", "metadata")
    readonly_fields = fields
    change_form_template = "admin/speech/voicesessionrecord/change_form.html"
    away_title = "The store of voice sessions does not answer"
    away_template = "admin/speech/voicesessionrecord/store_away.html"

    def may_listen(self, request: HttpRequest) -> bool:
        """Whether the user may hear recordings."""
        return bool(request.user.has_perm("speech.listen_to_recording"))

    def get_search_results(
        self, request: HttpRequest, queryset: DocumentQuerySet, search_term: str
    ) -> tuple[DocumentQuerySet, bool]:
        term = search_term.strip()[:LONGEST_SEARCH]
        if term.startswith(ACCOUNT):
            return queryset.filter(account=term.removeprefix(ACCOUNT).strip()), False
        return (queryset.filter(prefix=term) if term else queryset), False

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # ------------------------------------------------------------------ pages

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.recording_view)
        address = "<str:session_id>/recordings/<int:number>.wav"
        return [path(address, view, name="speech_recording"), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        session, kept = context["original"], archive()
        with answered_in_time():
            about = {
                "texts": kept.texts(session.pk),
                "streams": kept.streams(session.pk),
                "recordings": self._recordings(session) if self.may_listen(request) else [],
                "may_listen": self.may_listen(request),
                "show_delete": False,
            }
        return super().render_change_form(request, context | about, *args, **kwargs)

    def _recordings(self, session: VoiceSessionRecord) -> list[dict[str, Any]]:
        return [
            {
                "number": recording.metadata["stream"],
                "bytes": recording.length,
                "address": reverse(
                    "admin:speech_recording", args=[session.pk, recording.metadata["stream"]]
                ),
            }
            for recording in archive().recordings(session.pk)
            if recording.metadata is not None
        ]

    @says_when_away
    def recording_view(
        self, request: HttpRequest, session_id: str, number: int
    ) -> HttpResponseBase:
        """The sound of one stream; every listening is logged."""
        if not self.may_listen(request):
            raise PermissionDenied
        with answered_in_time():
            session = get_session(session_id)
            recording = archive().recording(f"{session_id}/{number}")
        if recording is None:
            raise Http404
        self.log_change(request, session, f"Listened to recording {number}.")
        recording.seek(HEADER_BYTES)
        sound = _Sound(wav_header(recording.length - HEADER_BYTES), recording)
        return FileResponse(sound, content_type="audio/wav", filename=f"{number}.wav")

    # ------------------------------------------------------------------ columns

    @admin.display(description="Owner")
    def owner(self, session: VoiceSessionRecord) -> SafeString:
        if not session.is_account:
            return GUEST
        address = reverse("admin:auth_user_change", args=[session.owner_id])
        return format_html('<a href="{}">reader {}</a>', address, session.owner_id)

    @admin.display(description="State")
    def state_badge(self, session: VoiceSessionRecord) -> str:
        label: str = session.get_state_display()
        return label

    @admin.display(description="Lasted")
    def duration(self, session: VoiceSessionRecord) -> str:
        seconds = int(((session.ended_at or timezone.now()) - session.started_at).total_seconds())
        return f"{seconds // 60}:{seconds % 60:02d}"


def get_session(session_id: str) -> VoiceSessionRecord:
    """One session, or a page that is not there."""
    try:
        found: VoiceSessionRecord = VoiceSessionRecord.objects.get(pk=session_id)
    except VoiceSessionRecord.DoesNotExist:
        raise Http404 from None
    return found


class _Sound:
    """A recording behind a header that knows its length; closed by the response."""

    def __init__(self, header: bytes, recording: Any) -> None:
        self._head, self._recording = header, recording

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or bytes(self._recording.read(size))

    def close(self) -> None:
        self._recording.close()
