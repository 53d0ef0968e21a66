"""`/api/admin/audit` and `/api/admin/audit.csv`: who did what, for administrators."""

from typing import Final

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from accounts.api.serializers.audit import AuditEntrySerializer
from accounts.audit.export import export
from accounts.audit.log import BY_TIME, AuditFilter
from accounts.models import Action, AuditEntry
from hummbl.api.filters import as_moment, read_filters, search_text, several
from hummbl.api.pagination import CursorPagination
from hummbl.api.permissions import ADMIN_ONLY

_TEXTS: Final = ("actor", "object", "search")
_MOMENTS: Final = ("start", "end")
PARAMETERS: Final = [
    OpenApiParameter("actor", str, description="An id, or a part of the e-mail address."),
    OpenApiParameter(
        "action",
        str,
        enum=Action.values,
        many=True,
        description="Only this action; repeat it for several.",
    ),
    OpenApiParameter("object", str, description="An id, or a part of the object's name."),
    OpenApiParameter(
        "start",
        OpenApiTypes.DATETIME,
        description="At this moment or later; without a zone it is UTC.",
    ),
    OpenApiParameter("end", OpenApiTypes.DATETIME, description="Before this moment."),
    OpenApiParameter(
        "search", str, description="In the name of who or what; or an IP address, whole."
    ),
]


class NewestFirst(CursorPagination):
    """By the moment that an entry is about."""

    order = BY_TIME


class AuditView(GenericAPIView[AuditEntry]):
    """`GET /api/admin/audit`."""

    permission_classes = ADMIN_ONLY
    serializer_class = AuditEntrySerializer
    pagination_class = NewestFirst
    queryset = AuditEntry.objects.none()

    @extend_schema(
        operation_id="admin_audit",
        summary="Read the audit log",
        tags=["admin"],
        responses=AuditEntrySerializer(many=True),
        parameters=PARAMETERS,
    )
    def get(self, request: Request) -> Response:
        """Who did what to which object and from where, newest first. Nothing can be changed."""
        page = self.paginate_queryset(_wanted(request).entries())
        return self.get_paginated_response(AuditEntrySerializer(page, many=True).data)


class AuditFileView(APIView):
    """`GET /api/admin/audit.csv`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_audit_csv",
        summary="Export the audit log",
        tags=["admin"],
        responses={
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.BINARY, description="All that the filters let through, in UTF-8."
            )
        },
        parameters=PARAMETERS,
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """As CSV. A cell that would be a formula begins with an apostrophe. The log notes it."""
        plain = request._request  # noqa: SLF001 - how it came decides how it is streamed
        return export(plain, _wanted(request), by=user_of(request))


def _wanted(request: Request) -> AuditFilter:
    chosen = read_filters(request, "action", *_TEXTS, *_MOMENTS)
    texts = {name: search_text(name, chosen[name]) for name in _TEXTS if name in chosen}
    moments = {name: as_moment(name, chosen[name]) for name in _MOMENTS if name in chosen}
    return AuditFilter(
        actor=texts.get("actor", ""),
        actions=several(request, "action", Action.values),
        object=texts.get("object", ""),
        start=moments.get("start"),
        end=moments.get("end"),
        search=texts.get("search", ""),
    )
