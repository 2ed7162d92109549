"""What an orchestrator and a monitor ask a worker. Nothing here is for readers."""

import hmac
from http import HTTPStatus

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from readrealm.metrics.exposition import merge, render, render_presence
from readrealm.metrics.host import OWN, ask_all, peers
from readrealm.observability import REGISTRY
from readrealm.readiness import PROBES, examine


@never_cache
@require_safe
async def healthz(request: HttpRequest) -> HttpResponse:
    """This process runs; it asks nobody else."""
    return JsonResponse({"status": "ok", "worker": settings.WORKER_ID})


@never_cache
@require_safe
async def readyz(request: HttpRequest) -> HttpResponse:
    """200 when MongoDB, Valkey and the channel layer answer; else 503 and what does not.

    A worker that drains is not ready either, so that a load balancer turns to the others.
    """
    findings = await examine(PROBES)
    is_draining = apps.get_app_config("readrealm").is_draining
    is_ready = not is_draining and all(finding.is_ready for finding in findings)
    checks = {
        finding.name: {"ok": finding.is_ready, "ms": finding.took_ms}
        | ({"reason": finding.reason} if finding.reason else {})
        for finding in findings
    }
    return JsonResponse(
        {"status": _status(is_ready, is_draining), "worker": settings.WORKER_ID}
        | {"checks": checks},
        status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _status(is_ready: bool, is_draining: bool) -> str:
    return "draining" if is_draining else "ok" if is_ready else "unavailable"


@never_cache
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of every worker of this host, for whoever has METRICS_TOKEN; with ``?worker=own``
    of the worker that answers only."""
    if not _may_see_metrics(request):
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    own = render(REGISTRY, worker_id=settings.WORKER_ID)
    text = own if OWN in request.GET else await _with_others(request, own)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


async def _with_others(request: HttpRequest, own: str) -> str:
    """Our figures and those of the workers beside us, and who told none."""
    headers = {"Host": request.get_host()}
    if settings.METRICS_TOKEN is not None:
        headers["Authorization"] = f"Bearer {settings.METRICS_TOKEN}"
    others = peers(settings.RUN_DIR, besides=settings.WORKER_ID)
    told = await ask_all(others, target=f"{request.path}?{OWN}=own", headers=headers)
    workers = {settings.WORKER_ID: True} | {name: bool(text) for name, text in told.items()}
    return merge([render_presence(workers), own, *filter(None, told.values())])


def _may_see_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN is None:
        return bool(settings.DEBUG)
    offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(offered.encode(), settings.METRICS_TOKEN.encode())
