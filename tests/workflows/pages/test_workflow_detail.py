import pytest

from tests.factories import make_agent, make_definition, make_task, make_workflow
from tests.workflows.pages.runs import make_run


def url(workflow):
    return f"/workflows/{workflow.pk}"


def test_shows_graph_agents_tasks_and_runs(browse, alice):
    workflow = make_workflow(alice, name="Market brief")
    run = make_run(alice, workflow=workflow)
    page = browse(alice).get(url(workflow)).content.decode()
    assert "Market brief" in page
    assert 'data-id="report"' in page
    assert 'data-deps="gather"' in page
    assert "Runs after Gather." in page
    assert f"/executions/{run.pk}" in page


def test_a_reader_sees_no_controls(browse, alice, bob, vera):
    workflow = make_workflow(alice, is_shared=True)
    for reader in (bob, vera):
        page = browse(reader).get(url(workflow)).content.decode()
        assert "/edit" not in page
        assert "/delete" not in page
        assert "/run" not in page


def test_another_s_is_not_found(browse, alice, bob, vera):
    workflow = make_workflow(alice)
    assert browse(bob).get(url(workflow)).status_code == 404
    assert browse(vera).get(url(workflow)).status_code == 404


def test_an_admin_may_do_all(browse, alice, adam):
    page = browse(adam).get(url(make_workflow(alice))).content.decode()
    assert "/edit" in page
    assert "/delete" in page


def test_runs_of_others_do_not_show(browse, alice, adam):
    workflow = make_workflow(alice, is_shared=True)
    run = make_run(alice, workflow=workflow, user=adam)
    assert str(run.pk) not in browse(alice).get(url(workflow)).content.decode()


def test_a_paused_one_cannot_be_run(browse, alice):
    workflow = make_workflow(alice, status="paused")
    page = browse(alice).get(url(workflow)).content.decode()
    assert "This workflow is paused" in page
    assert f"{url(workflow)}/run" not in page


def test_strangers_sign_in_first(browse, alice):
    assert browse().get(url(make_workflow(alice)))["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(url(make_workflow(alice))).status_code == 405


def test_what_people_write_is_text(browse, alice):
    evil = "<script>alert(1)</script>"
    definition = make_definition(
        make_task("gather", name=evil, description=evil),
        agents=[make_agent(name=evil, instructions=evil, role=evil)],
    )
    workflow = make_workflow(alice, name=evil, description=evil, definition=definition)
    assert "<script>alert" not in browse(alice).get(url(workflow)).content.decode()


@pytest.mark.parametrize("count", [1, 12])
def test_queries_do_not_grow(browse, alice, django_assert_num_queries, count):
    tasks = [make_task(f"task_{number}") for number in range(count)]
    workflow = make_workflow(alice, definition=make_definition(*tasks))
    for _ in range(count):
        make_run(alice, workflow=workflow)
    client = browse(alice)
    with django_assert_num_queries(4):
        client.get(url(workflow))
