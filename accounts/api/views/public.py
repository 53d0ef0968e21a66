"""What the operations share that nobody has to be signed in for."""

from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from hummbl.api.throttling import AuthThrottle


class PublicView(APIView):
    """For everybody, each `auth_action` so many times a minute; who sends it is not looked at."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [AuthThrottle]
