"""Reading the mails that a test has caused."""

import re
from urllib.parse import parse_qs, urlsplit

from django.core import mail

_LINK = re.compile(r"https?://\S+")


def letter(index=-1):
    """The last mail, or another by its index."""
    return mail.outbox[index]


def link_in(message):
    """The first link of a mail."""
    return _LINK.search(message.body)[0]


def path_in(message):
    """The same without its host: what a test client asks for."""
    parts = urlsplit(link_in(message))
    return f"{parts.path}?{parts.query}"


def token_in(message):
    """The token of the first link."""
    return parse_qs(urlsplit(link_in(message)).query)["token"][0]
