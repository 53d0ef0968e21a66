"""Routes below /api/."""

from django.urls import path

from observability.api.views import HealthView

urlpatterns = [
    path("health", HealthView.as_view(), name="api_health"),
]
