"""An API page, compiled: what every answer is held against, whichever stage asked."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from pydantic_core import from_json

from tests.fuzz.answered import Answered

NEVER_ENDS = "/events"
_OF_HTTP = {"content-type", "content-length", "date", "connection", "transfer-encoding", "allow"}
"""Headers that every server sends, which no document declares."""
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Told:
    """One answer as the page tells it: header names, and what each content type must be like."""

    headers: frozenset[str]
    kinds: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the page; `path` is a template with the page's prefix."""

    label: str
    method: str
    path: str
    query: tuple[str, ...]
    places: tuple[str, ...]
    public: bool
    takes_body: bool
    examples: tuple[Any, ...]
    answers: Mapping[str, Told]


class Page:
    """The operations of one document, by label (method and path, with the prefix)."""

    def __init__(self, document: Mapping[str, Any], prefix: str = "") -> None:
        self.prefix = prefix
        self._components = document["components"]
        self._compiled: dict[str, Any] = {}
        self.operations = {
            one.label: one
            for path, methods in document["paths"].items()
            if path != NEVER_ENDS
            for method, told in methods.items()
            for one in [self._operation(method.upper(), path, told)]
        }

    def faults(self, label: str, answered: Answered) -> Iterator[tuple[str, str]]:
        """Kind and detail of everything that is wrong with an answer."""
        if answered.status >= 500 and not _justified(answered):
            yield "server error", f"{answered.status} {answered.start}"
        operation = self.operations[label]
        told = operation.answers.get(str(answered.status)) or operation.answers.get("default")
        if told is None:
            yield f"undeclared status {answered.status}", answered.start
            return
        if not self.prefix:
            yield from _headers(told, answered)
        yield from _body(told, answered)

    def _operation(self, method: str, path: str, told: Mapping[str, Any]) -> Operation:
        parameters = told.get("parameters", ())
        bodies = told.get("requestBody", {}).get("content", {}).values()
        return Operation(
            label=f"{method} {self.prefix}{path}",
            method=method,
            path=self.prefix + path,
            query=tuple(one["name"] for one in parameters if one["in"] == "query"),
            places=tuple(one["name"] for one in parameters if one["in"] == "path"),
            public=told.get("security") == [],
            takes_body=bool(bodies),
            examples=tuple(e["value"] for b in bodies for e in b.get("examples", {}).values()),
            answers={status: self._told(answer) for status, answer in told["responses"].items()},
        )

    def _told(self, answer: Mapping[str, Any]) -> Told:
        return Told(
            frozenset(name.lower() for name in answer.get("headers", ())),
            {kind: self._validator(one) for kind, one in answer.get("content", {}).items()},
        )

    def _validator(self, content: Mapping[str, Any]) -> Any:
        schema = {**content.get("schema", {}), "components": self._components}
        text = json.dumps(content.get("schema", {}), sort_keys=True)
        if text not in self._compiled:
            self._compiled[text] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        return self._compiled[text]


def _justified(answered: Answered) -> bool:
    """A 503 that says why and when to ask again is an answer, not a failure."""
    if answered.status != 503:
        return False
    try:
        body = from_json(answered.content)
    except ValueError:
        return False
    return "checks" in body or (bool(body.get("code")) and "retry-after" in answered.headers)


def _headers(told: Told, answered: Answered) -> Iterator[tuple[str, str]]:
    for name in sorted({*answered.headers} - told.headers - _OF_HTTP):
        yield f"undeclared header {name}", f"{answered.status}: {answered.headers[name]}"
    if "x-request-id" not in answered.headers:
        yield "no request id", f"{answered.status} {answered.start}"
    if answered.status >= 400 and answered.kind != _PROBLEM and answered.status != 503:
        yield "no problem", f"{answered.status}: {answered.kind} {answered.start}"


def _body(told: Told, answered: Answered) -> Iterator[tuple[str, str]]:
    if not told.kinds:
        if answered.content:
            yield "undeclared body", f"{answered.status}: {answered.start}"
        return
    if answered.kind not in told.kinds:
        yield f"undeclared content type {answered.kind}", f"{answered.status}: {answered.start}"
        return
    try:
        body = _read(answered)
    except ValueError as wrong:
        yield "unreadable body", f"{answered.status}: {wrong} {answered.start}"
        return
    validator = told.kinds[answered.kind]
    if not validator.is_valid(body):
        first = next(iter(validator.iter_errors(body)))
        place = "/".join(str(part) for part in first.instance_path)
        yield f"undeclared shape of {answered.status}", f"{place}: {first.message[:600]}"


def _read(answered: Answered) -> Any:
    """What the body says. Raises ValueError for what is not of its kind."""
    if answered.kind in ("application/json", _PROBLEM):
        return from_json(answered.content, allow_inf_nan=False)
    text = answered.content.decode()
    if answered.kind == "text/csv":
        widths = {len(row) for row in csv.reader(io.StringIO(text), strict=True)}
        if len(widths) > 1:
            raise ValueError(f"rows of {sorted(widths)} columns")
    return text
