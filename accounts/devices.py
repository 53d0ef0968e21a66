"""What a user agent says of itself, in words for people.

A name is what the program claims: enough to know one's own sign-ins again, and proof of nothing.
"""

import re

UNKNOWN = "Unknown program"
NAME_LENGTH = 60

# The first that fits: browsers also carry the names of those that they descend from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[^\s/();,]+")


def describe(user_agent: str) -> str:
    """Firefox on Linux, curl, python-requests; `Unknown program` without a name."""
    if not user_agent.startswith("Mozilla/"):
        product = _PRODUCT.match(user_agent.strip())
        return product[0][:NAME_LENGTH] if product else UNKNOWN
    browser = next((name for sign, name in _BROWSERS if f"{sign}/" in user_agent), "Browser")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser
