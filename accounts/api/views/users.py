"""`/api/admin/users`: who there is, what they may do, and where they are signed in."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import sessions, users
from accounts.api.authentication import user_of
from accounts.api.scopes import session_only
from accounts.api.serializers.users import ManagedUserSerializer
from accounts.api.views.bodies import validated
from accounts.models import Role, User
from accounts.reauthentication import require_recent
from hummbl.api.filters import one_of, read_filters, search_text
from hummbl.api.permissions import ADMIN_ONLY

_FLAGS = {"true": True, "false": False}
_LAST_ADMIN = OpenApiResponse(description="`last_admin`: nobody else could administer this.")


class UsersView(GenericAPIView[User]):
    """`GET /api/admin/users`."""

    permission_classes = ADMIN_ONLY
    serializer_class = ManagedUserSerializer
    queryset = User.objects.none()

    @extend_schema(
        operation_id="admin_users",
        summary="List users",
        tags=["admin"],
        responses=ManagedUserSerializer(many=True),
        parameters=[
            OpenApiParameter("search", str, description="In the name or the e-mail address."),
            OpenApiParameter("role", str, enum=Role.values, description="Only with this role."),
            OpenApiParameter("is_active", bool, description="Only who may sign in, or may not."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Everybody who has an account, newest first."""
        chosen = read_filters(request, "search", "role", "is_active")
        found = users.find(
            search=search_text("search", chosen.get("search", "")),
            role=one_of("role", chosen["role"], Role.values) if "role" in chosen else "",
            is_active=_flag(chosen.get("is_active")),
        )
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(_shown(page))


class UserView(APIView):
    """`GET, PATCH /api/admin/users/{id}`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_user",
        summary="Get a user",
        tags=["admin"],
        responses=ManagedUserSerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """One user."""
        return Response(_shown([get_object_or_404(User, pk=pk)])[0])

    @extend_schema(
        operation_id="admin_user_update",
        summary="Change a user's role or activity",
        tags=["admin"],
        request=ManagedUserSerializer(partial=True),
        responses={200: ManagedUserSerializer, 409: _LAST_ADMIN},
    )
    @session_only
    def patch(self, request: Request, pk: UUID) -> Response:
        """A role holds from the next request on; deactivating ends every session and token."""
        user = get_object_or_404(User, pk=pk)
        require_recent(request.auth)
        data = validated(ManagedUserSerializer(user, data=request.data, partial=True))
        users.change(user, by=user_of(request), **data)
        return Response(_shown([user])[0])


class UserSessionsView(APIView):
    """`DELETE /api/admin/users/{id}/sessions`."""

    permission_classes = ADMIN_ONLY

    @extend_schema(
        operation_id="admin_user_sessions_end",
        summary="Sign a user out everywhere",
        tags=["admin"],
        responses={204: None},
    )
    @session_only
    def delete(self, request: Request, pk: UUID) -> Response:
        """End every session, yours too if the user is you. Access tokens stay."""
        user = get_object_or_404(User, pk=pk)
        require_recent(request.auth)
        sessions.end_all(user, by=user_of(request))
        return Response(status=204)


def _flag(text: str | None) -> bool | None:
    return None if text is None else _FLAGS[one_of("is_active", text, _FLAGS)]


def _shown(page: list[User]) -> list[dict[str, Any]]:
    counts = sessions.count_of([user.pk for user in page])
    return list(ManagedUserSerializer(page, many=True, context={"sessions": counts}).data)
