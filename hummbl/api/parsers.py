"""Reading request bodies, which are JSON objects of at most 1 MB and nothing else."""

import codecs
import json
import re
from collections.abc import Mapping
from typing import IO, Any, ClassVar

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from hummbl.errors import AppError

MAX_DEPTH = 64

_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_TOO_DEEP = f"The body is nested too deeply: at most {MAX_DEPTH} levels are accepted."


class BodyTooLarge(AppError):
    """More bytes than `DATA_UPLOAD_MAX_MEMORY_SIZE`, or than the operation's parser takes."""

    status = 413
    code = "too_large"

    def __init__(self, most: str = "1 MB") -> None:
        super().__init__(f"The body is too large: at most {most} is accepted.")


class StrictJSONParser(BaseParser):
    """JSON (RFC 8259) whose top level is an object; an empty body is an empty object.

    Refused with a sentence: invalid UTF-8, NaN and Infinity, numbers that do not fit, lone
    surrogates, the NUL character (PostgreSQL stores neither), more than 64 levels, compression.
    """

    media_type = "application/json"
    most_kilobytes: ClassVar[int | None] = None  # None: what settings allow, which is 1 MB

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object in the body. Raises ParseError, BodyTooLarge and UnsupportedMediaType."""
        request = (parser_context or {})["request"]
        encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity")
        if encoding.strip().lower() not in {"", "identity"}:
            raise UnsupportedMediaType(encoding, "Compressed bodies are not accepted.")
        kilobytes = self.most_kilobytes
        limit = kilobytes * 1024 if kilobytes else settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        too_large = BodyTooLarge(f"{kilobytes} KB") if kilobytes else BodyTooLarge()
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise too_large
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise too_large
        return loads(body)


def loads(body: bytes) -> dict[str, Any]:
    """The object in a body, checked as StrictJSONParser says. Raises ParseError."""
    # Some editors begin a file with a byte order mark (RFC 8259, section 8.1).
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        return {}
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ParseError(_explain(error)) from error
    if not isinstance(data, dict):
        raise ParseError("The body must be a JSON object.")
    _check_levels(data, nul=b"\\u0000" in body)
    if _LONG_NUMBER.search(body):
        # Rare, and orjson gives whole numbers beyond 64 bits as rounded floats.
        json.loads(body, parse_int=_whole_number)
    return data


def _check_levels(data: object, *, nul: bool) -> None:
    """Refuse too many levels, and NUL where the body may hold it: level by level."""
    level: list[object] = [data]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below += value.values()
                if nul:
                    below += value.keys()
            elif isinstance(value, list):
                below += value
            elif nul:
                _refuse_nul(value)
        level = below
    for value in level:
        if isinstance(value, dict | list):
            raise ParseError(_TOO_DEEP)
        if nul:
            _refuse_nul(value)


def _refuse_nul(value: object) -> None:
    if isinstance(value, str) and "\0" in value:
        raise ParseError("The body holds the character NUL (\\u0000), which no text needs.")


def _whole_number(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise ParseError("The body holds a whole number that does not fit into 64 bits.")
    return int(text)


def _explain(error: orjson.JSONDecodeError) -> str:
    if "UTF-8" in error.msg:
        return "The body is not valid UTF-8 text."
    if "surrogate" in error.msg:
        return f"The body holds half of a surrogate pair (line {error.lineno}), which is no text."
    if "depth" in error.msg or "recursion" in error.msg.lower():
        return _TOO_DEEP
    return f"The body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})."
