"""The shapes of answers as JSON schema: closed records, so that an unknown member is seen."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

ANY: Schema = {}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
ID: Schema = {"type": "string", "format": "uuid"}
AMOUNT: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
TEXTS: Schema = {"type": "array", "items": TEXT}

_MAPS = frozenset(
    {"by_status", "by_algo", "by_broker", "windows", "algos", "actual", "params", "orders_by"}
    | {"parts"}
)
"""Members of examples whose own members are names, not fields."""


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def record(**fields: Schema) -> Schema:
    """An object with exactly these members."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(fields),
        "properties": dict(fields),
    }


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def mapped(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def like(example: Any, partial: frozenset[str] = frozenset()) -> Schema:
    """The shape that an example shows: its members, all of them, of the kinds that it has. What may
    be unknown is null in one answer and a text in the next, so every leaf may be null; of members
    named in `partial` the example does not show all."""
    match example:
        case Mapping():
            return _object_like(example, partial)
        case list():
            items = like(example[0], partial) if example else {}
            return {"type": ["array", "null"], "items": items}
        case bool():
            return {"type": ["boolean", "null"]}
        case int() | float():
            return {"type": ["number", "null"]}
        case str():
            return {"type": ["string", "null"]}
        case _:
            return {}


def _object_like(example: Mapping[str, Any], partial: frozenset[str]) -> Schema:
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "required": list(example),
        "properties": {name: _member(name, value, partial) for name, value in example.items()},
    }


def _member(name: str, value: Any, partial: frozenset[str]) -> Schema:
    if name in partial:
        return {"type": ["array", "object", "null"]}
    if name in _MAPS and isinstance(value, Mapping):
        first = next(iter(value.values()), None)
        return {"type": ["object", "null"], "additionalProperties": like(first, partial)}
    return like(value, partial)
