"""The OpenAPI document describes every address of these pages, without a warning."""

from django.core.management import call_command


def test_complete_and_without_warnings(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yml"))


def test_described_and_tagged(api, alice):
    paths = api(alice).get("/api/schema?format=json").json()["paths"]

    for tag in ("workflows", "executions", "keys", "models"):
        addresses = [path for path in paths if path.startswith(f"/api/{tag}")]
        assert addresses
        for path in addresses:
            for operation in paths[path].values():
                assert operation["tags"] == [tag]
                assert operation["summary"]


def test_admin_reads_say_that_others_are_refused(api, alice):
    paths = api(alice).get("/api/schema?format=json").json()["paths"]

    for path in (
        "/api/admin/workflows",
        "/api/admin/executions",
        "/api/admin/stats",
        "/api/admin/storage",
    ):
        assert api(alice).get(path).status_code == 403
        assert "403" in paths[path]["get"]["responses"]
