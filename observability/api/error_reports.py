"""`POST /api/errors`: an error that a browser met. The other methods are for administrators."""

import json
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.api.views.bodies import validated
from hummbl import client
from hummbl.api.serializers import StrictSerializer, Text
from observability import errors, routes
from observability.api.telemetry import ANYBODY, BEACON_ANSWERS, BeaconView
from observability.models import Severity
from observability.telemetry import MOST_LENGTH

MOST_MESSAGE: Final = 1000
MOST_STACK: Final = 20_000


class ErrorReportSerializer(StrictSerializer):
    """An error as a page tells of it."""

    message = Text(max_length=MOST_MESSAGE)
    stack = Text(max_length=MOST_STACK, required=False, allow_blank=True, default="")
    severity = serializers.ChoiceField(
        choices=Severity.choices,
        required=False,
        default=Severity.MEDIUM,
        help_text="Of somebody who is not signed in, `critical` counts as `high`.",
    )
    context = serializers.DictField(  # type: ignore[assignment] # the class has one of that name
        required=False,
        default=dict,
        help_text="Where it happened: `page`, the path, and whatever else helps; cut to what fits.",
    )


class ErrorReports(APIView):
    """Takes reports in, as `BeaconView` does; its other methods are a subclass's own affair."""

    @extend_schema(
        operation_id="errors_report",
        tags=["errors"],
        auth=ANYBODY,
        request={"application/json": ErrorReportSerializer},
        responses=BEACON_ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Report an error that a browser met: it is grouped with others like it, and counted.

        Nobody has to be signed in, and no CSRF token is needed; but a request that names another
        site as its origin is refused.
        """
        given = validated(ErrorReportSerializer(data=request.data))
        signed_in = request.user.is_authenticated
        errors.capture_browser(
            given["message"],
            given["stack"],
            _severity(given["severity"], signed_in=signed_in),
            _context(request, given["context"]),
            request.user if signed_in else None,
        )
        return Response(status=202)

    @property
    def _is_report(self) -> bool:
        request: HttpRequest | Request | None = getattr(self, "request", None)
        return request is not None and request.method == "POST"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """How a request says who sends it."""
        if self._is_report:
            return BeaconView().get_authenticators()
        return super().get_authenticators()

    def get_permissions(self) -> Sequence[Any]:
        """Who may."""
        if self._is_report:
            return BeaconView().get_permissions()
        return super().get_permissions()

    def get_parsers(self) -> list[BaseParser]:
        """What a body is read by."""
        if self._is_report:
            return BeaconView().get_parsers()
        return super().get_parsers()

    def get_throttles(self) -> list[BaseThrottle]:
        """What counts the request."""
        if self._is_report:
            return BeaconView().get_throttles()
        return super().get_throttles()


def _severity(asked: str, *, signed_in: bool) -> str:
    """Nobody wakes an administrator without having signed in."""
    return Severity.HIGH if asked == Severity.CRITICAL and not signed_in else asked


def _context(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """What the page says, with the pattern of its address."""
    page = given.get("page", "")
    route = routes.page_of(page) if isinstance(page, str) else routes.UNMATCHED
    agent = client.user_agent(request._request)  # noqa: SLF001
    return {"route": route, "user_agent": agent} | {
        name[:MOST_LENGTH]: _short(value) for name, value in given.items()
    }


def _short(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:MOST_LENGTH]
