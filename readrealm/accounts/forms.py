"""What somebody tells us to get an account."""

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    UserCreationForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from readrealm.accounts.throttling import wait_for_log_in, wait_for_sign_up, waiting_words

LONGEST_NAME = 64
"""As long as a name may be in a room; Django's own limit is longer."""

NAME_FIELD = "Name"
"""What tells readers apart, at sign-up as at log-in."""

NAME_MARKS = "@\u00a0.\u00a0+\u00a0_\u00a0-"
"""What a name may have besides letters and digits, in one line: a line may end behind a hyphen."""


GOOD_WORDS = (
    "8 characters or more. Not digits alone, nothing that many others use, and not much like your "
    "name."
)
"""What `AUTH_PASSWORD_VALIDATORS` want, in one breath."""


class ThrottledForm:
    """
    Attributes:
        wait_ms: how long to wait before the next attempt; 0 when this one counts.
    """

    wait_ms = 0

    def refuse_if_early(self, wait_ms: int) -> None:
        """
        Raises:
            ValidationError: says how long to wait.
        """
        self.wait_ms = wait_ms
        if wait_ms:
            raise ValidationError(waiting_words(wait_ms), code="throttled")


class ThrottledLogIn(ThrottledForm, AuthenticationForm):
    """An account's name and its password, tried not too often."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt before the password is looked at."""
        name = self.cleaned_data.get("username")
        if name and self.cleaned_data.get("password"):
            self.refuse_if_early(wait_for_log_in(self.request, name))
        cleaned: dict[str, Any] = super().clean()
        return cleaned


class LogInForm(ThrottledLogIn):
    """The door for readers."""

    error_messages: ClassVar[dict[str, Any]] = {
        **AuthenticationForm.error_messages,
        "invalid_login": "This name and this password do not belong together. Capitals count in "
        "both.",
    }
    username = UsernameField(
        label=NAME_FIELD,
        help_text="The one you signed up with, which other readers see.",
        widget=forms.TextInput(attrs={"autofocus": True}),
    )


class AdminLogInForm(ThrottledLogIn, AdminAuthenticationForm):
    """The door of the admin, in Django's words."""


class SignUpForm(ThrottledForm, UserCreationForm):
    """A name that nobody else has, in whatever case, and a password said twice.

    Args:
        request: whose address counts.
    """

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["password1"].help_text = GOOD_WORDS
        self.fields["password2"].help_text = "The same once more."

    def _post_clean(self) -> None:
        # Django's own checks of the password come last, here; only an account that could be
        # made counts.
        super()._post_clean()
        if not self.errors:
            try:
                self.refuse_if_early(wait_for_sign_up(self.request))
            except ValidationError as refusal:
                self.add_error(None, refusal)

    username = UsernameField(
        label=NAME_FIELD,
        max_length=LONGEST_NAME,
        help_text="Other readers see it, and you log in with it. "
        f"Up to {LONGEST_NAME} letters, digits and {NAME_MARKS}",
        error_messages={
            "unique": "Somebody has this name already. Please choose another one.",
            "invalid": f"A name has letters, digits and {NAME_MARKS} only, and no spaces.",
        },
    )

    class Meta(BaseUserCreationForm.Meta):
        fields = ("username",)
