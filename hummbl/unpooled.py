"""Connections of one's own, outside the pool: for what belongs to a connection and its session."""

import copy
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def connection(name: str, alias: str = DEFAULT_DB_ALIAS) -> BaseDatabaseWrapper:
    """One that is not open yet. The caller closes it; `name` is what pg_stat_activity shows."""
    own = connections[alias].copy()
    own.settings_dict = copy.deepcopy(own.settings_dict)
    if own.vendor == "postgresql":
        options: dict[str, Any] = own.settings_dict["OPTIONS"]
        options.pop("pool", None)
        options["application_name"] = name
    return own
