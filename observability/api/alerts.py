"""`/api/alerts` and `/api/alert-silences`: what happened, and when nobody is told."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from accounts.api.views.bodies import validated
from hummbl.api.filters import as_uuid, one_of, read_filters
from hummbl.api.permissions import ADMIN_ONLY
from observability.api.alert_fields import (
    AlertDetailSerializer,
    AlertSerializer,
    SilenceSerializer,
)
from observability.models import Alert, AlertState, Severity, Silence


class AlertsView(GenericAPIView[Alert]):
    """`GET /api/alerts`."""

    permission_classes = ADMIN_ONLY
    serializer_class = AlertSerializer
    queryset = Alert.objects.none()

    @extend_schema(
        operation_id="alerts",
        summary="List alerts",
        tags=["alerts"],
        responses=AlertSerializer(many=True),
        parameters=[
            OpenApiParameter("state", str, enum=AlertState.values),
            OpenApiParameter("severity", str, enum=Severity.values),
            OpenApiParameter("rule_id", UUID, description="Only of this rule."),
        ],
    )
    def get(self, request: Request) -> Response:
        """What fires, what is pending and what is over, newest first."""
        chosen = read_filters(request, "state", "severity", "rule_id")
        found = Alert.objects.find(
            state=one_of("state", chosen["state"], AlertState.values) if "state" in chosen else "",
            severity=one_of("severity", chosen["severity"], Severity.values)
            if "severity" in chosen
            else "",
            rule=as_uuid("rule_id", chosen["rule_id"]) if "rule_id" in chosen else None,
        )
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(AlertSerializer(page, many=True).data)


class AlertView(APIView):
    """`GET /api/alerts/{id}`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="alert",
        summary="Get an alert",
        tags=["alerts"],
        responses=AlertDetailSerializer,
    )
    def get(self, _request: Request, pk: UUID) -> Response:
        """One alert, with every message about it."""
        alert = get_object_or_404(Alert.objects.prefetch_related("deliveries"), pk=pk)
        return Response(AlertDetailSerializer(alert).data)


class SilencesView(GenericAPIView[Silence]):
    """`GET, POST /api/alert-silences`."""

    permission_classes = ADMIN_ONLY
    serializer_class = SilenceSerializer
    queryset = Silence.objects.none()

    @extend_schema(
        operation_id="alert_silences",
        summary="List silences",
        tags=["alerts"],
        responses=SilenceSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Those that hold and those that will, newest first."""
        read_filters(request)
        page = self.paginate_queryset(Silence.objects.not_over()) or []
        return self.get_paginated_response(SilenceSerializer(page, many=True).data)

    @extend_schema(
        operation_id="alert_silence_create",
        summary="Silence alerts",
        tags=["alerts"],
        request=SilenceSerializer,
        responses={201: SilenceSerializer},
    )
    def post(self, request: Request) -> Response:
        """Have nobody told of one rule's alerts, or of any; the history has them all the same."""
        data = validated(SilenceSerializer(data=request.data))
        silence = Silence.create(by=user_of(request), **data)
        return Response(SilenceSerializer(silence).data, status=201)


class SilenceView(APIView):
    """`DELETE /api/alert-silences/{id}`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="alert_silence_end",
        summary="End a silence",
        tags=["alerts"],
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Let it be over now."""
        get_object_or_404(Silence, pk=pk).end(by=user_of(request))
        return Response(status=204)
