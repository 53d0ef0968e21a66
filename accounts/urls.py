"""The account pages."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("signup", views.sign_up, name="sign_up"),
    path("signin", views.sign_in, name="sign_in"),
    path("signout", views.sign_out, name="sign_out"),
    path("profile", views.profile, name="profile"),
    path("profile/password", views.password_change, name="password_change"),
    path("profile/sessions/end-others", views.sessions_end_others, name="sessions_end_others"),
    path("profile/sessions/<uuid:pk>/end", views.session_end, name="session_end"),
]
