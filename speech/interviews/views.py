"""The pages of the interviews: choosing one, the live one, results and their exports."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from readrealm.kernel.errors import ProviderUnavailable
from readrealm.kernel.wire import parse, plain
from speech.engines.speaker import local_speaker
from speech.interviews import history
from speech.interviews.charts import progress_drawing, progress_points
from speech.interviews.events import InterviewComplete
from speech.interviews.exports import file_name, metrics_as_csv
from speech.interviews.forms import ResultForm, StartForm
from speech.interviews.phrases import duration, listed
from speech.interviews.result_page import result_page

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A view that is always asked for anew, and says so when the relational store is away."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DatabaseError:
            return render(request, "503.html", status=503)

    decorated: View = cache_control(private=True, no_cache=True)(answer)
    return decorated


@page
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What can be chosen, and how the reader's interviews went so far."""
    options = history.start_options()
    return _start(request, options, StartForm(options))


@page
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The page on which an interview takes place; without a script it says what it needs."""
    options = history.start_options()
    form = StartForm(options, request.GET)
    if not form.is_valid():
        return _start(request, options, form, status=400)
    if not (request.user.is_authenticated or _may_guests_play()):
        login = f"{settings.LOGIN_URL}?next={reverse('speech:interviews')}"
        return HttpResponseRedirect(login)
    chosen = form.cleaned_data
    titles = {topic.name: topic.title for topic in options.topics}
    config = {
        "userId": request.user.pk,
        "topic": chosen["topic"] or None,
        "questions": chosen["questions"],
        "stress": chosen["stress"],
        "inWriting": chosen["answer"] == "writing",
        "silence": options.silence_s,
        "results": reverse("speech:interviews"),
        "voice": reverse("speech:interview-live") if _can_speak() else None,
    }
    return render(
        request,
        "speech/interview-live.html",
        {
            "config": config,
            "topic": titles.get(chosen["topic"], "All topics"),
            "chosen": chosen,
            "limit": duration(options.duration_s),
            "options": options,
        },
    )


@page
@require_safe
@login_required
def result(request: HttpRequest, session_id: str) -> HttpResponse:
    """One interview of the reader: report, charts, answers."""
    found = _result_of(request, session_id)
    return _result(request, found, past=history.past_interviews(request.user))


@page
@require_POST
@csrf_protect
def guest_result(request: HttpRequest) -> HttpResponse:
    """The result that a guest's page was told, as a page or a file; nothing of it is kept.

    ``as`` asks for a file: ``json``, ``answers`` or ``metrics``.
    """
    form = ResultForm(request.POST)
    if not form.is_valid():
        return render(request, "speech/interview-unreadable.html", status=400)
    found: InterviewComplete = form.cleaned_data["result"]
    write = EXPORTS.get(request.POST.get("as", ""))
    if write:
        return write(found)
    return _result(request, found, past=[], brought=request.POST["result"])


@page
@require_safe
@login_required
def export(request: HttpRequest, session_id: str, kind: str) -> HttpResponse:
    """One interview as a file."""
    return EXPORTS[kind](_result_of(request, session_id))


@page
@require_POST
@csrf_protect
@login_required
def delete(request: HttpRequest, session_id: str) -> HttpResponse:
    """Forget one interview of the reader."""
    if not history.delete(request.user, session_id):
        raise Http404
    return HttpResponseRedirect(reverse("speech:interviews"))


def _start(
    request: HttpRequest, options: history.StartOptions, form: StartForm, *, status: int = 200
) -> HttpResponse:
    is_known = request.user.is_authenticated
    past = history.past_interviews(request.user) if is_known else []
    titles = history.topic_titles()
    points = progress_points(past)
    context = {
        "form": form,
        "options": options,
        "limit": duration(options.duration_s),
        "may_play": is_known or _may_guests_play(),
        "past": [
            (each, listed([titles.get(name, name) for name in each.topics]) or "No answers")
            for each in past
        ],
        "points": points,
        "drawing": {"progress": progress_drawing(points)},
        "next": reverse("speech:interviews"),
    }
    return render(request, "speech/interviews.html", context, status=status)


def _result(
    request: HttpRequest,
    found: InterviewComplete,
    *,
    past: list[history.InterviewSummary],
    brought: str = "",
) -> HttpResponse:
    shown = result_page(found, titles=history.topic_titles())
    points = progress_points(past)
    context = {
        "result": shown,
        "points": points if len(points) > 1 else [],
        "drawing": {**shown.drawing, "progress": progress_drawing(points)},
        "brought": brought,
        "next": reverse("speech:interviews"),
    }
    return render(request, "speech/interview-result.html", context)


def _result_of(request: HttpRequest, session_id: str) -> InterviewComplete:
    report = history.report(request.user, session_id)
    if report is None:
        raise Http404
    return parse(InterviewComplete, report)


def _can_speak() -> bool:
    """Whether the server has a voice for questions."""
    try:
        local_speaker(settings.TTS_MODEL_PATH).check()
    except ProviderUnavailable:
        return False
    return True


def _may_guests_play() -> bool:
    return bool(settings.SOCKET_AUTH == "optional")


def _as_json(found: InterviewComplete) -> HttpResponse:
    answer = JsonResponse(plain(found), json_dumps_params={"indent": 2, "ensure_ascii": False})
    return _named(answer, file_name(found, "", "json"))


def _answers(found: InterviewComplete) -> HttpResponse:
    return _csv(history.as_csv(plain(found)), file_name(found, "answers", "csv"))


def _metrics(found: InterviewComplete) -> HttpResponse:
    return _csv(metrics_as_csv(found), file_name(found, "metrics", "csv"))


def _csv(rows: str, name: str) -> HttpResponse:
    return _named(HttpResponse(rows, content_type="text/csv; charset=utf-8; header=present"), name)


def _named(answer: HttpResponse, name: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


EXPORTS: dict[str, Callable[[InterviewComplete], HttpResponse]] = {
    "json": _as_json,
    "answers": _answers,
    "metrics": _metrics,
}
