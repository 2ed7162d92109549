"""Signing up, in and out: Django's own views and forms, in our words."""

from typing import Any

from django.contrib.auth import login, views
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from readrealm.accounts.forms import LogInForm, SignUpForm, ThrottledForm
from readrealm.accounts.throttling import remember_browser


class ThrottledView:
    """Says by its status as well that somebody was too fast."""

    def form_invalid(self, form: ThrottledForm) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if form.wait_ms:
            response.status_code = 429
            response["Retry-After"] = str(-(-form.wait_ms // 1000))
        return response


class LogInView(ThrottledView, views.LoginView):
    """Log in, then go where the reader came from."""

    template_name = "accounts/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_valid(self, form: LogInForm) -> HttpResponse:
        response = super().form_valid(form)
        remember_browser(self.request, response, form.cleaned_data["username"])
        return response


class LogOutView(views.LogoutView):
    """Log out; by POST only, so that no image on another page can do it."""


@method_decorator([sensitive_post_parameters(), csrf_protect, never_cache], name="dispatch")
class SignUpView(ThrottledView, RedirectURLMixin, FormView):
    """Make an account and log in with it, then go where the reader came from."""

    template_name = "accounts/signup.html"
    form_class = SignUpForm
    next_page = "chat:catalogue"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.save()
        login(self.request, user)
        response = super().form_valid(form)
        remember_browser(self.request, response, user.get_username())
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)
