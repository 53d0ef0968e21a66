"""`GET /api/models`."""

from workflows.api.answers import ModelList

URL = "/api/models"


def test_models(api, alice, vera):
    for user in (alice, vera):
        data = api(user).get(URL).json()
        ModelList.model_validate(data)
        local = next(model for model in data["results"] if model["provider"] == "local")
        assert local["input_price"] == "0"
        assert local["context"] > 0


def test_anonymous(api, db):
    answer = api().get(URL)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_wrong_method(api, alice):
    assert api(alice).post(URL, {}).status_code == 405
