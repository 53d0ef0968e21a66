"""Patterns of addresses as people read them."""

import pytest
from django.urls import resolve

from observability import routes


@pytest.mark.parametrize(
    ("route", "label"),
    [
        ("", "/"),
        ("workflows/<uuid:pk>", "/workflows/{id}"),
        ("api/workflows/<uuid:pk>/versions/<int:number>", "/api/workflows/{id}/versions/{number}"),
        ("admin/^(?P<url>.*)$", "/admin/{url}"),
        (r"admin/r/(?P<path>[\w.]+)/?$", "/admin/r/{path}/"),
    ],
)
def test_a_pattern_is_named_by_its_parameters(route, label):
    assert routes.label(route) == label


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/api/workflows", "/api/workflows"),
        ("/api/no/such/thing", "unmatched"),
        ("/signin", "/signin"),
    ],
)
def test_an_address_is_named_by_its_pattern(path, label):
    assert routes.of(resolve(path)) == label
