"""Questions as sound over HTTP, where a page can play them."""

from django.apps import apps
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from readrealm.kernel.errors import AppError, RateLimited, StoreUnavailable, public_face


@never_cache
@require_safe
async def question(request: HttpRequest, session_id: str, number: int) -> HttpResponse:
    """The question that stands in an interview, read by the voice of the server, as WAV."""
    try:
        user = await request.auser()
        narrator = apps.get_app_config("speech").here().interviews.narrator
        sound = await narrator.question(session_id, number, account=user.pk)
    except DatabaseError:
        return _refused(StoreUnavailable())
    except AppError as error:
        return _refused(error)
    return HttpResponse(sound, content_type="audio/wav")


def _refused(error: AppError) -> HttpResponse:
    code, text = public_face(error)
    answer = JsonResponse({"code": code, "error": text}, status=error.http_status)
    if isinstance(error, RateLimited):
        answer["Retry-After"] = str(-(-error.details.get("retry_after_ms", 1_000) // 1_000))
    return answer
