import pytest

from tests.factories import make_agent, make_definition, make_task, make_workflow
from workflows.models import Workflow


def url(workflow, number=1):
    return f"/workflows/{workflow.pk}/versions/{number}"


@pytest.fixture
def workflow(alice):
    workflow = make_workflow(alice, name="Market brief")
    workflow.revise(make_definition(make_task("only")), by=alice)
    return workflow


def test_the_document_as_it_was(browse, alice, workflow):
    page = browse(alice).get(url(workflow)).content.decode()

    assert 'data-id="report"' in page
    assert "Do gather." in page
    assert f"{url(workflow)}/diff/2" in page
    assert f"{url(workflow)}/restore" in page


def test_the_current_one_needs_no_restoring(browse, alice, workflow):
    page = browse(alice).get(url(workflow, 2)).content.decode()

    assert "Current</span>" in page
    assert "/restore" not in page
    assert "/diff/" not in page


def test_a_reader_restores_nothing(browse, bob, vera, workflow):
    Workflow.objects.update(is_shared=True)
    for reader in (bob, vera):
        response = browse(reader).get(url(workflow))
        assert response.status_code == 200
        assert "/restore" not in response.content.decode()


@pytest.mark.parametrize("number", [0, 3, 10**30])
def test_there_is_no_such_version(browse, alice, workflow, number):
    assert browse(alice).get(url(workflow, number)).status_code == 404


def test_another_s_is_not_found(browse, bob, workflow):
    assert browse(bob).get(url(workflow)).status_code == 404


def test_strangers_sign_in_first(browse, workflow):
    assert browse().get(url(workflow))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice, workflow):
    assert browse(alice).post(url(workflow)).status_code == 405


def test_what_people_write_is_text(browse, alice):
    evil = "<script>alert(1)</script>"
    tasks = [make_task("gather", name=evil, description=evil)]
    definition = make_definition(*tasks, agents=[make_agent(name=evil, instructions=evil)])
    workflow = make_workflow(alice, name=evil, definition=definition)
    workflow.revise(make_definition(), by=alice)

    for path in (url(workflow), f"{url(workflow)}/diff/2", f"/workflows/{workflow.pk}/versions"):
        response = browse(alice).get(path)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()


def test_queries(browse, alice, workflow, django_assert_num_queries):
    client = browse(alice)
    with django_assert_num_queries(4):  # session, user, workflow, version
        client.get(url(workflow))
