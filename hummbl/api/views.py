"""The description of the API, and what it answers where no app has a route."""

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hummbl.api.renderers import JSONRenderer


class UnknownRouteView(APIView):
    """404 in JSON for every method of every other address below /api/."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the request, then refuse it, whatever its method."""
        self.check_throttles(request)
        raise NotFound


class _ErrorsInJson(APIView):
    """A view that answers with something else than JSON, but refuses in it like all others."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """The answer; a refusal in our envelope and in JSON."""
        if response.status_code >= 400:
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


class SchemaView(_ErrorsInJson, SpectacularAPIView):
    """`GET /api/schema`: the API as OpenAPI 3 describes it."""


class DocsView(_ErrorsInJson, SpectacularSwaggerSplitView):
    """`GET /api/docs`: the same for people."""
