from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.factories import make_workflow
from tests.workflows.pages.runs import make_attempt, make_run
from workflows.models import Execution, Workflow

URL = "/dashboard"
FEW = 8


def test_teaches_who_has_nothing_yet(browse, alice):
    page = browse(alice).get(URL).content.decode()
    assert "Run the sample workflow" in page
    assert "Your first own workflow" in page


def test_shows_runs_rates_and_spend(browse, alice):
    workflow = make_workflow(alice, name="Market brief")
    good = make_run(alice, workflow=workflow)
    for _ in range(2):
        make_run(alice, workflow=workflow)
    make_run(alice, "failed", workflow=workflow)
    make_run(alice, "running", workflow=workflow)
    make_attempt(good, "gather", settled="1.25")
    make_attempt(good, "report", settled=None)
    response = browse(alice).get(URL)
    page = response.content.decode()
    assert response.context["week"].rate == pytest.approx(0.75)
    assert response.context["under_way_count"] == 1
    # What is not settled counts as what was reserved for it.
    assert response.context["spend_month"] == Decimal("1.27")
    assert "75%" in page
    assert "$1.27" in page
    assert "Market brief" in page


def test_spend_of_other_months_and_people_is_left_out(browse, alice, bob):
    run = make_run(alice)
    make_attempt(run, "gather", at=timezone.now() - timedelta(days=40))
    make_attempt(make_run(bob), "gather", settled="9")
    context = browse(alice).get(URL).context
    assert context["spend_month"] == 0
    assert context["spend_days"] == 0
    assert len(context["spend"]) == 30


def test_compares_with_the_week_before(browse, alice):
    make_run(alice)
    old = make_run(alice, "failed")
    Execution.objects.filter(pk=old.pk).update(completed_at=timezone.now() - timedelta(days=9))
    assert browse(alice).get(URL).context["week"].change == pytest.approx(100)


def test_moves_while_something_runs(browse, alice, fragment):
    make_run(alice, "running")
    page = browse(alice).get(URL, **fragment).content.decode()
    assert "<html" not in page
    assert 'hx-trigger="every' in page


def test_is_still_when_nothing_runs(browse, alice, fragment):
    make_run(alice)
    assert "hx-trigger" not in browse(alice).get(URL, **fragment).content.decode()


def test_runs_the_sample(browse, alice):
    response = browse(alice).post(URL)
    execution = Execution.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/executions/{execution.pk}"
    assert execution.user == alice


def test_the_sample_is_made_once(browse, alice):
    browse(alice).post(URL)
    browse(alice).post(URL)
    assert Workflow.objects.count() == 1
    assert Execution.objects.count() == 2


def test_a_viewer_runs_nothing(browse, vera):
    assert browse(vera).post(URL).status_code == 403
    page = browse(vera).get(URL).content.decode()
    assert "New workflow" not in page
    assert "Run the sample" not in page


def test_strangers_sign_in_first(browse, db):
    response = browse().get(URL)
    assert response.status_code == 302
    assert response["Location"].startswith("/signin")


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).put(URL).status_code == 405


def test_queries_do_not_grow_with_runs(browse, alice, django_assert_num_queries):
    client = browse(alice)
    client.get(URL)
    make_run(alice, "running")
    with django_assert_num_queries(FEW):
        client.get(URL)
    for _ in range(5):
        make_run(alice, "running")
        make_run(alice)
    with django_assert_num_queries(FEW):
        client.get(URL)
