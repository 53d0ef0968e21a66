"""The one kind of error that a person is meant to read."""

from collections.abc import Mapping
from typing import Any, ClassVar


class AppError(Exception):
    """A refusal that carries a sentence for the user and a status for the client.

    Apps subclass it; the API's exception handler and the pages turn it into an answer in one
    place. `details` goes to API clients as it is, so it holds nothing secret.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = code or self.code
        self.status_code = status or self.status
        self.details = dict(details or {})
        self.headers = dict(headers or {})


class InvalidField(AppError):
    """Something cannot be stored as it was given; `path` names the field that holds the reason."""

    def __init__(self, path: str, message: str) -> None:
        errors = [{"path": path, "code": "invalid", "message": message}]
        super().__init__(message, details={"errors": errors})


class NotFound(AppError):
    """There is no such object, or no longer: it was deleted while the request was under way."""

    status = 404
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is nothing at this address, or it is not yours to see.")


class Conflict(AppError):
    """The request is well formed, but the object's state forbids it."""

    status = 409
    code = "conflict"


class Forbidden(AppError):
    """The user may see the object, but not do this to it."""

    status = 403
    code = "forbidden"


class ReadOnlyRole(Forbidden):
    """A viewer wants to write."""

    code = "read_only_role"
    sentence = "Your role is viewer: you can read what is shared with everyone, but change nothing."

    def __init__(self) -> None:
        super().__init__(self.sentence)
