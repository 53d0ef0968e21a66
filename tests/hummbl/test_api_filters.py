"""Filters of lists that have no value, and those that have several."""

import pytest

from tests.factories import make_workflow

FILTERED = {
    "/api/admin/audit",
    "/api/admin/audit.csv",
    "/api/admin/executions",
    "/api/admin/users",
    "/api/admin/workflows",
    "/api/executions",
    "/api/workflows",
}
REQUIRED = {"/api/metrics": {"name": "request.count"}}


def described(client):
    """The query parameters of every list that may be left out, by its path."""
    paths = client.get("/api/schema", {"format": "json"}).json()["paths"]
    return {
        path: found
        for path, operations in paths.items()
        if (
            found := [
                parameter
                for parameter in operations.get("get", {}).get("parameters", [])
                if parameter["in"] == "query" and not parameter.get("required")
            ]
        )
    }


def test_a_filter_without_a_value_is_none_and_is_described_so(api, adam):
    """As a form sends it. A schema that did not say so would call such an answer a mistake."""
    client = api(adam)
    make_workflow(adam)
    found = described(client)

    assert set(found) >= FILTERED
    for path, parameters in found.items():
        assert all(parameter["allowEmptyValue"] for parameter in parameters), path
        if "{" not in path:
            empty = {parameter["name"]: "" for parameter in parameters}
            answer = client.get(path, REQUIRED.get(path, {}) | empty)
            assert answer.status_code == 200, path
    assert len(client.get("/api/workflows?status=&q=&limit=").json()["results"]) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [("/api/executions", "status=failed"), ("/api/admin/audit", "action=user.signed_in")],
    ids=["executions", "audit"],
)
def test_nothing_among_several_values_is_refused(api, adam, path, value):
    name = value.partition("=")[0]

    answer = api(adam).get(f"{path}?{value}&{name}=")

    assert answer.status_code == 400
    assert answer.json()["details"]["errors"][0]["path"] == name
