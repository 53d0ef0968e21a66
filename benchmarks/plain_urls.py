"""The URLs of `benchmarks.plain`."""

from typing import Any

from django.urls import include, path
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import CharField, IntegerField, ModelSerializer

from accounts.models import User
from workflows.models import Workflow
from workflows.queries import TaskCount


class OwnerSerializer(ModelSerializer[User]):
    """Who owns a workflow."""

    name = CharField(source="get_full_name")

    class Meta:
        model = User
        fields = ["id", "name"]


class WorkflowSerializer(ModelSerializer[Workflow]):
    """A row of the list."""

    owner = OwnerSerializer()
    version = IntegerField(source="current_version.number")
    task_count = IntegerField()

    class Meta:
        model = Workflow
        fields = [
            "id",
            "name",
            "description",
            "status",
            "is_shared",
            "version",
            "owner",
            "task_count",
            "created_at",
            "updated_at",
        ]


class Pagination(CursorPagination):
    """Newest first."""

    ordering = "-created_at"
    page_size = 50
    page_size_query_param = "limit"


class WorkflowList(ListAPIView[Workflow]):
    """The workflows that the user may see."""

    serializer_class = WorkflowSerializer
    pagination_class = Pagination
    renderer_classes = [JSONRenderer]

    def get_queryset(self) -> Any:
        """With the owner and the version, but without the document."""
        assert isinstance(self.request.user, User)
        rows = Workflow.objects.visible_to(self.request.user)
        rows = rows.select_related("owner", "current_version")
        return rows.defer("current_version__definition").annotate(task_count=TaskCount())


urlpatterns = [
    path("api/workflows", WorkflowList.as_view()),
    path("api/", include("observability.api.urls")),
]
