"""The one exception that a call to a model raises."""


class ProviderError(Exception):
    """A call that failed.

    ``message`` is a sentence for the user and holds no secret. ``retryable`` says whether the same
    call may succeed later, ``retry_after`` the seconds that the provider asked to wait,
    ``maybe_billed`` whether the provider may charge for the call although it failed.

    Codes: authentication, permission, not_found, bad_request, too_large, rate_limited, quota,
    overloaded, server_error, timeout, connection, truncated, outbound_refused, missing_package,
    content_filter.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retryable: bool = False,
        retry_after: float | None = None,
        maybe_billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = retryable
        self.retry_after = retry_after
        self.maybe_billed = maybe_billed
