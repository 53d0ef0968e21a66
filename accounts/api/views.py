"""Views of the accounts API."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from accounts import flows
from accounts.api.authentication import session_in_use, user_of
from accounts.api.serializers import (
    LoginSerializer,
    PasswordSerializer,
    RegisterSerializer,
    SessionSerializer,
    TokenSerializer,
    UserSerializer,
)
from accounts.models import Session, User
from hummbl.api.throttling import AuthThrottle

NO_STORE = {"Cache-Control": "no-store"}


def _validated(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _signed_in(request: Request, user: User, *, status: int) -> Response:
    session, token = flows.open_session(request._request, user)  # noqa: SLF001
    answer = {"token": token, "user": user, "expires_at": session.expires_at}
    return Response(TokenSerializer(answer).data, status=status, headers=NO_STORE)


class RegisterView(APIView):
    """`POST /api/auth/register`."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [AuthThrottle]
    auth_action = "register"

    @extend_schema(
        operation_id="register",
        tags=["auth"],
        auth=[],
        request=RegisterSerializer,
        responses={
            201: TokenSerializer,
            403: OpenApiResponse(description="Registration is closed."),
            409: OpenApiResponse(description="The address has an account."),
        },
    )
    def post(self, request: Request) -> Response:
        """Make an account with the role user, and sign it in."""
        data = _validated(RegisterSerializer(data=request.data))
        return _signed_in(request, flows.sign_up(**data), status=201)


class LoginView(APIView):
    """`POST /api/auth/login`."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [AuthThrottle]
    auth_action = "login"

    @extend_schema(
        operation_id="login",
        tags=["auth"],
        auth=[],
        request=LoginSerializer,
        responses={
            200: TokenSerializer,
            401: OpenApiResponse(description="The address or the password is wrong."),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange an address and a password for a bearer token."""
        data = _validated(LoginSerializer(data=request.data))
        user = flows.authenticate(request._request, **data)  # noqa: SLF001
        return _signed_in(request, user, status=200)


class LogoutView(APIView):
    """`POST /api/auth/logout`."""

    @extend_schema(operation_id="logout", tags=["auth"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session that this request came with."""
        flows.sign_out(request._request, session_in_use(request))  # noqa: SLF001
        return Response(status=204)


class MeView(APIView):
    """`GET, PATCH /api/auth/me`."""

    @extend_schema(operation_id="me", tags=["auth"], responses=UserSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in."""
        return Response(UserSerializer(user_of(request)).data)

    @extend_schema(
        operation_id="me_update",
        tags=["auth"],
        request=UserSerializer(partial=True),
        responses=UserSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change the name."""
        user = user_of(request)
        data = _validated(UserSerializer(user, data=request.data, partial=True))
        if "name" in data:
            user.name = data["name"]
            user.save(update_fields=["name", "updated_at"])
        return Response(UserSerializer(user).data)


class PasswordView(APIView):
    """`POST /api/auth/password`."""

    throttle_classes = [AuthThrottle]
    auth_action = "password"

    @extend_schema(
        operation_id="password_change",
        tags=["auth"],
        request=PasswordSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Change the password, and end every other session."""
        data = _validated(PasswordSerializer(data=request.data))
        flows.change_password(
            user_of(request),
            current=data["current_password"],
            new=data["new_password"],
            keep=session_in_use(request),
            request=request._request,  # noqa: SLF001
        )
        return Response(status=204)


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

    @extend_schema(operation_id="sessions", tags=["auth"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The browsers and programs that are signed in as you, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="sessions_end_others", tags=["auth"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """End every session of yours but the one that this request comes with."""
        flows.end_other_sessions(user_of(request), session_in_use(request))
        return Response(status=204)


class SessionView(APIView):
    """`DELETE /api/auth/sessions/{id}`."""

    @extend_schema(operation_id="session_end", tags=["auth"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """End one of your sessions."""
        flows.end_session(user_of(request), pk)
        return Response(status=204)
