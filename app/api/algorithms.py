"""The algorithms there are, with their parameters as JSON schema."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.api.auth import Reader
from app.api.order_bodies import AmendBody, OrderBody
from app.domain.algorithm import Algorithm, Kind, Parameter
from app.domain.algos import BY_NAME

router = APIRouter(tags=["algorithms"])


@router.get("/algorithms")
async def list_algorithms(visit: Reader) -> Response:
    """Every algorithm with its `parameters`, and what an order of any of them takes beside
    (`order`), as JSON schema; what is marked mutable may be changed in flight."""
    items = [described(algorithm) for algorithm in BY_NAME.values()]
    return JSONResponse({"items": items, "order": order_fields()})


def order_fields() -> dict[str, Any]:
    """The fields of an order, whatever its algorithm."""
    schema = OrderBody.model_json_schema()
    for name, field in schema["properties"].items():
        # A word for limits is given with each change, and changes nothing itself.
        field["mutable"] = name in AmendBody.model_fields and name != "confirm"
    return schema


def described(algorithm: Algorithm) -> dict[str, Any]:
    return {
        "name": algorithm.name,
        "title": algorithm.title,
        "doc": algorithm.doc,
        "version": algorithm.version,
        "needs_limit_price": algorithm.needs_limit_price,
        "windowed": algorithm.windowed,
        "default_window_minutes": algorithm.default_window_minutes,
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {p.name: parameter_schema(p) for p in algorithm.parameters},
        },
    }


_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.INTEGER: {"type": "integer"},
    Kind.DECIMAL: {"type": ["number", "string"], "format": "decimal"},
    Kind.SECONDS: {"type": ["number", "string"], "format": "seconds"},
    Kind.CHOICE: {"type": "string"},
    Kind.TEXT: {"type": ["string", "integer"], "minLength": 1, "maxLength": 64},
}


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    """A parameter of an algorithm or gate as JSON schema."""
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    return {
        **_TYPES[parameter.kind],
        "description": parameter.doc,
        "mutable": parameter.mutable,
        **({"enum": list(parameter.choices)} if parameter.choices else {}),
        **({"default": _plain(parameter.default)} if parameter.default is not None else {}),
        **{name: _plain(bound) for name, bound in bounds.items() if bound is not None},
    }


def _plain(value: Any) -> Any:
    """JSON schema wants its bounds as numbers."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
