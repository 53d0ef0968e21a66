"""How the installation is, for balancers, monitors and whoever is woken up by them."""

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
    applied_migrations = serializers.IntegerField(allow_null=True)
    pending_migrations = serializers.IntegerField(allow_null=True)


class WorkerHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether a worker is alive."""

    status = serializers.ChoiceField(choices=[health.HEALTHY, "missing", health.UNKNOWN])
    alive = serializers.IntegerField(required=False, help_text="Worker processes.")
    executions = serializers.IntegerField(required=False, help_text="Under way in all of them.")


class QueueHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether the workers keep up."""

    status = serializers.ChoiceField(choices=[health.HEALTHY, "behind", health.UNKNOWN])
    waiting = serializers.IntegerField(required=False, help_text="Executions without a worker.")
    lag = serializers.FloatField(
        required=False, help_text="Seconds that the oldest of them has waited."
    )


class DiskHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether there is room."""

    status = serializers.ChoiceField(choices=[health.HEALTHY, "low", health.UNKNOWN])
    free = serializers.FloatField(required=False, help_text="Share of the volume, 0 to 1.")


class EncryptionHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether stored secrets can be read."""

    status = serializers.ChoiceField(choices=[health.HEALTHY, "unreadable", health.UNKNOWN])
    unreadable = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="Secrets whose key is not in force; null when the keys themselves are wrong.",
    )


class HealthSerializer(serializers.Serializer[dict[str, Any]]):
    """The state of the installation."""

    service = serializers.CharField()
    version = serializers.CharField()
    status = serializers.ChoiceField(choices=[health.OPERATIONAL, health.DEGRADED, health.DOWN])
    database = DatabaseHealthSerializer()
    worker = WorkerHealthSerializer()
    queue = QueueHealthSerializer()
    disk = DiskHealthSerializer()
    encryption = EncryptionHealthSerializer()
    timestamp = serializers.DateTimeField()


class LiveSerializer(serializers.Serializer[dict[str, Any]]):
    """That the process answers."""

    status = serializers.ChoiceField(choices=["live"])


class ReadySerializer(serializers.Serializer[dict[str, Any]]):
    """Whether requests should be sent here."""

    status = serializers.ChoiceField(choices=["ready", "not_ready"])
    database = DatabaseHealthSerializer()


class _Open(APIView):
    """For everybody, unlimited, and kept by nobody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    def answer(self, body: dict[str, Any], *, well: bool = True) -> Response:
        """200, or 503 where a balancer should look elsewhere."""
        return Response(body, status=200 if well else 503, headers={"Cache-Control": "no-store"})


class HealthView(_Open):
    """`GET /api/health`: 503 when the database does not answer."""

    @extend_schema(
        operation_id="health",
        tags=["health"],
        auth=[],
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    def get(self, _request: Request) -> Response:
        """The state of the service, its database and its workers, at most a second old."""
        reading = health.read()
        return self.answer(reading.as_dict(), well=reading.status != health.DOWN)


class LiveView(_Open):
    """`GET /api/health/live`: 200 as long as the process answers at all."""

    @extend_schema(
        operation_id="health_live", tags=["health"], auth=[], responses={200: LiveSerializer}
    )
    def get(self, _request: Request) -> Response:
        """Whether the process answers. It looks at nothing else: a new one would find the same."""
        return self.answer({"status": "live"})


class ReadyView(_Open):
    """`GET /api/health/ready`: 503 while the database is away or its migrations are pending."""

    @extend_schema(
        operation_id="health_ready",
        tags=["health"],
        auth=[],
        responses={200: ReadySerializer, 503: ReadySerializer},
    )
    def get(self, _request: Request) -> Response:
        """Whether requests should be sent here: the database answers and is migrated."""
        database = health.database()
        ready = health.is_ready(database)
        body = {"status": "ready" if ready else "not_ready", "database": database}
        return self.answer(body, well=ready)
