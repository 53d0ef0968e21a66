"""The account pages."""

from django.urls import path

from accounts.views import (
    audit,
    email,
    profile,
    reauthenticate,
    reset,
    sign_in,
    tokens,
    users,
    verify,
)

urlpatterns = [
    path("signup", sign_in.sign_up, name="sign_up"),
    path("signin", sign_in.sign_in, name="sign_in"),
    path("signout", sign_in.sign_out, name="sign_out"),
    path("reset", reset.reset, name="reset"),
    path("reset/sent", reset.reset_sent, name="reset_sent"),
    path("reset/confirm", reset.reset_confirm, name="reset_confirm"),
    path("verify", verify.verify, name="verify"),
    path("reauthenticate", reauthenticate.reauthenticate, name="reauthenticate"),
    path("profile", profile.profile, name="profile"),
    path("profile/email", email.email_change, name="email_change"),
    path("profile/email/verify", verify.verify_send, name="verify_send"),
    path("profile/password", profile.password_change, name="password_change"),
    path("profile/tokens", tokens.token_list, name="token_list"),
    path("profile/tokens/new", tokens.token_create, name="token_create"),
    path("profile/tokens/<uuid:pk>/delete", tokens.token_delete, name="token_delete"),
    path("profile/sessions/end-others", profile.sessions_end_others, name="sessions_end_others"),
    path("profile/sessions/<uuid:pk>/end", profile.session_end, name="session_end"),
    path("manage/audit", audit.manage_audit, name="manage_audit"),
    path("manage/audit.csv", audit.manage_audit_csv, name="manage_audit_csv"),
    path("manage/users", users.manage_users, name="manage_users"),
    path("manage/users/<uuid:pk>", users.manage_user, name="manage_user"),
    path("manage/users/<uuid:pk>/role", users.manage_user_role, name="manage_user_role"),
    path(
        "manage/users/<uuid:pk>/activity",
        users.manage_user_activity,
        name="manage_user_activity",
    ),
    path(
        "manage/users/<uuid:pk>/sessions/end",
        users.manage_user_sessions_end,
        name="manage_user_sessions_end",
    ),
    path(
        "manage/users/<uuid:pk>/sessions/<uuid:session>/end",
        users.manage_user_session_end,
        name="manage_user_session_end",
    ),
]
