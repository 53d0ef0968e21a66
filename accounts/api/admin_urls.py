"""Routes of the accounts app below /api/admin/."""

from django.urls import path

from accounts.api.views import audit, users

urlpatterns = [
    path("audit", audit.AuditView.as_view(), name="api_admin_audit"),
    path("audit.csv", audit.AuditFileView.as_view(), name="api_admin_audit_csv"),
    path("users", users.UsersView.as_view(), name="api_admin_users"),
    path("users/<uuid:pk>", users.UserView.as_view(), name="api_admin_user"),
    path(
        "users/<uuid:pk>/sessions",
        users.UserSessionsView.as_view(),
        name="api_admin_user_sessions",
    ),
]
