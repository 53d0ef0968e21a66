"""Routes below /api/auth/."""

from django.urls import path

from accounts.api.views import me, sessions, sign_in

urlpatterns = [
    path("register", sign_in.RegisterView.as_view(), name="api_register"),
    path("login", sign_in.LoginView.as_view(), name="api_login"),
    path("logout", sign_in.LogoutView.as_view(), name="api_logout"),
    path("me", me.MeView.as_view(), name="api_me"),
    path("password", me.PasswordView.as_view(), name="api_password"),
    path("sessions", sessions.SessionsView.as_view(), name="api_sessions"),
    path("sessions/<uuid:pk>", sessions.SessionView.as_view(), name="api_session"),
]
