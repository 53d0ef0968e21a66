"""The administrators' page of what fills the database."""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from accounts.views.access import admins_only
from hummbl import retention, space
from hummbl.models import CleanUp
from hummbl.table_sizes import TableSize
from workflows.figures import storage

TABLES_SHOWN: Final = 10


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def manage_storage(request: UserRequest) -> HttpResponse:
    """Bytes by table and by workflow, and what is deleted when. A POST measures anew."""
    # The answer itself, no redirect: another process may have figures of its own.
    found = storage.storage(anew=request.method == "POST")
    last = CleanUp.objects.first()
    deleted = last.deleted if last else {}
    context: dict[str, Any] = {
        "found": found,
        "tables": _tables(found.sizes.tables),
        "others": found.others,
        "last": last,
        "last_rows": sum(deleted.values()),
        "rules": [
            (rule.name, rule.describe(), deleted.get(rule.name)) for rule in retention.rules()
        ],
        "shrinks": space.can_give_back(),
        "kept_minutes": storage.KEPT_SECONDS // 60,
    }
    return render(request, "workflows/manage_storage.html", context)


def _tables(sizes: list[TableSize]) -> list[tuple[str, TableSize]]:
    """The largest, each with what people call it, and all others as one."""
    names = storage.names()
    shown = [(names.get(size.table, ""), size) for size in sizes[:TABLES_SHOWN]]
    rest = sizes[TABLES_SHOWN:]
    if rest:
        sums = (
            sum(getattr(size, name) for size in rest)
            for name in ("row_bytes", "index_bytes", "toast_bytes", "rows")
        )
        others = f"{len(rest)} other{'' if len(rest) == 1 else 's'}"
        shown.append((others, TableSize("", *sums)))
    return shown
