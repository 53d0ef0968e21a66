"""The rate limits: exact among processes, told to clients, never in the way of others."""

import multiprocessing
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, transaction
from django.test import Client, RequestFactory

from hummbl import client as http_client
from hummbl import counters
from hummbl.ratelimit import Limit, RateLimited, check_auth
from tests.factories import PASSWORD
from tests.processes import PATIENCE


def test_limits_are_written_like_5_m():
    assert Limit.parse("5/m") == Limit(5, 60)
    assert Limit.parse("10/h") == Limit(10, 3600)
    assert Limit.parse("100/10m") == Limit(100, 600)
    assert Limit.parse("") is None
    assert Limit.parse("0") is None
    for text in ("5", "m", "5/x", "-1/m", "5/m/m", "0/m", "5/0m"):
        with pytest.raises(ImproperlyConfigured):
            Limit.parse(text)


def _clock_goes(seconds):
    """As if the database's clock had been moved, forwards or backwards."""
    counters._run("UPDATE hummbl_rate_counter SET expires = expires - {0}", (float(seconds),))


def test_a_window_begins_with_its_first_hit_and_anew_after_its_end(limits):
    assert [counters.hit("a", 60)[0] for _ in range(3)] == [1, 2, 3]
    assert counters.hit("b", 60)[0] == 1
    assert counters.hit("a", 60)[1] == pytest.approx(time.time() + 60, abs=5)
    _clock_goes(50)
    count, expires = counters.hit("a", 60)
    assert count == 5
    assert expires == pytest.approx(time.time() + 10, abs=5)
    _clock_goes(10.1)
    assert counters.hit("a", 60) == (1, pytest.approx(time.time() + 60, abs=5))


@pytest.mark.parametrize("seconds", [-86400, -61, 61, 86400])
def test_a_clock_that_jumps_locks_nobody_out_for_longer_than_a_window(limits, seconds):
    for _ in range(9):
        counters.hit("a", 60)
    _clock_goes(seconds)

    count, expires = counters.hit("a", 60)

    assert count == 1
    assert expires <= time.time() + 61


def test_a_clock_that_is_set_back_a_little_makes_no_window_longer(limits):
    counters.hit("a", 60)
    _clock_goes(-30)

    assert counters.hit("a", 60)[1] <= time.time() + 61


def test_old_counters_are_swept(limits, monkeypatch):
    for n in range(50):
        counters.hit(f"key {n}", 60)
    _clock_goes(61)
    monkeypatch.setattr(counters, "_swept_at", 0)

    counters.hit("last", 60)

    assert counters.size() == 1


def test_a_rollback_takes_no_count_back(limits):
    """security.md 11: an attempt counts, whatever becomes of the request's transaction."""
    with suppress(ZeroDivisionError), transaction.atomic():
        assert counters.hit("a", 60)[0] == 1
        raise ZeroDivisionError

    assert counters.hit("a", 60)[0] == 2


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_keeps_nobody_waiting(limits):
    with transaction.atomic():
        counters.hit("a", 60)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_hit_and_close, "a").result(timeout=PATIENCE)[0] == 2


def _hit_and_close(key):
    try:
        return counters.hit(key, 60)
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_the_limiter_does_not_wait_for_the_engines_writer(limits, tmp_path):
    """security.md 11: the counters have a writer of their own."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no lock that all writers share")
    name = connection.settings_dict["NAME"]
    if counters._file_name(name) == ":memory:":
        pytest.skip("the test's database is no file")
    engine = sqlite3.connect(name, timeout=0, isolation_level=None)
    try:
        engine.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(name, timeout=0).execute("BEGIN IMMEDIATE")

        assert counters.hit("a", 60)[0] == 1
    finally:
        engine.close()


def _attempt(database, barrier, results):
    connections["default"].close()
    connection.settings_dict.update(database)
    request, allowed = RequestFactory().post("/signin"), 0
    barrier.wait()
    for _ in range(10):
        with suppress(RateLimited):
            check_auth(request, "login", "alice@example.com")
            allowed += 1
    results.put(allowed)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_exact_under_eight_processes(settings):
    """security.md 11: of 80 attempts by eight processes exactly 5 come through."""
    settings.RATE_LIMIT_AUTH = "5/10m"
    counters.clear()
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(8), context.Queue()
    connections.close_all()
    database = {"NAME": connection.settings_dict["NAME"], "OPTIONS": _without_pool()}
    processes = [
        context.Process(target=_attempt, args=(database, barrier, results)) for _ in range(8)
    ]
    for process in processes:
        process.start()
    allowed = sum(results.get(timeout=PATIENCE) for _ in processes)
    for process in processes:
        process.join()

    assert allowed == 5
    counters.clear()


def _without_pool():
    # A pool's threads do not survive the fork.
    options = dict(connection.settings_dict["OPTIONS"])
    options.pop("pool", None)
    return options


def test_every_answer_of_the_api_says_where_the_client_stands(api, alice, limits):
    limits(API="3/m")
    client = api(alice)

    answers = [client.get("/api/auth/me") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"3"}
    reset = int(answers[0]["X-RateLimit-Reset"])
    assert 0 < reset - time.time() <= 61
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    assert answers[3].json()["details"]["retry_after"] == int(answers[3]["Retry-After"])


def test_refusals_count_and_say_so_too(api, alice, limits):
    limits(API="4/m")
    client = api()

    statuses = [
        client.get(path)
        for path in ("/api/auth/me", "/api/nothing", "/api/auth/sessions", "/api/auth/me")
    ]

    assert [answer.status_code for answer in statuses] == [401, 404, 401, 401]
    assert [answer["X-RateLimit-Remaining"] for answer in statuses] == ["3", "2", "1", "0"]
    assert client.get("/api/auth/me").status_code == 429
    assert api(alice).get("/api/auth/me").status_code == 200


def test_users_are_counted_apart_whatever_they_sign_in_with(api, alice, bob, limits):
    limits(API="1/m")
    browser = Client()
    browser.force_login(alice)

    assert api(alice).get("/api/auth/me").status_code == 200
    assert api(bob).get("/api/auth/me").status_code == 200
    assert browser.get("/api/auth/me").status_code == 429


def test_health_is_unlimited(client, limits):
    limits(API="1/m", PAGES="1/m")

    answers = [client.get("/api/health") for _ in range(5)]

    assert 429 not in {answer.status_code for answer in answers}
    assert "X-RateLimit-Limit" not in answers[0]


def test_pages(client, alice, limits):
    limits(PAGES="2/m")
    client.force_login(alice)

    statuses = [client.get("/profile").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    refused = client.get("/profile")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["Content-Type"].startswith("text/html")
    assert Client().get("/signin").status_code == 200


def test_signing_in_on_the_page_and_by_the_api_share_a_limit(client, api, alice, limits):
    limits(AUTH="3/m")
    wrong = {"email": alice.email, "password": "wrong password"}

    api().post("/api/auth/login", wrong)
    statuses = [client.post("/signin", wrong).status_code for _ in range(3)]

    assert statuses == [401, 401, 429]
    assert client.post("/signin", {**wrong, "password": PASSWORD}).status_code == 429


@pytest.mark.parametrize(
    ("proxies", "forwarded", "peer", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1", "10.0.0.1"),
        (1, "", "10.0.0.1", "10.0.0.1"),
        (1, "::ffff:203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (0, "", "2001:DB8::0001", "2001:db8::1"),
        (0, "", "", None),
    ],
)
def test_the_address_of_a_client(settings, proxies, forwarded, peer, expected):
    """security.md 12."""
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=peer)

    assert http_client.address(request) == expected


def test_one_customer_of_ipv6_is_one_address():
    one = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2::1")
    two = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:ffff::2")
    other = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:3::1")

    assert http_client.network(one) == http_client.network(two) == "2001:db8:1:2::/64"
    assert http_client.network(other) != http_client.network(one)
