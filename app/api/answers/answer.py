"""What a route answers, beside problems: status, shape, headers, and where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.api.answers.shape import Schema

JSON = "application/json"
CSV = "text/csv"
HTML = "text/html"

Route = tuple[str, str]
"""Method, in small letters as OpenAPI has it, and path."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`schema` None: the shape of the route's example, or no body where `content` is empty.

    `refused` are the statuses of problems that only this route has; `links` lead to routes by
    name, each with the member of this answer that becomes a parameter there.
    """

    schema: Schema | None = None
    status: int = 200
    content: tuple[str, ...] = (JSON,)
    headers: tuple[str, ...] = ()
    refused: tuple[int, ...] = ()
    open_members: frozenset[str] = frozenset()
    """Of the example: those that show only a part of what may be there."""
    may_have: tuple[str, ...] = ()
    """Members that are there only when they are asked for."""
    same: tuple[int, ...] = ()
    """Other statuses with this body."""
    also: Mapping[int, str] = field(default_factory=dict)
    """Other answers without a body: status and what it says."""
    others: Mapping[int, Schema] = field(default_factory=dict)
    """Other answers with a body of their own, by status."""
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Route's name → its parameter, and where in this answer its value stands."""


def created(schema: Schema | None, *headers: str, **more: Any) -> Answer:
    return Answer(schema, 202, headers=("Location", *headers), **more)


def gone() -> Answer:
    """Nothing is left to say."""
    return Answer(None, 204, ())
