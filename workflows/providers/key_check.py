"""Whether a key works, found out free of charge: by asking for the list of models.

The web process does this, so nothing of the SDKs is imported.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync

from hummbl.outbound import OutboundRefused, async_client
from workflows.providers.addresses import BASE_URLS, LABELS
from workflows.providers.types import Credential

# Seconds for the whole check; somebody is waiting.
TIMEOUT = 10.0
# Lists of models can be long; those of resellers come to half a megabyte.
MAX_BYTES = 8_000_000

_ANTHROPIC_VERSION = "2023-06-01"
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_error"})


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What came of testing a key: one sentence, and a code for programs.

    ``ok`` is false when something is known to be wrong. Codes: ok, unverified, authentication,
    permission, quota, rate_limited, unavailable, not_found, bad_request, redirect, not_protocol,
    timeout, unreachable, tls, outbound_refused, decryption_failed.
    """

    ok: bool
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def check_key(provider: str, credential: Credential) -> KeyCheck:
    """Ask the provider for its models. Takes at most TIMEOUT seconds, and does not raise."""
    base_url = credential.base_url or BASE_URLS[provider]
    host = urlsplit(base_url).hostname or base_url
    name = LABELS.get(provider, f"The server at {host}")
    try:
        reply = async_to_sync(_ask)(_url(provider, base_url), _headers(provider, credential))
    except OutboundRefused as error:
        return KeyCheck(False, "outbound_refused", error.message)
    except TimeoutError:
        return KeyCheck(
            False, "timeout", f"{host} did not answer within {TIMEOUT:g} seconds. Try again later."
        )
    except _Unreachable as error:
        return error.check(host)
    return _judge(provider, name, reply)


class _Unreachable(Exception):
    """No answer came; the cause is what the client raised."""

    def check(self, host: str) -> KeyCheck:
        cause: BaseException | None = self
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                sentence = f"The encrypted connection to {host} failed: its certificate is not "
                return KeyCheck(False, "tls", sentence + "trusted, or it does not speak TLS.")
            cause = cause.__cause__ or cause.__context__
        return KeyCheck(
            False, "unreachable", f"{host} cannot be reached. Check the address, and try again."
        )


class _NoHttp(_Unreachable):
    """What answered does not speak HTTP."""

    def check(self, host: str) -> KeyCheck:
        return KeyCheck(
            False, "not_protocol", f"{host} broke the connection or does not speak HTTP."
        )


async def _ask(url: str, headers: dict[str, str]) -> _Reply:
    """GET that address. Raises OutboundRefused, TimeoutError and _Unreachable."""
    import httpx2

    client = async_client(timeout=httpx2.Timeout(TIMEOUT), max_response_bytes=MAX_BYTES)
    try:
        async with asyncio.timeout(TIMEOUT), client:
            response = await client.get(url, headers=headers)
            return _Reply(response.status_code, response.headers, response.content)
    except httpx2.TimeoutException as error:
        raise TimeoutError from error
    except httpx2.ConnectError as error:
        raise _Unreachable from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _NoHttp from error


def _url(provider: str, base_url: str) -> str:
    return f"{base_url}/v1/models?limit=1000" if provider == "anthropic" else f"{base_url}/models"


def _headers(provider: str, credential: Credential) -> dict[str, str]:
    if provider == "anthropic":
        return {"x-api-key": credential.secret, "anthropic-version": _ANTHROPIC_VERSION}
    return {"Authorization": f"Bearer {credential.secret}"}


def _judge(provider: str, name: str, reply: _Reply) -> KeyCheck:
    status = reply.status
    if 200 <= status < 300:
        return _read(name, reply.json())
    if provider == "custom" and status in {404, 405, 501}:
        return KeyCheck(
            True,
            "unverified",
            f"{name} answers, but lists no models; whether the key is right shows with the first "
            "call.",
        )
    if status == 429:
        return _limited(name, reply)
    code, sentence = _REFUSALS.get(status, _by_class(status))
    return KeyCheck(False, code, f"{name} {sentence}")


def _read(name: str, body: Any) -> KeyCheck:
    models = body.get("data") if isinstance(body, dict) else body
    if not isinstance(models, list):
        return KeyCheck(
            False,
            "not_protocol",
            f"{name} answers, but with something else than a list of models. Check the base URL; "
            "it often ends in /v1.",
        )
    count = "1 model" if len(models) == 1 else f"{len(models)} models"
    return KeyCheck(True, "ok", f"The key works. {name} shows it {count}.")


def _limited(name: str, reply: _Reply) -> KeyCheck:
    body = reply.json()
    error = body.get("error") if isinstance(body, dict) else None
    codes = {error.get("code"), error.get("type")} if isinstance(error, dict) else set()
    if any(code in _QUOTA_CODES for code in codes if isinstance(code, str)):
        code, sentence = _QUOTA
        return KeyCheck(False, code, f"{name} {sentence}")
    wait = reply.headers.get("retry-after", "")
    when = f"in {wait} seconds" if wait.isdecimal() and len(wait) < 5 else "in a minute"
    return KeyCheck(
        False,
        "rate_limited",
        f"{name} asks to slow down, so the key was not tested. Try again {when}.",
    )


_QUOTA = ("quota", "says that the account has no credit left or has reached its spending limit.")
_FORBIDDEN = (
    "knows the key but does not let it list models. Give it more rights there, or see whether the "
    "first call goes through."
)
_REFUSALS = {
    401: ("authentication", "refuses the key: it is wrong, incomplete or revoked."),
    402: _QUOTA,
    403: ("permission", _FORBIDDEN),
    404: ("not_found", "knows no list of models. Check the address."),
}


def _by_class(status: int) -> tuple[str, str]:
    if 300 <= status < 400:
        return "redirect", (
            "answers with a redirect, which is not followed. Correct the base URL of the key."
        )
    if status >= 500 or status == 408:
        return "unavailable", f"has a problem of its own ({status}). Try again later."
    return "bad_request", f"refuses the question for its models ({status})."
