"""GET /api/metrics/names."""

from observability import metrics

URL = "/api/metrics/names"


def test_what_was_recorded(api, adam):
    metrics.record("request.duration", 1, route="/a", method="GET")
    metrics.record("wait", 1)
    found = {each["name"]: each for each in api(adam).get(URL).json()["results"]}
    assert found["request.duration"] == {
        "name": "request.duration",
        "kind": "histogram",
        "unit": "seconds",
        "help": "Requests, by route, method and status class",
        "tags": ["method", "route"],
    }
    assert (found["wait"]["unit"], found["wait"]["tags"]) == ("", [])


def test_administrators_only(api, alice):
    assert api().get(URL).status_code == 401
    assert api(alice).get(URL).status_code == 403


def test_it_only_reads(api, adam):
    assert api(adam).post(URL).status_code == 405
