"""What the API answers where no app has a route."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


class UnknownRouteView(APIView):
    """404 in JSON for every method of every other address below /api/."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the request, then refuse it, whatever its method."""
        self.check_throttles(request)
        raise NotFound
