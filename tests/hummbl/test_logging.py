import json
import logging
from decimal import Decimal

import pytest

from hummbl.logging import config, context, formatter

CANARY = "sk-canary0123456789"


@pytest.fixture(params=["console", "json"])
def log_format(request):
    return request.param


@pytest.fixture
def written(log_format):
    """`written(…)` is what one record becomes."""

    def write(message, *args, level=logging.INFO, exc_info=None, **extra):
        logger = logging.getLogger("tests.logging")
        record = logger.makeRecord(
            logger.name, level, __file__, 1, message, args, exc_info, extra=extra
        )
        return formatter(log_format).format(record)

    return write


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return type(caught), caught, caught.__traceback__


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="LOG_FORMAT is 'xml'"):
        config("xml")


@pytest.mark.parametrize("log_format", ["json"])
def test_json_is_one_object_with_its_fields(written, log_format):
    line = json.loads(written("%s tasks", 3, seconds=0.5))
    assert line["event"] == "3 tasks"
    assert line["seconds"] == 0.5
    assert (line["level"], line["logger"]) == ("info", "tests.logging")
    assert line["timestamp"].endswith("Z")


def test_what_is_bound_stands_on_every_line_within(written):
    with context(request_id="r-12345678", execution_id="e-1"):
        inside = written("working")
    assert "r-12345678" in inside
    assert "e-1" in inside
    assert "r-12345678" not in written("idle")


def test_secrets_never_reach_a_line(written):
    text = written(
        "refused %s",
        CANARY,
        authorization="canary",
        headers={"Authorization": "Bearer canary", "nested": [{"api_key": "canary"}]},
        url="https://user:canary@example.com/?token=canary",
    )
    assert "canary" not in text
    assert "[redacted]" in text


def test_secrets_in_an_exception_never_reach_a_line(written):
    text = written("failed", exc_info=raised(RuntimeError(f"bad key {CANARY}")))
    assert "RuntimeError" in text
    assert "canary" not in text


def test_local_variables_are_not_printed(written):
    def call():
        hidden = "-".join(["local", "canary"])
        raise RuntimeError(len(hidden))

    try:
        call()
    except RuntimeError as error:
        text = written("failed", exc_info=(type(error), error, error.__traceback__))
    assert "local-canary" not in text


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n", "\x1b[2K", "\u2028", "\x85", "\x0b"])
def test_input_cannot_forge_a_line(written, log_format, newline):
    text = written("sign-in of %s", f"alice{newline}2026 [info] forged", who=f"x{newline}y")
    assert len(text.splitlines()) == 1 or log_format == "json"
    assert "\n" not in text
    assert "\x1b" not in text


def test_a_traceback_cannot_forge_a_line(written):
    text = written("failed", exc_info=raised(ValueError("a\n2026-01-01 [info] forged")))
    assert not any(line.startswith("2026-01-01") for line in text.splitlines())


def test_objects_are_redacted_too_and_the_request_is_left_out(written):
    class Call:
        def __str__(self):
            return f"call with {CANARY}"

    text = written("failed", call=Call(), request="GET /?x=hidden-canary")
    assert "call with" in text
    assert "canary" not in text


def test_values_that_json_does_not_know_are_written_as_text(written):
    assert "3.5" in written("cost", amount=Decimal("3.5"))
