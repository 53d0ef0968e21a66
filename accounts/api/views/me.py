"""Who is signed in."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import flows
from accounts.api.authentication import session_in_use, user_of
from accounts.api.serializers import PasswordSerializer, UserSerializer
from accounts.api.views.bodies import validated
from hummbl.api.throttling import AuthThrottle


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
        data = validated(UserSerializer(user, data=request.data, partial=True))
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
        data = validated(PasswordSerializer(data=request.data))
        flows.change_password(
            user_of(request),
            current=data["current_password"],
            new=data["new_password"],
            keep=session_in_use(request),
            request=request._request,  # noqa: SLF001
        )
        return Response(status=204)
