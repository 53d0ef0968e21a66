"""What the accounts app refuses, with the sentence for the person."""

from django.core.exceptions import ValidationError

from hummbl.errors import AppError


class AccountError(AppError):
    """A refusal of the accounts app."""

    code = "account_error"


class BadCredentials(AccountError):
    """Address and password do not fit. Says the same for unknown, wrong and deactivated."""

    status = 401
    code = "bad_credentials"

    def __init__(self) -> None:
        super().__init__(
            "The e-mail address or the password is wrong.", headers={"WWW-Authenticate": "Bearer"}
        )


class EmailTaken(AccountError):
    """The address belongs to someone already."""

    status = 409
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already. Sign in instead.")


class RegistrationClosed(AccountError):
    """The operator admits nobody new."""

    status = 403
    code = "registration_closed"

    def __init__(self) -> None:
        super().__init__("This installation does not take new accounts. Ask its administrator.")


class PasswordRefused(AccountError):
    """A password that is wrong or too weak; `path` is the field that held it."""

    def __init__(self, messages: list[str], *, path: str, code: str) -> None:
        errors = [{"path": path, "code": code, "message": message} for message in messages]
        super().__init__(" ".join(messages), code=code, details={"errors": errors})
        self.messages = messages


class WeakPassword(PasswordRefused):
    """The validators refuse the new password."""

    code = "weak_password"

    def __init__(self, error: ValidationError, *, path: str) -> None:
        super().__init__(error.messages, path=path, code=self.code)


class WrongPassword(PasswordRefused):
    """The current password, asked for again, is wrong."""

    code = "wrong_password"

    def __init__(self) -> None:
        message = "This is not your current password."
        super().__init__([message], path="current_password", code=self.code)


class SignInTooOld(AccountError):
    """The change wants the password once more."""

    status = 403
    code = "reauthentication_required"

    def __init__(self) -> None:
        super().__init__(
            "Give your password again first: you signed in more than 15 minutes ago. "
            "Programs: POST /api/auth/reauthenticate, or sign in anew."
        )


class TokenNotAllowed(AccountError):
    """An access token tries what only a person may."""

    status = 403
    code = "token_not_allowed"

    def __init__(self) -> None:
        super().__init__(
            "An access token cannot do this. Sign in with your password and try again."
        )
