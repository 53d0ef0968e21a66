"""Plain functions that make what a test needs."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import AccessToken, User
from workflows.models import ApiKey, Execution, Workflow

PASSWORD = "correct horse battery"


def make_user(email: str, *, name: str = "", role: str = "user", **extra: Any) -> User:
    """A user whose password is PASSWORD."""
    return User.objects.create_user(email, PASSWORD, name=name, role=role, **extra)


def make_agent(id: str = "writer", **fields: Any) -> dict[str, Any]:
    """An agent of a document, on the embedded model unless told otherwise."""
    return {
        "id": id,
        "name": id.capitalize(),
        "provider": "local",
        "model": "smollm2-135m",
        **fields,
    }


def make_task(id: str, *dependencies: str, **fields: Any) -> dict[str, Any]:
    """A task of a document, done by the agent `writer` unless told otherwise."""
    return {
        "id": id,
        "name": id.replace("_", " ").capitalize(),
        "description": f"Do {id}.",
        "agent_id": "writer",
        "dependencies": list(dependencies),
        **fields,
    }


def make_definition(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A document; without tasks, `gather` and then `report`."""
    return {
        "agents": [make_agent()],
        "tasks": list(tasks) or [make_task("gather"), make_task("report", "gather")],
        **fields,
    }


def make_diamond(width: int = 8, **agent: Any) -> dict[str, Any]:
    """One task, `width` tasks after it, and one after all of these."""
    middle = [f"middle_{n}" for n in range(width)]
    return {
        "agents": [make_agent(**agent)],
        "tasks": [
            make_task("first"),
            *(make_task(id, "first") for id in middle),
            make_task("last", *middle),
        ],
    }


def make_workflow(owner: User, *, name: str = "Report", **fields: Any) -> Workflow:
    """A workflow of that owner; `definition` defaults to make_definition()."""
    definition = fields.pop("definition", None) or make_definition()
    return Workflow.create_with(owner=owner, name=name, definition=definition, **fields)


def make_execution(workflow: Workflow, **fields: Any) -> Execution:
    """A pending execution of the workflow by its owner."""
    return workflow.execute(
        user=fields.pop("user", workflow.owner), input=fields.pop("input", {}), **fields
    )


def make_key(user: User, **fields: Any) -> ApiKey:
    """An OpenAI key of that user."""
    fields = {"provider": "openai", "name": "main", "secret": "sk-test-0123456789abcd", **fields}
    return ApiKey.store(user=user, **fields)


def make_token(user: User, *scopes: str, **fields: Any) -> tuple[AccessToken, str]:
    """An access token of that user and its secret; it may read unless told otherwise."""
    fields.setdefault("name", f"token {user.access_tokens.count() + 1}")
    fields.setdefault("expires_at", timezone.now() + timedelta(days=90))
    return AccessToken.issue(user, scopes=scopes or ("read",), **fields)
