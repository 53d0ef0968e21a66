"""How the bodies and answers appear in the OpenAPI schema."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from pydantic.json_schema import models_json_schema

from workflows.api.answers import Answer
from workflows.api.bodies import Body


class _PydanticSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Pydantic's schema of a class, in the words of OpenAPI 3.0."""

    match_subclasses = True
    priority = 1  # before drf-spectacular's own, which marks defaulted fields of a body required

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """The component's name: the class's."""
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """The schema; the classes inside become components of their own."""
        refs, schema = models_json_schema(
            [(self.target, "validation")], ref_template="#/components/schemas/{model}"
        )
        parts = {name: _openapi(part) for name, part in schema["$defs"].items()}
        own = parts.pop(next(iter(refs.values()))["$ref"].rpartition("/")[2])
        parent: Any = self.target_class
        known = {child.__name__: child for child in _subclasses(parent)}
        for name, part in parts.items():
            # The class itself, where there is one: elsewhere it may be an answer of its own.
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name,
                type=ResolvedComponent.SCHEMA,
                object=known.get(name, name),
                schema=part,
            )
            auto_schema.registry.register_on_missing(component)
        return dict(own)


def _subclasses(parent: type[Any]) -> Iterator[type[Any]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


class BodySchema(_PydanticSchema):  # type: ignore[no-untyped-call]
    """Request bodies."""

    target_class = Body


class AnswerSchema(_PydanticSchema):  # type: ignore[no-untyped-call]
    """Answers."""

    target_class = Answer


def _openapi(schema: Any) -> Any:
    """OpenAPI 3.0 has no type `null`: it says nullable. It has no `const`: it lists one choice."""
    if isinstance(schema, list):
        return [_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "const" in schema:
        rest = {key: value for key, value in schema.items() if key != "const"}
        return {**rest, "enum": [schema["const"]]}
    if schema.get("type") == "null":
        return {**schema, "type": "string", "nullable": True}
    options = schema.get("anyOf", [])
    rest = {key: _openapi(value) for key, value in schema.items() if key != "anyOf"}
    kept = [_openapi(option) for option in options if option != {"type": "null"}]
    if len(kept) == len(options):
        return {**rest, "anyOf": kept} if kept else rest
    if len(kept) == 1:
        return {**kept[0], **rest, "nullable": True}
    return {**rest, "anyOf": kept, "nullable": True}
