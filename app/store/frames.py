"""What an event says: the fact's own fields, and the order's sums after it."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from app.domain.execution import Execution
from app.domain.fact import Fact, Moved
from app.domain.instant import rfc3339
from app.store.rows import plain_params

# Market times among the fields of facts; everything else is shown as it is.
_INSTANTS = frozenset({"at", "end", "quote_at"})


def fact_data(fact: Fact) -> dict[str, Any]:
    """The fields of a fact as JSON: decimals as strings, instants as RFC 3339."""
    shown = {f.name: getattr(fact, f.name) for f in fields(fact) if f.name != "at"}
    if isinstance(fact, Moved):
        return {"reason": fact.reason}
    return {name: _plain(name, value) for name, value in shown.items() if value is not None}


def order_sums(execution: Execution) -> dict[str, Any]:
    """The part of every order answer and event that must add up."""
    return {
        "status": execution.status.value,
        "qty": _text(execution.task.qty),
        "filled": _text(execution.filled),
        "working": _text(execution.working),
        "unknown": _text(execution.unknown),
        "unsent": _text(execution.unsent),
        "canceled": _text(execution.canceled),
        "excess": _text(execution.excess),
    }


def _plain(name: str, value: Any) -> Any:
    if name in _INSTANTS:
        return rfc3339(value)
    if isinstance(value, Decimal):
        return _text(value)
    if isinstance(value, dict):
        return plain_params(value)
    return value


def _text(value: Decimal) -> str:
    return format(value, "f")
