"""Giving the password again."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.scopes import session_only
from accounts.api.serializers.account import PasswordAgainSerializer
from accounts.api.views.bodies import validated
from accounts.reauthentication import give_password


class ReauthenticateView(APIView):
    """`POST /api/auth/reauthenticate`."""

    @session_only
    @extend_schema(
        operation_id="reauthenticate",
        tags=["auth"],
        request=PasswordAgainSerializer,
        responses={
            204: None,
            400: OpenApiResponse(description="The password is wrong."),
            403: OpenApiResponse(description="An access token has no password to give."),
        },
    )
    def post(self, request: Request) -> Response:
        """Give the password again, for the changes that answer `reauthentication_required`."""
        data = validated(PasswordAgainSerializer(data=request.data))
        give_password(request._request, request.auth, data["password"])  # noqa: SLF001
        return Response(status=204)
