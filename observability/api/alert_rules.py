"""`/api/alert-rules`: what is watched."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from accounts.api.views.bodies import validated
from hummbl.api.filters import read_filters
from hummbl.api.permissions import ADMIN_ONLY
from observability.api.alert_fields import RuleSerializer
from observability.models import AlertRule

_TAKEN = OpenApiResponse(description="`name_taken`, or `too_many_rules`.")


class RulesView(GenericAPIView[AlertRule]):
    """`GET, POST /api/alert-rules`."""

    permission_classes = ADMIN_ONLY
    serializer_class = RuleSerializer
    queryset = AlertRule.objects.none()

    @extend_schema(
        operation_id="alert_rules",
        summary="List alert rules",
        tags=["alerts"],
        responses=RuleSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All rules with their last reading, newest first."""
        read_filters(request)
        page = self.paginate_queryset(_rules()) or []
        return self.get_paginated_response(RuleSerializer(page, many=True).data)

    @extend_schema(
        operation_id="alert_rule_create",
        summary="Create an alert rule",
        tags=["alerts"],
        request=RuleSerializer,
        responses={201: RuleSerializer, 409: _TAKEN},
    )
    def post(self, request: Request) -> Response:
        """Watch a registered condition, or an aggregate of a metric."""
        data = validated(RuleSerializer(data=request.data))
        rule = AlertRule.create(by=user_of(request), **data)
        return Response(RuleSerializer(rule).data, status=201)


class RuleView(APIView):
    """`GET, PATCH, DELETE /api/alert-rules/{id}`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="alert_rule",
        summary="Get an alert rule",
        tags=["alerts"],
        responses=RuleSerializer,
    )
    def get(self, _request: Request, pk: UUID) -> Response:
        """One rule."""
        return Response(RuleSerializer(get_object_or_404(_rules(), pk=pk)).data)

    @extend_schema(
        operation_id="alert_rule_update",
        summary="Change an alert rule",
        tags=["alerts"],
        request=RuleSerializer(partial=True),
        responses={200: RuleSerializer, 409: _TAKEN},
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """What the body leaves out stays. Switching a rule off ends its alert."""
        rule = get_object_or_404(_rules(), pk=pk)
        data = validated(RuleSerializer(rule, data=request.data, partial=True))
        rule.change(by=user_of(request), **data)
        return Response(RuleSerializer(get_object_or_404(_rules(), pk=pk)).data)

    @extend_schema(
        operation_id="alert_rule_delete",
        summary="Delete an alert rule",
        tags=["alerts"],
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete it for good, a ready-made one too. Its alerts stay in the history."""
        get_object_or_404(AlertRule, pk=pk).delete(by=user_of(request))
        return Response(status=204)


def _rules() -> QuerySet[AlertRule]:
    return AlertRule.objects.with_state().prefetch_related("channels")
