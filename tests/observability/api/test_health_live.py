"""`GET /api/health/live`."""

URL = "/api/health/live"


def test_it_answers_without_a_database(client):
    """Without the fixture `db` every query is an error."""
    response = client.get(URL, headers={"Authorization": "Bearer forged"})
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert response["Cache-Control"] == "no-store"


def test_it_only_reads(client):
    assert client.post(URL).status_code == 405
