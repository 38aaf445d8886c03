"""Writes into one operation of the API page what it answers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from app.api.answers.answer import JSON, Answer
from app.api.answers.shape import TEXT, Schema, like, ref

_PROBLEM = "application/problem+json"
_ALWAYS = ("X-Request-ID",)
_FREE_TO_OPEN = (503,)
_WITH_A_KEY = (401, 403, 422, 429, 503)
_WITH_A_BODY = (400, 413)
_WITH_A_PLACE = (404,)


def tell(operation: dict[str, Any], answer: Answer, example: Any, *, public: bool) -> None:
    """Replace what FastAPI made up of an operation's answers by what is true."""
    made = operation["responses"].get(str(answer.status), {})
    told: dict[str, Any] = {
        str(answer.status): {
            "description": _described(made, answer.status),
            "headers": _headers((*_ALWAYS, *answer.headers)),
        }
    }
    if answer.content:
        told[str(answer.status)]["content"] = _content(answer, made.get("content", {}), example)
    for status in answer.same:
        told[str(status)] = {
            **told[str(answer.status)],
            "description": HTTPStatus(status).phrase,
        }
    if answer.links:
        told[str(answer.status)]["links"] = _links(answer.links)
    for status, words in answer.also.items():
        told[str(status)] = {
            "description": words,
            "headers": _headers((*_ALWAYS, *answer.headers)),
        }
    for status, schema in answer.others.items():
        told[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "headers": _headers(_ALWAYS),
            "content": {JSON: {"schema": schema}},
        }
    for status in sorted(_refusals(operation, answer, public=public)):
        told.setdefault(str(status), problem_answer(status))
    operation["responses"] = told


def problem_answer(status: int) -> dict[str, Any]:
    headers = [*_ALWAYS]
    if status in (429, 503):
        headers.append("Retry-After")
    if status == 401:
        headers.append("WWW-Authenticate")
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _headers(headers),
        "content": {_PROBLEM: {"schema": ref("Problem")}},
    }


def _refusals(operation: Mapping[str, Any], answer: Answer, *, public: bool) -> set[int]:
    statuses = {*answer.refused, *(_FREE_TO_OPEN if public else _WITH_A_KEY)}
    if "requestBody" in operation:
        statuses.update(_WITH_A_BODY)
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        statuses.update(_WITH_A_PLACE)
    return statuses


def _described(made: Mapping[str, Any], status: int) -> str:
    words = str(made.get("description", ""))
    return words if words not in ("", "Successful Response") else HTTPStatus(status).phrase


def _content(answer: Answer, made: Mapping[str, Any], example: Any) -> dict[str, Any]:
    told = {}
    for kind in answer.content:
        known = dict(made.get(kind, {}))
        if kind == JSON and example is not None:
            known["example"] = example
        if kind != JSON:
            schema: Schema = dict(TEXT)
        elif answer.schema:
            schema = answer.schema
        elif example is not None:
            schema = like(example, answer.open_members)
            schema["properties"] |= {name: {} for name in answer.may_have}
        else:
            schema = known.get("schema", {})
        told[kind] = {**known, "schema": schema}
    return told


def _headers(names: Any) -> dict[str, Any]:
    return {name: {"schema": dict(TEXT)} for name in names}


def _links(links: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        name: {
            "operationId": name,
            "parameters": {parameter: f"$response.body#{place}"},
        }
        for name, (parameter, place) in links.items()
    }
