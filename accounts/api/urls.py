"""Routes below /api/auth/."""

from django.urls import path

from accounts.api.views import me, reauthenticate, reset, sessions, sign_in, tokens, verify

urlpatterns = [
    path("register", sign_in.RegisterView.as_view(), name="api_register"),
    path("login", sign_in.LoginView.as_view(), name="api_login"),
    path("logout", sign_in.LogoutView.as_view(), name="api_logout"),
    path("me", me.MeView.as_view(), name="api_me"),
    path("password", me.PasswordView.as_view(), name="api_password"),
    path(
        "reauthenticate",
        reauthenticate.ReauthenticateView.as_view(),
        name="api_reauthenticate",
    ),
    path("reset", reset.ResetView.as_view(), name="api_reset"),
    path("reset/confirm", reset.ResetConfirmView.as_view(), name="api_reset_confirm"),
    path("verify", verify.VerifyView.as_view(), name="api_verify"),
    path("verify/send", verify.VerifySendView.as_view(), name="api_verify_send"),
    path("sessions", sessions.SessionsView.as_view(), name="api_sessions"),
    path("sessions/<uuid:pk>", sessions.SessionView.as_view(), name="api_session"),
    path("tokens", tokens.AccessTokensView.as_view(), name="api_tokens"),
    path("tokens/<uuid:pk>", tokens.AccessTokenView.as_view(), name="api_token"),
]
