"""User agents in words."""

import pytest

from accounts.devices import describe

MOZILLA = "Mozilla/5.0"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (
            f"{MOZILLA} (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        ),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA} (Windows NT 10.0) {CHROME} Safari/537.36 Edg/126.0", "Edge on Windows"),
        (
            f"{MOZILLA} (Linux; Android 14) {CHROME} Mobile Safari/537.36 EdgA/126",
            "Edge on Android",
        ),
        (f"{MOZILLA} (X11; Linux x86_64) {CHROME} Safari/537.36 OPR/111.0", "Opera on Linux"),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) Version/17 Safari/605.1",
            "Safari on macOS",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
            "Safari on iPhone",
        ),
        (f"{MOZILLA} (iPad; CPU OS 17_5 like Mac OS X) CriOS/126 Safari/604.1", "Chrome on iPad"),
        (f"{MOZILLA} (X11; CrOS x86_64 14541) {CHROME} Safari/537.36", "Chrome on ChromeOS"),
        (f"{MOZILLA} (compatible; something)", "Browser"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("Go-http-client/2.0", "Go-http-client"),
        ("PostmanRuntime", "PostmanRuntime"),
        ("  spaced/1.0", "spaced"),
        ("", "Unknown program"),
        ("(nothing)", "Unknown program"),
        ("x" * 300, "x" * 60),
    ],
)
def test_describe(user_agent, said):
    assert describe(user_agent) == said
