"""What the API takes for a body, and how it writes its answers."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from django.test import RequestFactory
from django.utils.functional import lazystr
from rest_framework.exceptions import ParseError
from rest_framework.response import Response
from rest_framework.views import APIView

from hummbl.api.parsers import MAX_DEPTH, loads
from hummbl.api.renderers import dumps


class Echo(APIView):
    """Answers with the body as it was understood."""

    authentication_classes = []
    permission_classes = []

    def post(self, request):
        return Response(request.data)


def post(body, content_type="application/json", **headers):
    request = RequestFactory().post("/api/x", body, content_type=content_type, headers=headers)
    return Echo.as_view()(request)


def nested(levels):
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def test_an_object_comes_through():
    body = {"name": "Zoë ✓", "n": [1, 2.5, None, True, -(2**62)], "o": {"": "\\u0000"}}

    assert post(orjson.dumps(body)).data == body


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_no_body_is_an_empty_object(body):
    assert post(body).data == {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": -Infinity}', "not valid JSON"),
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"a": 123456789012345678901234567890}', "64 bits"),
        (b'{"a": [18446744073709551615]}', "64 bits"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": [{"b\\u0000": 1}]}', "NUL"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (nested(MAX_DEPTH + 1), "too deeply"),
        (nested(1000), "too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too deeply"),
        (b"[" * 100_000, "too deeply"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
    ],
)
def test_bad_bodies_are_a_400_with_a_sentence(body, words):
    """security.md 19."""
    answer = post(body)

    assert answer.status_code == 400
    assert words in answer.data["error"]
    assert answer.data["code"] == "parse_error"


def test_depth_up_to_the_limit():
    assert post(nested(MAX_DEPTH)).status_code == 200


def test_long_digits_in_text_and_large_floats_are_fine():
    assert loads(b'{"a": "123456789012345678901234567890", "b": 1e30}')["b"] == 1e30


def test_a_byte_order_mark_is_passed_over():
    assert loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_megabyte_and_no_more():
    fits = b'{"a": "' + b"x" * (1024 * 1024 - 9) + b'"}'

    assert post(fits).status_code == 200
    answer = post(fits + b" ")
    assert answer.status_code == 413
    assert answer.data["code"] == "too_large"


def test_a_length_that_lies_is_found_out():
    request = RequestFactory().post("/api/x", b"x" * 2_000_000, content_type="application/json")
    request.META["CONTENT_LENGTH"] = "10"

    assert Echo.as_view()(request).status_code in {400, 413}


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, gzip"])
def test_compressed_bodies_are_refused(encoding):
    answer = post(b"{}", **{"Content-Encoding": encoding})

    assert answer.status_code == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""],
)
def test_other_types_are_refused(content_type):
    answer = post(b"a=1", content_type=content_type)

    assert answer.status_code == 415
    assert answer.data["code"] == "unsupported_media_type"


def test_a_charset_does_not_hurt():
    assert post(b'{"a": 1}', content_type="application/json; charset=utf-8").data == {"a": 1}


def test_only_objects_are_read():
    with pytest.raises(ParseError):
        loads(b"1")


def test_how_values_are_written():
    when = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)
    identity = uuid.uuid4()

    written = dumps(
        {
            "money": Decimal("1E-7"),
            "big": Decimal("1E+3"),
            "at": when,
            "id": identity,
            "took": timedelta(seconds=1.5),
            "lazy": lazystr("later"),
            "set": {"b", "a"},
            "odd": float("nan"),
            1: "number",
        }
    )

    assert orjson.loads(written) == {
        "money": "0.0000001",
        "big": "1000",
        "at": "2026-03-01T12:30:00.000005Z",
        "id": str(identity),
        "took": 1.5,
        "lazy": "later",
        "set": ["a", "b"],
        "odd": None,
        "1": "number",
    }


def test_what_has_no_form_in_json_is_an_error_of_ours():
    with pytest.raises(TypeError):
        dumps({"a": object()})
