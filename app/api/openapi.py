"""The parts of the API page that FastAPI cannot see: bodies read raw, and the key."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_REF = "#/components/schemas/{model}"


def body_of(
    model: type[BaseModel], examples: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """A route's `openapi_extra` for a body that the handler parses itself."""
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(model=model.__name__)}}
    if examples:
        content["examples"] = dict(examples)
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def document(api: FastAPI, bodies: Iterable[type[BaseModel]], public: Iterable[str]) -> None:
    """Complete an app's OpenAPI document: schemas of `bodies`, the key, and who needs none."""
    plain = api.openapi

    def complete() -> dict[str, Any]:
        if api.openapi_schema is None:
            page = plain()
            components = page.setdefault("components", {})
            _, shared = models_json_schema([(b, "validation") for b in bodies], ref_template=_REF)
            components.setdefault("schemas", {}).update(shared["$defs"], Problem=_PROBLEM)
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            page["security"] = [{"key": []}]
            for path, operations in page["paths"].items():
                for operation in operations.values():
                    _complete(operation, path in set(public))
        schema = api.openapi_schema
        assert schema is not None, "FastAPI keeps what it made"
        return schema

    api.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way.


def _complete(operation: dict[str, Any], public: bool) -> None:
    if public:
        operation["security"] = []
    # FastAPI's own shape of a validation error is not ours.
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
    }


_PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "message", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for machines."},
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
        "limit": {"type": "string", "description": "A refusal by risk: which limit,"},
        "limit_value": {"type": "string", "description": "its value,"},
        "order_value": {"type": "string", "description": "and the order's."},
    },
}
