"""What the pages of the Django admin share: rows made elsewhere, history, links, bounded lists."""

import uuid
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from accounts.admin.audited import Audited
from accounts.views.reauthenticate import recent_sign_in

ROWS = 100
MOST_ROWS = 10_000


@method_decorator(cast("Any", recent_sign_in), name="changeform_view")
@method_decorator(cast("Any", recent_sign_in), name="delete_view")
class WantsPassword(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows that are made, changed and deleted only with a recent sign-in, as on our own pages."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts 10,000 rows at most: counting a history of millions costs more than it tells.

    What lies beyond is found by search, filters and dates.
    """

    @cached_property
    def count(self) -> int:
        """The rows that there are pages for."""
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_ROWS].count())


class MadeElsewhere(Audited):
    """Rows that come into being through the pages, the API or the engine.

    A search for an id finds it by the columns of `id_fields`; anything else is looked for in
    `search_fields`.
    """

    paginator = BoundedPaginator
    list_per_page = ROWS
    list_max_show_all = ROWS
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    id_fields: tuple[str, ...] = ("pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made elsewhere."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id when the term is one: databases store ids in other ways than people write them."""
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        found = Q()
        for name in self.id_fields:
            found |= Q(**{name: wanted})
        return queryset.filter(found), False


class History(MadeElsewhere):
    """Rows that nobody changes or deletes by hand."""

    actions: Any = None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened, happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """It goes with what it belongs to."""
        return False


class Lines(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """Rows that belong to the page's, to look at."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Made elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened, happened."""
        return False


def link(url: str, text: object) -> SafeString:
    """A link in a list."""
    return format_html('<a href="{}">{}</a>', url, text)


def link_to(row: Model, text: object = None) -> SafeString:
    """A link to the admin's page of that row."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"  # noqa: SLF001
    return link(reverse(name, args=[row.pk]), row if text is None else text)


def link_to_list(model: type[Model], text: object, **filters: Any) -> SafeString:
    """A link to the admin's list of that model, filtered."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"  # noqa: SLF001
    return link(f"{reverse(name)}?{urlencode(filters)}", text)
