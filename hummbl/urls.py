"""Every URL, by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from hummbl import pages
from hummbl.api.views import DocsView, SchemaView, UnknownRouteView

admin.autodiscover()

urlpatterns = [
    path("", pages.landing, name="landing"),
    # Browsers ask for it on pages that name no icon, such as the admin's.
    path(
        "favicon.ico", require_safe(RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg"))
    ),
    path("admin/", admin.site.urls),
    path("api/schema", SchemaView.as_view(), name="api_schema"),
    path("api/docs", DocsView.as_view(url_name="api_schema"), name="api_docs"),
    path("api/auth/", include("accounts.api.urls")),
    path("api/admin/", include("accounts.api.admin_urls")),
    path("api/", include("observability.api.urls")),
    path("api/", include("workflows.api.urls")),
    path("api", UnknownRouteView.as_view()),
    path("api/", UnknownRouteView.as_view()),
    path("api/<path:rest>", UnknownRouteView.as_view(), name="api_unknown"),
    path("", include("accounts.urls")),
    path("", include("observability.urls")),
    path("", include("workflows.urls")),
]

handler400 = "hummbl.pages.bad_request"
handler403 = "hummbl.pages.forbidden"
handler404 = "hummbl.pages.not_found"
handler500 = "hummbl.pages.server_error"
