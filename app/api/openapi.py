"""The parts of the API page that FastAPI cannot see: bodies read raw, and the key."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.answers import SHAPES
from app.api.answers.answer import Answer, Route
from app.api.answers.telling import tell

_REF = "#/components/schemas/{model}"


def body_of(
    model: type[BaseModel], examples: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """A route's `openapi_extra` for a body that the handler parses itself."""
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(model=model.__name__)}}
    if examples:
        content["examples"] = dict(examples)
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


BEARER: Mapping[str, Any] = {"key": {"type": "http", "scheme": "bearer"}}


def document(
    api: FastAPI,
    bodies: Iterable[type[BaseModel]],
    public: Iterable[str],
    schemes: Mapping[str, Any] = BEARER,
    *,
    answers: Mapping[Route, Answer] | None = None,
    told: Mapping[str, Any] | None = None,
) -> None:
    """Complete an app's OpenAPI document: schemas of `bodies`, the key, who needs none, and what
    every route answers. Without `answers` only problems are told, by one answer for all."""
    plain = api.openapi

    def complete() -> dict[str, Any]:
        if api.openapi_schema is None:
            page = plain()
            components = page.setdefault("components", {})
            _, shared = models_json_schema([(b, "validation") for b in bodies], ref_template=_REF)
            schemas = components.setdefault("schemas", {})
            schemas.update(shared["$defs"], Problem=_problem(told or {}))
            if answers is not None:
                schemas.update(SHAPES)
            components["securitySchemes"] = dict(schemes)
            page["security"] = [{name: [] for name in schemes}]
            shown = _examples(api) if answers is not None else {}
            for path, operations in page["paths"].items():
                for method, operation in operations.items():
                    if path in set(public):
                        operation["security"] = []
                    if answers is None:
                        _complete(operation)
                    else:
                        example = shown.get((method, path))
                        tell(operation, answers[method, path], example, public=path in set(public))
        schema = api.openapi_schema
        assert schema is not None, "FastAPI keeps what it made"
        return schema

    api.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way.


def _examples(api: FastAPI) -> dict[Route, Any]:
    """The example of every route that has one, as it was written: FastAPI leaves out what is null,
    and an answer never does."""
    found: dict[Route, Any] = {}
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            content = route.responses.get(200, {}).get("content", {})
            example = content.get("application/json", {}).get("example")
            if example is not None:
                found |= {(m.lower(), route.path_format): example for m in route.methods or ()}
    return found


def _complete(operation: dict[str, Any]) -> None:
    # FastAPI's own shape of a validation error is not ours.
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
    }


def _problem(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_PROBLEM,
        "required": list(dict.fromkeys((*_PROBLEM["required"], *told))),
        "properties": _PROBLEM["properties"] | dict(told),
    }


_PROBLEM: Mapping[str, Any] = {
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
