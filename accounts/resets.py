"""Setting a new password by a link in a mail, for who has forgotten the old one."""

from django.http import HttpRequest

from accounts import audit, flows, links, mail
from accounts.errors import ChangedMeanwhile, InvalidLink
from accounts.models import Action, User

# One sentence, whoever asks about whom.
ASKED = (
    "If there is an account with this address, a mail with a link to set a new password is on "
    "its way."
)


def ask(request: HttpRequest, address: str) -> None:
    """Send the link, if the address is an active user's; to anybody it looks the same.

    The caller has counted the attempt against the rate limit.
    """
    user = User.objects.with_address(address).filter(is_active=True).first()
    shown = flows.shown(address)
    audit.record(Action.PASSWORD_RESET_ASKED, obj=user, label=shown)
    mail.send_reset(request, user, shown)


def confirm(request: HttpRequest, token: str, password: str) -> User:
    """Set the password of the link's user, who is signed out everywhere and has proven the address.

    Raises InvalidLink and WeakPassword.
    """
    user = links.reset.user_of(token)
    try:
        flows.set_password(
            user,
            password,
            by=user,
            path="new_password",
            action=Action.PASSWORD_RESET,
            proves_address=True,
        )
    except ChangedMeanwhile as error:
        # The link was used twice at the same moment, or what it signs has changed.
        raise InvalidLink from error
    mail.send_password_changed(request, user)
    return user
