"""The account pages."""

from django.urls import path

from accounts.views import profile, sign_in

urlpatterns = [
    path("signup", sign_in.sign_up, name="sign_up"),
    path("signin", sign_in.sign_in, name="sign_in"),
    path("signout", sign_in.sign_out, name="sign_out"),
    path("profile", profile.profile, name="profile"),
    path("profile/password", profile.password_change, name="password_change"),
    path("profile/sessions/end-others", profile.sessions_end_others, name="sessions_end_others"),
    path("profile/sessions/<uuid:pk>/end", profile.session_end, name="session_end"),
]
