"""What browsers send: events in batches, and errors."""

from typing import Any, Final

from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import BearerAuthentication, CookieAuthentication
from accounts.api.views.bodies import validated
from hummbl.api.parsers import StrictJSONParser
from hummbl.api.serializers import StrictSerializer, Text
from hummbl.api.throttling import TelemetryThrottle
from hummbl.errors import Forbidden
from observability import telemetry

# --- Who may send, and in what form -------------------------------------------------------------


class BeaconJSONParser(StrictJSONParser):
    """JSON of at most 64 KB, which is what `sendBeacon` takes."""

    most_kilobytes = 64


class BeaconTextParser(BeaconJSONParser):
    """The same, called text as `sendBeacon` calls a string."""

    media_type = "text/plain"


class BeaconCookieAuthentication(CookieAuthentication):
    """The browser's session without a CSRF token, which `sendBeacon` cannot carry.

    For operations behind `SameOrigin` that change nothing of the user's.
    """

    def enforce_csrf(self, request: Request) -> None:
        """Nothing is asked for."""


class _Origins(CsrfViewMiddleware):
    """Django's opinion on which origins are ours: this one, and `CSRF_TRUSTED_ORIGINS`."""

    def includes_that_of(self, request: Request) -> bool:
        """Whether the request's `Origin` is one of them."""
        return bool(self._origin_verified(request._request))  # type: ignore[attr-defined]  # noqa: SLF001


class SameOrigin(BasePermission):
    """Pages of our own, and programs, which name no origin."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True. Raises Forbidden for a page of another site, whoever is signed in there."""
        if "Origin" in request.headers:
            foreign = not _Origins(lambda _request: HttpResponse()).includes_that_of(request)
        else:
            foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
        if foreign:
            raise Forbidden("Only our own pages may send this.", code="foreign_origin")
        return True


# In the OpenAPI document: nobody has to be signed in.
ANYBODY: Final[Any] = [{"bearer": []}, {"cookie": []}, {}]
BEACON_ANSWERS: Final[Any] = {
    202: None,
    401: OpenApiResponse(description="A token was sent, and is wrong or expired."),
    403: OpenApiResponse(
        description="`foreign_origin`: another site's page sends it; or the token lacks `write`."
    ),
    413: OpenApiResponse(description="The body is larger than 64 KB."),
}


class BeaconView(APIView):
    """For everybody, from our own pages, so many times a minute."""

    authentication_classes = [BearerAuthentication, BeaconCookieAuthentication]
    parser_classes = [BeaconJSONParser, BeaconTextParser]
    permission_classes = [AllowAny, SameOrigin]
    throttle_classes = [TelemetryThrottle]


# --- Events -------------------------------------------------------------------------------------


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": telemetry.MOST_PROPS,
        "additionalProperties": {
            "anyOf": [
                {"type": "string", "maxLength": telemetry.MOST_LENGTH},
                {"type": "number"},
                {"type": "boolean"},
            ]
        },
    }
)
class PropsField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A few short values by name."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The values as they are. Raises ValidationError."""
        if not isinstance(data, dict) or len(data) > telemetry.MOST_PROPS:
            raise serializers.ValidationError(
                f"This is an object of at most {telemetry.MOST_PROPS} values."
            )
        for name, value in data.items():
            if not isinstance(value, str | bool | int | float):
                raise serializers.ValidationError("Values are texts, numbers and booleans.")
            if max(len(name), len(value) if isinstance(value, str) else 0) > telemetry.MOST_LENGTH:
                raise serializers.ValidationError(
                    f"Names and texts have at most {telemetry.MOST_LENGTH} characters."
                )
        return data


class TypeField(serializers.ChoiceField):
    """One of `telemetry.TYPES`, or another word for it."""

    def to_internal_value(self, data: Any) -> str:
        """The type by our own word. Raises ValidationError."""
        known = telemetry.SYNONYMS.get(data, data) if isinstance(data, str) else data
        return str(super().to_internal_value(known))


class EventSerializer(StrictSerializer):
    """Something that happened on a page."""

    type = TypeField(choices=telemetry.TYPES)
    name = Text(
        max_length=telemetry.MOST_LENGTH,
        help_text="Of a view the page's path, of a vital LCP, INP, CLS, FCP or TTFB.",
    )
    props = PropsField(
        required=False,
        default=dict,
        help_text=(
            "Of a view: `referrer`, the host that led to it. Of a vital: `value`, times in "
            "seconds, and `page`, the path. Of an event whatever you like; it is not kept."
        ),
    )
    at = serializers.DateTimeField(
        required=False, help_text="By the browser's clock. An event is counted when it arrives."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The event, if it makes sense."""
        if problem := telemetry.problem_of(attrs):
            raise serializers.ValidationError(problem)
        return attrs


class TelemetrySerializer(StrictSerializer):
    """A batch of events."""

    # The stubs do not know what a list of serializers takes.
    events = EventSerializer(many=True, max_length=telemetry.MOST_EVENTS)  # type: ignore[call-arg]


class TelemetryView(BeaconView):
    """`POST /api/telemetry`: what pages tell of themselves."""

    @extend_schema(
        operation_id="telemetry_send",
        tags=["telemetry"],
        auth=ANYBODY,
        request={"application/json": TelemetrySerializer},
        responses=BEACON_ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Count what a page tells of itself: views, events and Web Vitals, as metrics.

        Nothing is kept of who sent it. Nobody has to be signed in, and no CSRF token is needed; but
        a request that names another site as its origin is refused.
        """
        events = validated(TelemetrySerializer(data=request.data))["events"]
        telemetry.count(events, signed_in=request.user.is_authenticated)
        return Response(status=202)
