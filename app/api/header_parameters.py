"""Headers of requests on the API page: FastAPI does not see what a handler reads by itself."""

from typing import Any


def _header(name: str, words: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": words,
        "schema": {"type": "string", **schema},
    }


IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "A request that is sent again under its key gets the order there is.",
    minLength=1,
    maxLength=255,
)
IF_MATCH = _header(
    "If-Match", "The order's ETag: which version is changed.", required=True, examples=['"v1"']
)
IF_NONE_MATCH = _header("If-None-Match", "An ETag: 304 while the order is still at it.")
PREFER = _header(
    "Prefer",
    "`return=minimal` (RFC 7240): of an order that is entered its id, client_order_id, status and"
    " version alone.",
    examples=["return=minimal"],
)


def with_headers(extra: dict[str, Any], *headers: dict[str, Any]) -> dict[str, Any]:
    """A route's `openapi_extra` with these headers beside what it has."""
    return {**extra, "parameters": [*extra.get("parameters", ()), *headers]}
