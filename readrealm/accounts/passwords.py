"""What a password may not be, in the words of our pages."""

from django.contrib.auth.password_validation import UserAttributeSimilarityValidator


class SimilarityValidator(UserAttributeSimilarityValidator):
    """Refuses a password that is much like the reader's name."""

    def get_error_message(self) -> str:
        return "The password is too similar to your name."
