"""Routes below /api/auth/."""

from django.urls import path

from accounts.api import views

urlpatterns = [
    path("register", views.RegisterView.as_view(), name="api_register"),
    path("login", views.LoginView.as_view(), name="api_login"),
    path("logout", views.LogoutView.as_view(), name="api_logout"),
    path("me", views.MeView.as_view(), name="api_me"),
    path("password", views.PasswordView.as_view(), name="api_password"),
    path("sessions", views.SessionsView.as_view(), name="api_sessions"),
    path("sessions/<uuid:pk>", views.SessionView.as_view(), name="api_session"),
]
