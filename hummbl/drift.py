"""Where the tables differ from what the models say: what somebody changed by hand, or lost.

Tables, columns, indexes, constraints and triggers are compared; of triggers the names, which a
model lists in `triggers`. The conditions of checks and partial indexes are not, nor what triggers
do: databases spell that in ways of their own.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

# Tables without a model: Django's list of migrations and our counters.
APART = {"django_migrations", "hummbl_rate_counter"}


def find() -> Iterator[str]:
    """The differences, a sentence each, the same on every run. Raises DatabaseError."""
    models = {_meta(model).db_table: model for model in _models()}
    # Models that we do not manage may have tables, and are none of our business.
    managed = {name for name, model in models.items() if _meta(model).managed}
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for table in sorted(managed - present):
            yield f"{table}: the table is missing"
        for table in sorted(present - models.keys() - APART):
            yield f"{table}: no model has this table"
        for table in sorted(managed & present):
            for difference in _differences(cursor, models[table]):
                yield f"{table}: {difference}"


def _models() -> list[type[Model]]:
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if not _meta(model).proxy]


def _meta(model: type[Model]) -> Any:
    return model._meta  # noqa: SLF001 - a public name


def _differences(cursor: Any, model: type[Model]) -> Iterator[str]:
    meta = _meta(model)
    fields = {field.column: field for field in meta.local_concrete_fields}
    columns = _columns(cursor, meta.db_table)
    for name in sorted(fields.keys() - columns.keys()):
        yield f"the column {name} is missing"
    for name in sorted(columns.keys() - fields.keys()):
        yield f"no model has the column {name}"
    for name in sorted(fields.keys() & columns.keys()):
        # The key of a table between two others has the type that was the default when it was made.
        is_key_between = bool(meta.auto_created) and fields[name].primary_key
        yield from _column_differences(fields[name], *columns[name], any_type=is_key_between)
    named = {each.name for each in (*meta.indexes, *meta.constraints)}
    found: dict[str, Any] = connection.introspection.get_constraints(cursor, meta.db_table)
    for name in sorted(named - found.keys()):
        yield f"{name} is missing, an index or a constraint"
    for each in (*meta.indexes, *meta.constraints):
        if each.name in found:
            yield from _column_list_differences(meta, each, found[each.name]["columns"])
    unnamed = {name: each for name, each in found.items() if name not in named}
    for field in fields.values():
        yield from _field_differences(field, list(unnamed.values()))
    together = {tuple(sorted(each)) for each in _unique_together(model)}
    for name, each in sorted(unnamed.items()):
        if not _comes_with_fields(each, fields, together):
            yield f"no model has {name}, an index or a constraint"
    yield from _trigger_differences(cursor, model)


def _trigger_differences(cursor: Any, model: type[Model]) -> Iterator[str]:
    wanted = set(getattr(model, "triggers", ()))
    present = _triggers(cursor, _meta(model).db_table)
    for name in sorted(wanted - present):
        yield f"the trigger {name} is missing or switched off"
    for name in sorted(present - wanted):
        yield f"no model has the trigger {name}"


def _triggers(cursor: Any, table: str) -> set[str]:
    """Those that are in force, without those that foreign keys make on PostgreSQL."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(%s)) "
            "AND NOT tgisinternal AND tgenabled IN ('O', 'A')",
            [table],
        )
    else:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table]
        )
    return {name for (name,) in cursor.fetchall()}


def _column_list_differences(meta: Any, each: Any, columns: list[str]) -> Iterator[str]:
    """Whether an index or a constraint of the right name is on other columns than it should be."""
    # An index may begin a name with a minus; those on expressions, and checks, list no fields.
    wanted = [meta.get_field(name.lstrip("-")).column for name in getattr(each, "fields", ())]
    if wanted and columns != wanted:
        yield f"{each.name} is on {', '.join(columns)}, and should be on {', '.join(wanted)}"


def _columns(cursor: Any, table: str) -> dict[str, tuple[str, bool]]:
    """The type of each column as the database spells it, and whether it may be NULL."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute "
            "WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped",
            [table],
        )
    else:
        cursor.execute('SELECT name, type, NOT "notnull" FROM pragma_table_info(%s)', [table])
    return {name: (type_, bool(null)) for name, type_, null in cursor.fetchall()}


def _column_differences(field: Any, type_: str, null: bool, *, any_type: bool) -> Iterator[str]:
    wanted = _spelled(field.db_type(connection))
    if _spelled(type_) != wanted and not any_type:
        yield f"the column {field.column} is {_spelled(type_)}, and should be {wanted}"
    if null != field.null:
        yield f"the column {field.column} {'may' if null else 'must not'} be NULL"


def _spelled(type_: str) -> str:
    """One spelling for types that have two."""
    return type_.lower().replace("character varying", "varchar").replace(", ", ",")


def _field_differences(field: Any, constraints: list[dict[str, Any]]) -> Iterator[str]:
    """What a field asks for without a name: a key, uniqueness, an index, another table's row."""
    own = [each for each in constraints if each["columns"] == [field.column]]
    if field.primary_key:
        if not any(each["primary_key"] for each in own):
            yield f"the column {field.column} is not the primary key"
    elif field.unique:
        if not any(each["unique"] for each in own):
            yield f"the column {field.column} is not unique"
    elif field.db_index and not any(each["index"] for each in own):
        yield f"the column {field.column} has no index"
    target = _target(field)
    if target and not any(each["foreign_key"] == target for each in own):
        yield f"the column {field.column} does not refer to {target[0]}"


def _target(field: Any) -> tuple[str, str] | None:
    """The table and column that a foreign key refers to."""
    if not getattr(field, "db_constraint", False):
        return None
    target = field.target_field
    return _meta(target.model).db_table, target.column


def _unique_together(model: type[Model]) -> list[tuple[str, ...]]:
    meta = _meta(model)
    return [tuple(meta.get_field(name).column for name in names) for names in meta.unique_together]


def _comes_with_fields(
    constraint: dict[str, Any],
    fields: dict[str, Any],
    together: set[tuple[str, ...]],
) -> bool:
    """Whether a field, or fields that are unique together, bring it along without a name."""
    columns = tuple(sorted(set(constraint["columns"]) - {None}))
    if constraint["unique"] and len(columns) > 1:
        return columns in together
    field = fields.get(columns[0]) if len(columns) == 1 else None
    if field is None:
        # An index on an expression, or on several columns, has a name.
        return not (constraint["index"] or constraint["check"] or constraint["unique"])
    if constraint["check"]:
        return bool(field.db_check(connection))
    if constraint["foreign_key"]:
        return _target(field) is not None
    if constraint["index"] or constraint["unique"]:
        return bool(field.db_index or field.unique)
    return True
