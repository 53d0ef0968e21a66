"""What people wrote comes back in their order, on PostgreSQL as well."""

import pytest

from tests.factories import make_definition, make_execution, make_workflow
from workflows.models import Execution, Workflow

pytestmark = pytest.mark.django_db


def test_documents_and_inputs_keep_the_order_of_their_keys(alice):
    names = ["topic", "b", "audience", "a"]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    workflow = make_workflow(alice, definition=make_definition(input_schema=schema))
    execution = make_execution(workflow, input=dict.fromkeys(names, "x"))

    version = Workflow.objects.get(pk=workflow.pk).current_version
    assert list(version.definition["input_schema"]["properties"]) == names
    assert list(Execution.objects.get(pk=execution.pk).input) == names
    assert workflow.revise(version.definition, by=alice).number == 1
