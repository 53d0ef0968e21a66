"""Who is signed in."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import addresses, flows
from accounts.api.authentication import session_in_use, user_of
from accounts.api.scopes import session_only
from accounts.api.serializers.account import PasswordSerializer, UserSerializer
from accounts.api.views.bodies import validated
from accounts.models import User
from accounts.reauthentication import require_recent
from hummbl.api.throttling import AuthThrottle
from hummbl.ratelimit import check_auth


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
        responses={
            200: UserSerializer,
            409: OpenApiResponse(description="The address has an account."),
        },
    )
    def patch(self, request: Request) -> Response:
        """Change the name or the e-mail address.

        Another address wants a recent sign-in, and is unverified until the link in the mail that
        is sent there was followed.
        """
        user = user_of(request)
        data = validated(UserSerializer(user, data=request.data, partial=True))
        if "email" in data:
            _change_address(request, user, data["email"])
        if "name" in data:
            user.name = data["name"]
            user.save(update_fields=["name", "updated_at"])
        return Response(UserSerializer(user).data)


def _change_address(request: Request, user: User, address: str) -> None:
    require_recent(request.auth)
    # By the user and not by the address, which may be another one each time.
    check_auth(request._request, "email", str(user.pk))  # noqa: SLF001
    addresses.change(request._request, user, address)  # noqa: SLF001


class PasswordView(APIView):
    """`POST /api/auth/password`."""

    throttle_classes = [AuthThrottle]
    auth_action = "password"

    @session_only
    @extend_schema(
        operation_id="password_change",
        tags=["auth"],
        request=PasswordSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Change the password; every other session ends, and access tokens are deleted."""
        data = validated(PasswordSerializer(data=request.data))
        flows.change_password(
            user_of(request),
            current=data["current_password"],
            new=data["new_password"],
            keep=session_in_use(request),
            request=request._request,  # noqa: SLF001
        )
        return Response(status=204)
