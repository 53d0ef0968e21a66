"""What the OpenAPI document says of every operation alike."""

from typing import Any

_METHODS = {"get", "post", "put", "patch", "delete"}
_SENTENCES = {
    "400": "The request is not valid; `details.errors` says where.",
    "401": "Sign in first: the token is missing, wrong or expired.",
    "403": "You may see this, but not do this; or the access token lacks a scope.",
    "404": "There is nothing at this address, or it is not yours to see.",
    "413": "The body is larger than 1 MB.",
    "415": "The body is not JSON.",
    "429": "Too many requests; `Retry-After` says when the next one is welcome.",
}
_ERROR = {
    "type": "object",
    "required": ["error", "code", "details"],
    "properties": {
        "error": {"type": "string", "description": "What went wrong, in a sentence."},
        "code": {"type": "string", "description": "The same, for programs."},
        "details": {
            "type": "object",
            "additionalProperties": True,
            "properties": {
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["path", "code", "message"],
                        "properties": {
                            "path": {"type": "string", "example": "tasks[3].dependencies[0]"},
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                        },
                    },
                }
            },
        },
    },
}


def document_errors(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """drf-spectacular's hook: the error envelope, and where each status can come from."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            if method in _METHODS and "health" not in operation.get("tags", ()):
                _add(operation, _statuses(path, operation))
                _allow_empty(operation)
    return result


def _statuses(path: str, operation: dict[str, Any]) -> set[str]:
    found = {"429"}
    if {} not in operation.get("security", [{}]):
        found |= {"401", "403"}
    if "{" in path:
        found.add("404")
    if "requestBody" in operation:
        found |= {"400", "413", "415"}
    if any(parameter["in"] != "path" for parameter in operation.get("parameters", [])):
        found.add("400")
    return found


def _add(operation: dict[str, Any], statuses: set[str]) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses = operation.setdefault("responses", {})
    for status, answer in responses.items():
        if status.startswith(("4", "5")) and "content" not in answer:
            answer["content"] = content
    for status in sorted(statuses - set(responses)):
        responses[status] = {"description": _SENTENCES[status], "content": content}


def _allow_empty(operation: dict[str, Any]) -> None:
    """A filter without a value is none, as forms send it: where it may be left out."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and not parameter.get("required"):
            parameter["allowEmptyValue"] = True
