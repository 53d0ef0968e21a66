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

    def __init__(self, advice: str = "Sign in instead.") -> None:
        super().__init__(f"There is an account with this e-mail address already. {advice}")


class EmailRefused(AccountError):
    """An address that cannot be anybody's here."""

    code = "invalid"

    def __init__(self, message: str = "Enter a valid email address.") -> None:
        errors = [{"path": "email", "code": self.code, "message": message}]
        super().__init__(message, details={"errors": errors})


class DomainRefused(EmailRefused):
    """REGISTRATION_DOMAINS has not got the address's."""

    status = 403
    code = "registration_domain"

    def __init__(self, domains: list[str]) -> None:
        super().__init__(f"Only addresses at {' or '.join(domains)} are taken here.")


class EmailUnverified(AccountError):
    """The password is right, but REQUIRE_VERIFIED_EMAIL wants the address proven first."""

    status = 403
    code = "email_unverified"

    def __init__(self) -> None:
        super().__init__(
            "Your e-mail address is not verified yet. We have sent you a mail: follow its link, "
            "then sign in."
        )


class AlreadyVerified(AccountError):
    """There is nothing to verify."""

    status = 409
    code = "already_verified"

    def __init__(self) -> None:
        super().__init__("Your e-mail address is verified already.")


class InvalidLink(AccountError):
    """A link of a mail that is made up, expired, used, or of another kind: nobody learns which."""

    code = "invalid_link"

    def __init__(self) -> None:
        super().__init__(
            "This link is not valid: it was used already, it is too old, or a part of it is "
            "missing. Ask for a new one."
        )


class ChangedMeanwhile(AccountError):
    """Someone else changed the password or the address while the new password was hashed."""

    status = 409
    code = "conflict"

    def __init__(self) -> None:
        super().__init__("This account was changed at the same moment. Try again.")


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

    def __init__(self, *, path: str = "current_password") -> None:
        super().__init__(["This is not your current password."], path=path, code=self.code)


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


class LastAdmin(AccountError):
    """Nobody would be left to administer this installation."""

    status = 409
    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("This is the last active administrator. Make somebody else one first.")


class UserHasHistory(AccountError):
    """A user is to be deleted whose runs stay."""

    status = 409
    code = "user_has_history"

    def __init__(self) -> None:
        super().__init__(
            "This user has started runs, which are kept with their costs. Deactivate the user "
            "instead, or delete those runs first."
        )


class InsufficientScope(AccountError):
    """An access token lacks what the operation needs. Source: RFC 6750, section 3.1."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, missing: list[str]) -> None:
        names = " ".join(missing)
        scopes = f"scope {missing[0]}" if len(missing) == 1 else f"scopes {' and '.join(missing)}"
        super().__init__(
            f"This access token lacks the {scopes}. Make one that has it under Profile, "
            "Access tokens.",
            details={"missing": missing},
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{names}"'},
        )
