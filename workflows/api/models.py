"""`/api/models`: what an agent may name."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workflows.api.answers import ModelList, model_answer
from workflows.providers import catalogue


class ModelListView(APIView):
    """The catalogue."""

    @extend_schema(
        operation_id="models_list", tags=["models"], summary="List models", responses=ModelList
    )
    def get(self, request: Request) -> Response:
        """Models to choose from, with prices. A provider's other models work as well."""
        models = [model_answer(model) for model in catalogue.models()]
        return Response({"results": models, "next": None, "previous": None})
