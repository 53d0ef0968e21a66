"""No table grows for ever unnoticed: each has a rule, or something that bounds it."""

import pytest
from django.db import connection

from hummbl import retention

PEOPLE = "what people make and delete themselves"
CODE = "as many rows as the code has names"
RELEASES = "a row for each release that ever ran"
COUNTED = "a window of minutes, swept while it is counted"
TABLES = {
    "accounts_accesstoken": "access tokens",
    "accounts_auditentry": "audit log",
    "accounts_session": "sessions",
    "accounts_user": PEOPLE,
    "accounts_user_groups": PEOPLE,
    "accounts_user_user_permissions": PEOPLE,
    "auth_group": PEOPLE,
    "auth_group_permissions": PEOPLE,
    "auth_permission": CODE,
    "django_admin_log": "admin history",
    "django_content_type": CODE,
    "django_migrations": CODE,
    "django_session": "browser cookies",
    "hummbl_cleanup": CODE,
    "hummbl_duty": CODE,
    "hummbl_rate_counter": COUNTED,
    "observability_alert": "alerts",
    "observability_alertrule": PEOPLE,
    "observability_alertrule_channels": PEOPLE,
    "observability_delivery": "alert deliveries",
    "observability_errorgroup": "errors",
    "observability_errorhour": "errors by hour",
    "observability_errorreport": "error reports",
    "observability_erroruser": "users who met errors",
    "observability_installed": CODE,
    "observability_metricbucket": "metrics",
    "observability_metricseries": "metrics",
    "observability_notificationchannel": PEOPLE,
    "observability_release": RELEASES,
    "observability_requestsample": "request samples",
    "observability_silence": "alert silences",
    "workflows_apikey": PEOPLE,
    "workflows_execution": "executions",
    "workflows_executionevent": "histories",
    "workflows_spendentry": "calls",
    "workflows_taskresult": "executions",
    "workflows_worker": "workers",
    "workflows_workflow": PEOPLE,
    "workflows_workflowversion": PEOPLE,
}


@pytest.mark.django_db
def test_every_table_has_an_end():
    found = set(connection.introspection.table_names())
    # Procrastinate's own: `workflows.engine.dispatchers` deletes what is over.
    found = {name for name in found if not name.startswith("procrastinate_")}
    # Beside a SQLite file the counters have a file of their own.
    assert found | {"hummbl_rate_counter"} == TABLES.keys()


@pytest.mark.django_db
def test_every_rule_that_is_named_is_followed():
    rules = {result.name for result in retention.preview()}
    named = set(TABLES.values()) - {PEOPLE, CODE, COUNTED, RELEASES}
    assert named <= rules
