"""Where someone is signed in."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import sessions
from accounts.api.authentication import session_in_use, user_of
from accounts.api.scopes import session_only
from accounts.api.serializers.account import SessionSerializer
from accounts.models import Session


class SessionsView(ListAPIView[Session]):
    """`GET, DELETE /api/auth/sessions`."""

    serializer_class = SessionSerializer
    queryset = Session.objects.none()

    def get_queryset(self) -> QuerySet[Session]:
        """The user's own sessions that have not expired."""
        return Session.objects.alive().filter(user=user_of(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        """With the session in use, so that it can be marked."""
        return {**super().get_serializer_context(), "current": session_in_use(self.request).pk}

    @session_only
    @extend_schema(operation_id="sessions", tags=["auth"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The browsers and programs that are signed in as you, newest first."""
        return super().get(request, *args, **kwargs)

    @session_only
    @extend_schema(operation_id="sessions_end_others", tags=["auth"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """End every session of yours but the one that this request comes with."""
        user = user_of(request)
        sessions.end_all(user, by=user, keep=session_in_use(request))
        return Response(status=204)


class SessionView(APIView):
    """`DELETE /api/auth/sessions/{id}`."""

    @session_only
    @extend_schema(operation_id="session_end", tags=["auth"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """End one of your sessions."""
        user = user_of(request)
        sessions.end(user, pk, by=user)
        return Response(status=204)
