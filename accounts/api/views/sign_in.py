"""Signing up, in and out."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import flows
from accounts.api.authentication import session_in_use
from accounts.api.scopes import session_only
from accounts.api.serializers.account import (
    LoginSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    TokenSerializer,
)
from accounts.api.views.bodies import validated
from accounts.api.views.public import PublicView
from accounts.models import User


def _signed_in(request: Request, user: User) -> dict[str, Any]:
    session, token = flows.open_session(request._request, user)  # noqa: SLF001
    return {"token": token, "user": user, "expires_at": session.expires_at}


class RegisterView(PublicView):
    """`POST /api/auth/register`."""

    auth_action = "register"

    @extend_schema(
        operation_id="register",
        tags=["auth"],
        auth=[],
        request=RegisterSerializer,
        responses={
            201: RegisteredSerializer,
            403: OpenApiResponse(
                description="Registration is closed (`registration_closed`), or not for addresses "
                "at this domain (`registration_domain`)."
            ),
            409: OpenApiResponse(description="The address has an account."),
        },
    )
    def post(self, request: Request) -> Response:
        """Make an account with the role user, and sign it in.

        Where the address must be verified first, `token` and `expires_at` are null: follow the link
        in the mail, then log in.
        """
        data = validated(RegisterSerializer(data=request.data))
        user = flows.sign_up(request._request, **data)  # noqa: SLF001
        answer = {"token": None, "user": user, "expires_at": None}
        if not flows.must_verify(user):
            answer = _signed_in(request, user)
        return Response(RegisteredSerializer(answer).data, status=201)


class LoginView(PublicView):
    """`POST /api/auth/login`."""

    auth_action = "login"

    @extend_schema(
        operation_id="login",
        tags=["auth"],
        auth=[],
        request=LoginSerializer,
        responses={
            200: TokenSerializer,
            401: OpenApiResponse(description="The address or the password is wrong."),
            403: OpenApiResponse(
                description="Both are right, but the address must be verified first; a link is "
                "sent (`email_unverified`)."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange an address and a password for a bearer token."""
        data = validated(LoginSerializer(data=request.data))
        user = flows.authenticate(request._request, **data)  # noqa: SLF001
        return Response(TokenSerializer(_signed_in(request, user)).data)


class LogoutView(APIView):
    """`POST /api/auth/logout`."""

    @session_only
    @extend_schema(operation_id="logout", tags=["auth"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session that this request came with."""
        flows.sign_out(request._request, session_in_use(request))  # noqa: SLF001
        return Response(status=204)
