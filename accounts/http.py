"""The type of a request behind `login_required`."""

from accounts.models import User
from hummbl.lists import HtmxRequest


class UserRequest(HtmxRequest):
    """A request of someone who is signed in, for annotations only."""

    user: User
