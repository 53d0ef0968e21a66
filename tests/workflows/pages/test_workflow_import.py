import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import make_definition, make_task
from workflows.models import Workflow

URL = "/workflows/import"


def content(**fields):
    return json.dumps({"hummbl": 1, "name": "Brief", **make_definition(), **fields})


def upload(text, name="brief.json"):
    raw = text if isinstance(text, bytes) else text.encode()
    return SimpleUploadedFile(name, raw, content_type="application/json")


def test_the_form(browse, alice):
    page = browse(alice).get(URL).content.decode()

    assert 'type="file"' in page
    assert "/api/workflows/schema" in page


@pytest.mark.parametrize(
    "sent",
    [
        {"file": upload(content())},
        {"file": upload(b"\xef\xbb\xbf" + content().encode()), "text": "{"},
        {"text": content()},
    ],
    ids=["file", "file with a byte order mark, over what was pasted", "text"],
)
def test_imports(browse, alice, sent):
    if "file" in sent:
        sent["file"].seek(0)
    response = browse(alice).post(URL, sent, follow=True)

    workflow = Workflow.objects.get()
    assert response.redirect_chain == [(f"/workflows/{workflow.pk}", 302)]
    assert "“Brief” was imported." in response.content.decode()
    assert (workflow.owner, workflow.status, workflow.is_shared) == (alice, "active", False)


def test_line_ends_of_prompts_stay(browse, alice):
    text = content(tasks=[make_task("a", description="one\ntwo")])

    browse(alice).post(URL, {"text": text.replace(", ", ",\r\n")})

    assert (
        Workflow.objects.get().current_version.definition["tasks"][0]["description"] == "one\ntwo"
    )


def test_problems_come_with_their_places_and_the_text_to_correct(browse, alice):
    text = content(tasks=[make_task("a", "b", description="<script>alert(1)</script>")], x=1)

    response = browse(alice).post(URL, {"file": upload(text)})

    assert response.status_code == 422
    page = response.content.decode()
    assert "Not imported: 2 things to correct" in page
    assert "<code>tasks[0].dependencies[0]</code>" in page
    assert "<code>x</code>" in page
    assert response.context["form"]["text"].value() == text
    assert "<script>alert" not in page
    assert not Workflow.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose a file, or paste its text below."),
        ({"text": "  \n"}, "Choose a file, or paste its text below."),
        ({"text": "{"}, "Not JSON"),
        ({"text": "[1]"}, "This must be a JSON object"),
        ({"text": "[" * 100_000}, "nested too deep"),
        ({"text": '{"name": "a\\u0000b"}'}, "Remove the NUL character"),
        ({"text": '{"name": "\\ud800"}'}, "unpaired surrogate"),
        ({"text": content(x=10**30)}, "fits into 64 bits"),
        ({"text": content(tasks=[make_task("a", input={"n": 2**63})])}, "fits into 64 bits"),
        ({"text": '{"hummbl": 99}'}, "a newer version of HUMMBL wrote"),
        ({"file": upload(b"\xff\xfe\x00")}, "not text in UTF-8"),
        ({"file": upload(b"")}, "The submitted file is empty."),
    ],
)
def test_what_is_no_workflow(browse, alice, sent, said):
    if "file" in sent:
        sent["file"].seek(0)
    response = browse(alice).post(URL, sent)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Workflow.objects.exists()


def test_a_viewer_may_not(browse, vera):
    assert browse(vera).get(URL).status_code == 403
    assert browse(vera).post(URL, {"text": content()}).status_code == 403


def test_strangers_sign_in_first(browse, db):
    assert browse().get(URL)["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).put(URL).status_code == 405


def test_a_body_that_was_withheld_for_its_size_is_called_too_large(alice):
    """The server withholds it whole, the token against forgery with it."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.generic(
        "POST", URL, b"", "multipart/form-data; boundary=x", CONTENT_LENGTH="9999999"
    )

    assert response.status_code == 413
    assert "That is too much at once" in response.content.decode()
