"""What an event says, the fact's own fields and the order's sums after it; and back to the fact."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from app.domain.execution import Execution
from app.domain.fact import ChildFact, Fact, Moved, OrderFact
from app.domain.instant import Instant, from_datetime, rfc3339
from app.domain.lifecycle import OrderStatus
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


Parse = Callable[[Any], Any]

_FACTS: Mapping[str, type[Any]] = {
    kind.type: kind for kind in get_args(OrderFact) + get_args(ChildFact) if kind is not Moved
}


def fact_of(type: str, at: Instant, data: Mapping[str, Any]) -> Fact | None:
    """The fact that an event of an order tells; None for its acceptance, which is none.

    Raises KeyError or ValueError for an event that says less than its fact.
    """
    if type == "order.accepted":
        return None
    if type not in _FACTS:
        return Moved(at, OrderStatus(type.removeprefix("order.")), data["reason"])
    said = {name: parse(data[name]) for name, parse in _parsers(type).items() if name in data}
    fact: Fact = _FACTS[type](at=at, **said)
    return fact


@cache
def _parsers(of: str) -> dict[str, Parse]:
    """How each field of a fact is read again."""
    kind = _FACTS[of]
    hints = get_type_hints(kind)
    found: dict[str, Parse] = {}
    for f in fields(kind):
        kinds = [k for k in get_args(hints[f.name]) or (hints[f.name],) if k is not NoneType]
        found[f.name] = _instant if f.name in _INSTANTS else _parser(kinds[0])
    del found["at"]
    return found


def _parser(kind: Any) -> Parse:
    # Parameters stay as they are: whoever takes them in reads them by what the algorithm says.
    plain: Parse = kind if isinstance(kind, type) else dict
    return plain


def _instant(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))
