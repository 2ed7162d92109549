"""What somebody tells us to get an account."""

from django.contrib.auth.forms import BaseUserCreationForm, UserCreationForm, UsernameField

LONGEST_NAME = 64
"""As long as a name may be in a room; Django's own limit is longer."""


class SignUpForm(UserCreationForm):
    """A name that nobody else has, in whatever case, and a password said twice."""

    username = UsernameField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text=f"Other readers see it. Up to {LONGEST_NAME} letters, digits and @ . + - _",
    )

    class Meta(BaseUserCreationForm.Meta):
        fields = ("username",)
