"""`/api/errors`: what broke, for administrators; `POST` there is a browser's report."""

from typing import Any, Final
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from accounts.api.views.bodies import validated
from hummbl.api.filters import one_of, read_filters, search_text
from hummbl.api.pagination import CursorPagination
from hummbl.api.permissions import ADMIN_ONLY
from observability.api.error_answers import (
    ErrorGroupDetailSerializer,
    ErrorGroupSerializer,
    ResolveSerializer,
)
from observability.api.error_reports import ErrorReports
from observability.errors import trend
from observability.errors.filters import LATEST, ORDERS, ErrorFilter
from observability.models import ErrorGroup, ErrorSource, ErrorStatus
from observability.models.severity import Severity

REPORTS_SHOWN: Final = 10
_CHOICES: Final = {
    "status": ErrorStatus.values,
    "severity": Severity.values,
    "source": ErrorSource.values,
    "sort": list(ORDERS),
}


class ErrorsView(ErrorReports, GenericAPIView[ErrorGroup]):
    """`GET, POST /api/errors`."""

    permission_classes = ADMIN_ONLY
    serializer_class = ErrorGroupSerializer
    queryset = ErrorGroup.objects.none()

    @extend_schema(
        operation_id="errors",
        summary="List errors",
        tags=["errors"],
        responses=ErrorGroupSerializer(many=True),
        parameters=[
            OpenApiParameter("status", str, enum=ErrorStatus.values),
            OpenApiParameter("severity", str, enum=Severity.values),
            OpenApiParameter("source", str, enum=ErrorSource.values),
            OpenApiParameter("q", str, description="In title or place; or a request's id, whole."),
            OpenApiParameter(
                "sort", str, enum=list(ORDERS), default=LATEST, description="The greatest first."
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """Errors in groups of the same, those that happened last first."""
        given = read_filters(request, *_CHOICES, "q")
        for name in given.keys() & _CHOICES.keys():
            one_of(name, given[name], _CHOICES[name])
        wanted = ErrorFilter(
            status=given.get("status", ""),
            severity=given.get("severity", ""),
            source=given.get("source", ""),
            search=search_text("q", given.get("q", "")),
        )
        paginator = CursorPagination()
        paginator.order = ORDERS[given.get("sort", LATEST)]
        page = paginator.paginate_queryset(wanted.groups(), request, self)
        return paginator.get_paginated_response(ErrorGroupSerializer(page, many=True).data)


class ErrorView(APIView):
    """`GET /api/errors/{id}`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="error",
        summary="Get an error",
        tags=["errors"],
        responses=ErrorGroupDetailSerializer,
    )
    def get(self, _request: Request, pk: UUID) -> Response:
        """One group, with why it is one, its last seven days by hour, and its latest reports."""
        return Response(_shown(get_object_or_404(ErrorGroup, pk=pk)))


class ResolveView(APIView):
    """`POST /api/errors/{id}/resolve`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="error_resolve",
        summary="Resolve an error",
        tags=["errors"],
        request=ResolveSerializer,
        responses={
            200: ErrorGroupDetailSerializer,
            409: OpenApiResponse(description="It is resolved already."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Say that it is mended. If it happens again it is open again, and `regressed`."""
        group = get_object_or_404(ErrorGroup, pk=pk)
        body = validated(ResolveSerializer(data=request.data))
        group.resolve(by=user_of(request), in_next_release=body["in_next_release"])
        return Response(_shown(group))


class IgnoreView(APIView):
    """`POST /api/errors/{id}/ignore`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="error_ignore",
        summary="Ignore an error",
        tags=["errors"],
        request=None,
        responses={
            200: ErrorGroupDetailSerializer,
            409: OpenApiResponse(description="It is ignored already."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Count it further, but never open it again."""
        group = get_object_or_404(ErrorGroup, pk=pk)
        group.ignore(by=user_of(request))
        return Response(_shown(group))


class ReopenView(APIView):
    """`POST /api/errors/{id}/reopen`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="error_reopen",
        summary="Reopen an error",
        tags=["errors"],
        request=None,
        responses={
            200: ErrorGroupDetailSerializer,
            409: OpenApiResponse(description="It is open already."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Say that somebody has to look at it after all."""
        group = get_object_or_404(ErrorGroup, pk=pk)
        group.reopen(by=user_of(request))
        return Response(_shown(group))


def _shown(group: ErrorGroup) -> dict[str, Any]:
    shown: Any = group
    shown.shown_hours = trend.hours_of(group)
    shown.shown_reports = group.reports.all()[:REPORTS_SHOWN]
    return dict(ErrorGroupDetailSerializer(group).data)
