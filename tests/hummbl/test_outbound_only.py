"""security.md 17: one outbound client for the whole project, and no other."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = ("hummbl", "accounts", "observability", "workflows")
GUARD = {"hummbl/outbound.py", "hummbl/outbound_transport.py"}

CLIENTS = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpcore",
    "httpcore2",
    "httpx",
    "requests",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "xmlrpc.client",
}
CONNECTING_CALLS = {
    "asyncio.open_connection",
    "loop.create_connection",
    "socket.create_connection",
}
# What the callers of the guarded client need besides it: its errors, its types, its time-outs.
HTTPX2_NAMES = {
    "AsyncClient",
    "ConnectError",
    "HTTPError",
    "InvalidURL",
    "StreamError",
    "Timeout",
    "TimeoutException",
    "TransportError",
}
HTTPX2_CALLS = {"Timeout"}
# An SDK brings a client of its own unless it is given ours.
SDK_CLIENTS = {"OpenAI", "AsyncOpenAI", "Anthropic", "AsyncAnthropic"}


def offences(source: str) -> list[str]:
    """What in a module could reach the network past the guard."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [name.name for name in names if is_client(name.name)]
            case ast.ImportFrom(module=str(module), names=names):
                imported = [f"{module}.{name.name}" for name in names]
                found += [name for name in imported if is_client(name)]
                found += [name for name in imported if module == "httpx2"]
            case ast.Attribute(value=ast.Name(id="httpx2"), attr=name):
                found += [] if name in HTTPX2_NAMES else [f"httpx2.{name}"]
            case ast.Call(func=func, keywords=keywords):
                name = ast.unparse(func)
                last = name.rpartition(".")[2]
                if name in CONNECTING_CALLS:
                    found.append(name)
                if name.startswith("httpx2.") and last not in HTTPX2_CALLS:
                    found.append(f"{name}()")
                if last in SDK_CLIENTS and "http_client" not in {word.arg for word in keywords}:
                    found.append(f"{last}() without http_client")
    return found


def is_client(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in CLIENTS)


def test_nothing_but_the_guard_reaches_the_network():
    found = {}
    for folder in FOLDERS:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            name = path.relative_to(PROJECT).as_posix()
            if name not in GUARD and (offenders := offences(path.read_text())):
                found[name] = offenders
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "import urllib.request as u",
        "from urllib import request",
        "from urllib.request import urlopen",
        "from httpx2 import AsyncClient",
        "import httpx2\nclient = httpx2.AsyncClient()",
        "import httpx2\nhttpx2.get('https://example.com')",
        "import httpx",
        "import http.client",
        "import socket\nsocket.create_connection(('example.com', 443))",
        "client = AsyncOpenAI(api_key='x')",
        "client = anthropic.AsyncAnthropic(api_key='x')",
    ],
)
def test_the_check_sees_other_ways_out(source):
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "import httpx2\ntimeout: httpx2.Timeout = httpx2.Timeout(1.0)",
        "from urllib.parse import urlsplit",
        "client = AsyncOpenAI(api_key='x', http_client=http)",
    ],
)
def test_the_check_lets_the_rest_through(source):
    assert not offences(source)
