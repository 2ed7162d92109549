"""Export and erasure of one reader's data from the admin, after a look at how much there is."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable
from typing import IO, Any, TypeVar

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode

from chat.events import LONGEST_USER_ID
from readrealm import reader_data
from readrealm.credentials import account_of
from readrealm.kernel.errors import AppError, StoreUnavailable
from readrealm.reader_data import Reader

T = TypeVar("T")

DEADLINE_S = 20.0
"""For one request. An erasure that takes longer is gone on with by the next one."""

IN_MEMORY_BYTES = 1 << 20
"""Of an export; a longer one goes through a temporary file."""

CONFIRMATION = "erase"
"""What is typed to confirm."""


def reader_page(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """What is kept about the reader of ``?id=`` (of a guest with ``&guest=1``); a POST exports or
    erases it.

    Raises:
        PermissionDenied: neither may this user do.
        StoreUnavailable: no answer in time.
    """
    may_export = request.user.has_perm("chat.export_reader")
    may_erase = request.user.has_perm("chat.erase_reader")
    if not may_export and not may_erase:
        raise PermissionDenied
    reader = _reader(request)
    if request.method == "POST":
        if request.POST.get("do") == "export" and may_export:
            return _export(reader)
        if request.POST.get("do") == "erase" and may_erase:
            return _erase(model_admin, request, reader)
        raise PermissionDenied
    account = _account(reader)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Data of {account.get_username()}" if account else "Data of a guest",
        "opts": model_admin.opts,
        "media": model_admin.media,
        "reader": reader,
        "account": account,
        "holdings": _run(reader_data.holdings(reader)),
        "may_export": may_export,
        "may_erase": may_erase,
        "may_close": account is not None
        and not account.is_staff
        and request.user.has_perm("auth.delete_user"),
        "confirmation": CONFIRMATION,
    }
    return TemplateResponse(request, "admin/chat/chatmessage/reader.html", context)


def address_of(base: str, *, user_id: str, is_guest: bool) -> str:
    """Where the page of a reader is."""
    return f"{base}?{urlencode({'id': user_id, **({'guest': 1} if is_guest else {})})}"


def _reader(request: HttpRequest) -> Reader:
    user_id = request.GET.get("id", "")
    if not 1 <= len(user_id) <= LONGEST_USER_ID:
        raise Http404
    return Reader(user_id, is_guest=request.GET.get("guest") == "1")


def _account(reader: Reader) -> Any:
    if reader.is_guest:
        return None
    is_key = reader.user_id.isascii() and reader.user_id.isdecimal() and len(reader.user_id) < 19
    found = get_user_model().objects.filter(pk=int(reader.user_id)).first() if is_key else None
    if found is None:
        raise Http404
    return found


def _export(reader: Reader) -> HttpResponse:
    _account(reader)
    out: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  the answer closes it
    _run(reader_data.export(reader, lambda piece: out.write(piece.encode())))
    out.seek(0)
    name = "".join(letter if letter.isalnum() else "-" for letter in reader.user_id)
    return FileResponse(
        out,
        as_attachment=True,
        filename=f"reader-{name}.json",
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _erase(model_admin: ModelAdmin, request: HttpRequest, reader: Reader) -> HttpResponse:
    here = HttpResponseRedirect(request.get_full_path())
    if request.POST.get("confirmation", "").strip().lower() != CONFIRMATION:
        text = f"Type “{CONFIRMATION}” to confirm. Nothing was erased."
        model_admin.message_user(request, text, messages.ERROR)
        return here
    closes = request.POST.get("close") == "yes"
    if closes and not request.user.has_perm("auth.delete_user"):
        raise PermissionDenied
    erased: Counter[str] = Counter()

    def progress(kind: str, count: int) -> None:
        erased[kind] += count

    try:
        _run(
            reader_data.erase(
                reader, by=account_of(request.user), closes_account=closes, progress=progress
            )
        )
    except StoreUnavailable:
        text = f"{erased.total()} records erased; there are more. Erase again to go on."
        model_admin.message_user(request, text, messages.WARNING)
        return here
    except AppError as refusal:
        model_admin.message_user(request, f"Not erased: {refusal}.", messages.ERROR)
        return here
    text = f"{erased.total()} records erased." if erased else "There was nothing to erase."
    model_admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect("../") if closes else here


def _run(work: Awaitable[T]) -> T:
    """
    Raises:
        StoreUnavailable: it did not end within `DEADLINE_S`.
    """

    async def bounded() -> T:
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await work
        except TimeoutError:
            raise StoreUnavailable from None

    done: T = async_to_sync(bounded)()
    return done
