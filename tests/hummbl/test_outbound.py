import asyncio
import gzip
import ipaddress
import socket
from contextlib import asynccontextmanager

import httpcore2
import httpx2
import pytest

from hummbl.outbound import OutboundRefused, async_client, check_url, is_public
from hummbl.outbound_transport import GuardedBackend

LOOPBACK = frozenset({"127.0.0.1"})
TREACHEROUS = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.fixture(autouse=True)
def nothing_allowed(settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    return settings


@asynccontextmanager
async def server(answer: bytes, *, wait: float = 0):
    """A TCP server on loopback that sends the same bytes to whoever asks."""
    seen: list[bytes] = []

    async def serve(reader, writer):
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
            await asyncio.sleep(wait)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], seen


def response(body: bytes = b"hello", status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def get(url, **kwargs):
    async def ask():
        async with async_client(**kwargs) as client:
            return await client.get(url)

    return asyncio.run(ask())


def ask_server(answer: bytes, *, host: str = "127.0.0.1", wait: float = 0, **kwargs):
    async def ask():
        async with server(answer, wait=wait) as (port, seen), async_client(**kwargs) as client:
            return await client.get(f"http://{host}:{port}/"), seen

    return asyncio.run(ask())


@pytest.mark.parametrize("address", TREACHEROUS)
def test_addresses_that_lead_inside_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "104.18.7.192", "2606:4700::6812:7c0"])
def test_public_addresses_are(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", TREACHEROUS)
def test_literal_addresses_are_refused_at_connect_and_when_stored(address):
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(OutboundRefused, match="ALLOWED_PRIVATE_HOSTS"):
        get(f"https://{host}/")
    with pytest.raises(OutboundRefused, match="ALLOWED_PRIVATE_HOSTS"):
        check_url(f"https://{host}/v1")


@pytest.mark.parametrize("host", ["localhost", "localhost.", "127.1", "0x7f000001", "2130706433"])
def test_other_spellings_of_loopback_are_refused(host):
    with pytest.raises((OutboundRefused, httpx2.ConnectError)):
        get(f"https://{host}/")
    with pytest.raises(OutboundRefused):
        check_url(f"https://{host}/v1")


def test_the_address_counts_that_is_connected_to(monkeypatch):
    """DNS rebinding: a public answer to the first question does not help with the second."""
    answers = iter(["8.8.8.8", "127.0.0.1"])
    connected = []

    async def getaddrinfo(self, host, port, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    async def connect(self, host, *args):
        connected.append(host)
        raise httpcore2.ConnectError("no network in this test")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect)
    with pytest.raises(httpx2.ConnectError):
        get("https://rebinding.example/")
    with pytest.raises(OutboundRefused, match=r"rebinding\.example is at a private"):
        get("https://rebinding.example/")
    assert connected == ["8.8.8.8"]


def test_of_mixed_addresses_only_the_public_ones_are_tried(monkeypatch):
    connected = []

    async def getaddrinfo(self, host, port, **kwargs):
        entries = [("::1", port, 0, 0), ("10.0.0.1", port), ("8.8.8.8", port), ("1.1.1.1", port)]
        return [(0, socket.SOCK_STREAM, 6, "", entry) for entry in entries]

    async def connect(self, host, *args):
        connected.append(host)
        raise httpcore2.ConnectError("no network in this test")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect)
    with pytest.raises(httpx2.ConnectError):
        get("https://mixed.example/")
    assert connected == ["8.8.8.8", "1.1.1.1"]


def test_plain_http_is_refused():
    with pytest.raises(OutboundRefused, match="may only be reached over https"):
        get("http://8.8.8.8/")


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "localhost", " LOCALHOST. "])
def test_the_operator_can_list_names_addresses_and_networks(settings, entry):
    settings.ALLOWED_PRIVATE_HOSTS = [entry]
    host = "localhost" if "localhost" in entry.lower() else "127.0.0.1"
    answer, seen = ask_server(response(), host=host)
    assert answer.text == "hello"
    assert f"host: {host}:".encode() in seen[0].lower()
    check_url(f"http://{host}:8080/v1")


def test_a_listed_network_covers_names_that_resolve_into_it(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.0/8"]
    answer, _ = ask_server(response(), host="localhost")
    assert answer.status_code == 200


def test_exempt_hosts_are_let_through_for_one_client_only():
    answer, _ = ask_server(response(), exempt_hosts=LOOPBACK)
    assert answer.text == "hello"
    with pytest.raises(OutboundRefused):
        ask_server(response())


def test_redirects_are_not_followed():
    """security.md 18."""
    redirect = response(status="307 Temporary Redirect", headers="Location: http://10.0.0.1/\r\n")
    answer, seen = ask_server(redirect, exempt_hosts=LOOPBACK)
    assert answer.status_code == 307
    assert len(seen) == 1


def test_no_proxy_is_taken_from_the_environment(monkeypatch):
    """security.md 18."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    answer, _ = ask_server(response(), exempt_hosts=LOOPBACK)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        response(b"x" * 1001),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e9\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000,
    ],
)
def test_an_answer_above_the_cap_is_refused(answer):
    """security.md 18."""
    with pytest.raises(OutboundRefused, match=r"larger than 0\.001 MB"):
        ask_server(answer, exempt_hosts=LOOPBACK, max_response_bytes=1000)


def test_an_answer_at_the_cap_is_fine():
    answer, _ = ask_server(response(b"x" * 1000), exempt_hosts=LOOPBACK, max_response_bytes=1000)
    assert len(answer.content) == 1000


def test_a_compressed_answer_is_refused_and_not_asked_for():
    bomb = response(gzip.compress(b"0" * 10_000_000), headers="Content-Encoding: gzip\r\n")
    with pytest.raises(OutboundRefused, match="compressed"):
        ask_server(bomb, exempt_hosts=LOOPBACK)
    _, seen = ask_server(response(), exempt_hosts=LOOPBACK)
    assert b"accept-encoding: identity" in seen[0].lower()


def test_a_silent_server_times_out():
    patient = httpx2.Timeout(30, read=0.1)
    with pytest.raises(httpx2.ReadTimeout):
        ask_server(b"", wait=5, timeout=patient, exempt_hosts=LOOPBACK)


def test_the_whole_answer_has_a_time_limit():
    with pytest.raises(httpx2.ReadTimeout, match="total"):
        ask_server(response(), exempt_hosts=LOOPBACK, total_timeout=-1)


def test_unix_sockets_are_refused():
    from hummbl.outbound import Allowed

    backend = GuardedBackend(Allowed.parse([]), plain=True)
    with pytest.raises(OutboundRefused):
        asyncio.run(backend.connect_unix_socket("/run/docker.sock"))


def test_a_name_that_does_not_resolve_is_a_connection_error():
    with pytest.raises(httpx2.ConnectError, match=r"nowhere\.invalid could not be resolved"):
        get("https://nowhere.invalid/")


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/v1", "https://api.example.com:8443", "https://8.8.8.8/v1"],
)
def test_good_base_urls_can_be_stored(url):
    check_url(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://api.example.com/v1", "must begin with https"),
        ("ftp://api.example.com", "must begin with https"),
        ("api.example.com", "not a valid address"),
        ("https://", "not a valid address"),
        ("https://[::1", "not a valid address"),
        ("https://host:99999/", "not a valid address"),
        ("https://host\\@evil.example/", "not a valid address"),
        ("https://host/ path", "not a valid address"),
        ("https://" + "a" * 600 + ".example", "not a valid address"),
        ("https://user:pass@api.example.com", "user name and password"),
        ("https://api.example.com/v1?key=1", "from \\? or # on"),
        ("https://api.example.com/v1#x", "from \\? or # on"),
        ("https://localhost/v1", "private or reserved"),
        ("https://a..b/v1", "no host of this name"),
        ("https://" + "a" * 64 + ".example/v1", "no host of this name"),
        ("https://" + "a." * 127 + "example/v1", "no host of this name"),
        ("https://a,b.example/v1", "no host of this name"),
    ],
)
def test_bad_base_urls_are_refused_with_a_sentence(url, sentence):
    with pytest.raises(OutboundRefused, match=sentence):
        check_url(url)
