"""Views of the observability API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from observability import health


class DatabaseHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """How the database is."""

    status = serializers.ChoiceField(choices=[health.HEALTHY, health.UNHEALTHY])
    schema_version = serializers.CharField(
        allow_null=True, help_text="The migration applied last, as app.name."
    )
    pending_migrations = serializers.IntegerField(allow_null=True)


class WorkerHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether a worker is alive."""

    status = serializers.ChoiceField(choices=[health.HEALTHY, "missing", health.UNKNOWN])
    alive = serializers.IntegerField(required=False, help_text="Worker processes.")
    executions = serializers.IntegerField(required=False, help_text="Under way in all of them.")


class HealthSerializer(serializers.Serializer[dict[str, Any]]):
    """The state of the installation."""

    service = serializers.CharField()
    version = serializers.CharField()
    status = serializers.ChoiceField(choices=["operational", "degraded", "down"])
    database = DatabaseHealthSerializer()
    worker = WorkerHealthSerializer()
    timestamp = serializers.DateTimeField()


class HealthView(APIView):
    """`GET /api/health`: anonymous and unlimited, 503 when the database does not answer."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="health",
        tags=["health"],
        auth=[],
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    def get(self, _request: Request) -> Response:
        """The state of the service, its database and its workers."""
        reading = health.read()
        return Response(
            reading.as_dict(),
            status=503 if reading.status == "down" else 200,
            headers={"Cache-Control": "no-store"},
        )
