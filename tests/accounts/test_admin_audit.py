"""What is done in the Django admin, in the audit log."""

import pytest
from django.contrib import admin as django_admin
from django.contrib.messages.storage.fallback import FallbackStorage

from accounts.admin.audited import Audited
from accounts.models import Session, User
from tests.accounts.entries import forget, recorded
from tests.factories import make_key, make_workflow


@pytest.fixture
def browser(browse, adam):
    return browse(adam)


def test_every_model_of_the_admin_is_audited():
    plain = [
        model.__name__
        for model, each in django_admin.site._registry.items()
        if not isinstance(each, Audited)
    ]
    assert plain == []


def test_a_workflow_is_changed_as_on_its_pages(browser, alice):
    workflow = make_workflow(alice)
    forget()
    form = {
        "name": "Renamed",
        "description": "",
        "status": "paused",
        "is_shared": "on",
        "cost_cap": "",
        "versions-TOTAL_FORMS": 0,
        "versions-INITIAL_FORMS": 0,
    }
    url = f"/admin/workflows/workflow/{workflow.pk}/change/"
    assert browser.post(url, form).status_code == 302
    who = "adam@example.com"
    fields = {"fields": ["name", "status"], "status": "paused"}
    assert recorded() == [
        ("workflow.shared", who, "Renamed", {}),
        ("workflow.changed", who, "Renamed", fields),
    ]


def test_a_workflow_is_deleted_as_on_its_pages(browser, alice):
    workflow = make_workflow(alice)
    forget()
    browser.post(f"/admin/workflows/workflow/{workflow.pk}/delete/", {"post": "yes"})
    assert recorded() == [("workflow.deleted", "adam@example.com", "Report", {})]


def test_a_key_is_stopped_and_deleted_as_on_its_page(browser, alice):
    key = make_key(alice)
    forget()
    base = f"/admin/workflows/apikey/{key.pk}"
    assert browser.post(f"{base}/change/", {}).status_code == 302
    assert browser.post(f"{base}/change/", {}).status_code == 302
    browser.post(f"{base}/delete/", {"post": "yes"})
    label, owner = "OpenAI · main · •••• abcd", {"owner": str(alice.pk)}
    assert recorded() == [
        ("key.changed", "adam@example.com", label, {"what": "deactivated", **owner}),
        ("key.deleted", "adam@example.com", label, owner),
    ]


def test_keys_deleted_by_the_dozen_are_named_each(browser, alice):
    keys = [make_key(alice, name=name) for name in ("one", "two")]
    forget()
    form = {
        "action": "delete_selected",
        "_selected_action": [str(key.pk) for key in keys],
        "post": "yes",
    }
    browser.post("/admin/workflows/apikey/", form)
    assert [action for action, *_ in recorded()] == ["key.deleted"] * 2


def test_a_session_is_ended_as_on_its_user_s_page(browser, alice):
    session, _ = Session.open(alice, ip="::1", user_agent="x")
    forget()
    url = f"/admin/accounts/session/{session.pk}/delete/"
    assert browser.post(url, {"post": "yes"}).status_code == 302
    assert [action for action, *_ in recorded()] == ["session.ended"]


class PlainAdmin(Audited):
    """Adds, changes and deletes by no action of its own."""

    fields = ("email", "name")


@pytest.fixture
def posted(rf, adam):
    """`posted(name="x")` is a request of an administrator."""

    def make(**form):
        request = rf.post("/", form)
        request.user, request.session, request._dont_enforce_csrf_checks = adam, {}, True
        request._messages = FallbackStorage(request)
        return request

    return make


def test_what_has_no_action_of_its_own(posted, alice):
    page, email = PlainAdmin(User, django_admin.site), "new@example.com"
    forget()
    page.changeform_view(posted(email=email, name="New"))
    pk = str(User.objects.get(email=email).pk)
    page.changeform_view(posted(email=email, name="Other"), pk)
    page.changeform_view(posted(email=email, name="Other"), pk)
    page.delete_view(posted(post="yes"), pk)
    who = "adam@example.com"
    assert recorded() == [
        ("admin.changed", who, email, {"what": "added"}),
        ("admin.changed", who, email, {"what": "changed", "fields": ["name"]}),
        ("admin.changed", who, email, {"what": "deleted"}),
    ]
