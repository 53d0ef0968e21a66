import time

import pytest

from hummbl.scrubbing import MAX_DEPTH, REDACTED, scrub, scrub_text

CANARY = "sk-ant-canary0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f"key {CANARY} refused",
        f"Authorization: Bearer {CANARY}",
        "Authorization: Token canary-0123456789",
        "authorization: Basic Y2FuYXJ5OmNhbmFyeQ==canary",
        "bearer canary0123456789",
        "https://alice:canary@example.com/path",
        "postgres://hummbl:canary@db:5432/hummbl",
        "https://example.com/?api_key=canary&x=1",
        "GET /hook?token=canary",
        "password='canary'",
        '{"password": "canary", "x": 1}',
        "{'client_secret': 'canary'}",
        "api-key: canary",
        "x-api-key=canary",
        "OPENAI_API_KEY=canary",
        "Cookie: sessionid=canary; csrftoken=canary",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary",
        "AIzaSyCcanary0123456789012345678901234",
        "EMAIL_HOST_PASSWORD=canary",
        "ENCRYPTION_KEYS=canary",
        '{"apiKey":"canary","x":1}',
        '{"password":"canary"}',
        "https://example.com/?sig=canary",
        "https://hooks.slack.com/services/T0/B0/canary",
        "https://discord.com/api/webhooks/1/canary",
        "https://x.webhook.office.com/webhookb2/canary@a/IncomingWebhook/canary/b",
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\ncanary",
    ],
)
def test_secrets_in_text_are_removed(text):
    assert "canary" not in scrub_text(text)
    assert REDACTED in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Task 3 took 12 tokens",
        "The token bucket is empty: wait 3 s",
        "primary key violated in workflows_execution",
        "KeyError: 'topic'",
        "POST /api/keys 201",
        "alice@example.com signed in",
        "http://127.0.0.1:8000/workflows",
        "A risk-averse task-based desk-bound plan",
        "The webhook hooks.example.com answers 500: no password, no keys: nothing",
    ],
)
def test_harmless_text_stays(text):
    assert scrub_text(text) == text


def test_nested_values_are_removed_by_name_and_by_look():
    cleaned = scrub(
        {
            "request": {
                "headers": {"Authorization": "canary", "X-Api-Key": "canary", "Accept": "*/*"},
                "cookies": [["sessionid", "canary"]],
                "url": "https://example.com/?key=canary",
            },
            "deep": [{"list": ({"password": b"canary"}, {"new_password": ["canary"]})}],
            "innocent": f"said {CANARY}",
            "input_tokens": 12,
            "token": None,
        }
    )
    assert "canary" not in str(cleaned)
    assert cleaned["request"]["headers"]["Accept"] == "*/*"
    assert cleaned["input_tokens"] == 12
    assert cleaned["token"] is None


def test_bottomless_values_end():
    value = "canary"
    for _ in range(MAX_DEPTH * 100):
        value = [value]
    assert "canary" not in str(scrub(value))


def test_the_original_is_left_alone():
    original = {"password": "canary"}
    scrub(original)
    assert original == {"password": "canary"}


@pytest.mark.parametrize("part", ["secret", "-secret-", "password", "api_key", "token", "a_key-"])
def test_a_long_word_is_looked_at_once(part):
    """A stranger's path or message of 50,000 characters once kept a process busy for a minute."""
    short, long = (min(_cost((part * n)[:n]) for _ in range(5)) for n in (4_000, 64_000))
    # Sixteen times as much text is as many times the work; its square would be 256 times.
    assert long < 100 * short


def _cost(text):
    """The CPU seconds of this thread."""
    begun = time.thread_time()
    scrub_text(text)
    return time.thread_time() - begun


@pytest.mark.parametrize(
    "text", ["PASSWORD=canary", "Authorızation: canary", "paſſword=canary", "toKen=canary ä"]
)
def test_case_hides_nothing_in_any_alphabet(text):
    assert "canary" not in scrub_text(text)
