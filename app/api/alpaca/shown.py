"""Our order as Alpaca's clients read it. Their lists of words are closed: one outside them is an
exception in the caller, and in a stream a fill that is lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

from app.api.alpaca.wording import asset_class, asset_id, plain
from app.domain.instant import Instant, from_datetime, rfc3339
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import ZERO

_PRICE_STEP = Decimal("1E-10")


@dataclass(frozen=True, slots=True)
class State:
    """What an order was at some moment: now, or as an event or a replacement found it."""

    status: OrderStatus
    qty: Decimal
    filled: Decimal
    filled_notional: Decimal
    canceling: bool
    at: Instant


def state_of(entry: Any) -> State:
    """The order as it is now."""
    return State(
        status=OrderStatus(entry["status"]),
        qty=entry["qty"],
        filled=entry["filled"],
        filled_notional=entry["filled_notional"],
        canceling=entry["cancel_reason"] is not None,
        at=entry["told_at"] or entry["accepted_at"],
    )


def status_word(state: State) -> str:
    """One of Alpaca's words for where an order stands."""
    match state.status:
        case OrderStatus.ACCEPTED:
            return "pending_cancel" if state.canceling else "pending_new"
        case OrderStatus.SCHEDULED:
            return "pending_cancel" if state.canceling else "accepted"
        case OrderStatus.WORKING:
            return _working_word(state)
        case OrderStatus.PAUSED:
            return "pending_cancel" if state.canceling else "suspended"
        case OrderStatus.CLOSING:
            return "pending_cancel" if state.canceling else _working_word(state)
        case OrderStatus.NEEDS_OPERATOR:
            return "suspended"
        case OrderStatus.FILLED | OrderStatus.CANCELED | OrderStatus.EXPIRED | OrderStatus.REJECTED:
            return state.status.value
        case _:
            assert_never(state.status)


def _working_word(state: State) -> str:
    if state.filled >= state.qty:
        return "filled"
    if state.canceling:
        return "pending_cancel"
    return "partially_filled" if state.filled > 0 else "new"


def order(entry: Any, state: State | None = None, *, current: bool = False) -> dict[str, Any]:
    """An entry of `views.named` as Alpaca's Order. `current`: as it was while it had this name,
    though it may have another by now."""
    replaced = entry["replaced_by"] is not None and not current
    terms = _terms(entry, past=entry["replaced_by"] is not None)
    state = state or state_of(entry)
    word = "replaced" if replaced else status_word(state)
    if word == "expired" and entry["time_in_force"] == "ioc":
        word = "canceled"  # What an immediate order did not get.
    qty, filled, notional = _sums(terms, state, replaced)
    ended = rfc3339(state.at)
    return {
        "id": entry["name"],
        "client_order_id": entry["own_id"],
        "created_at": rfc3339(entry["named_at"]),
        "updated_at": rfc3339(entry["replaced_at"]) if replaced else ended,
        "submitted_at": rfc3339(entry["named_at"]),
        "filled_at": ended if word == "filled" else None,
        "expired_at": ended if word == "expired" else None,
        "expires_at": rfc3339(terms["end_at"]),
        "canceled_at": ended if word == "canceled" else None,
        "failed_at": ended if word == "rejected" else None,
        "replaced_at": rfc3339(entry["replaced_at"]) if replaced else None,
        "replaced_by": entry["replaced_by"] if replaced else None,
        "replaces": entry["replaces"],
        "asset_id": asset_id(entry["symbol"]),
        "symbol": entry["symbol"],
        "asset_class": asset_class(entry["instrument"]["calendar"]),
        "notional": _text(entry["notional"]),
        "qty": plain(qty),
        "filled_qty": plain(filled),
        "filled_avg_price": _average(filled, notional),
        "order_class": "simple",
        "order_type": _kind(terms),
        "type": _kind(terms),
        "side": entry["side"],
        "position_intent": None,
        "time_in_force": entry["time_in_force"],
        "limit_price": _text(terms["limit_price"]),
        "stop_price": None,
        "status": word,
        "extended_hours": entry["extended_hours"],
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "advanced_instructions": _instructions(entry, terms),
        # Ours, for who wants to know more: clients leave out what they do not know.
        "algo": entry["algo"],
        "route_reason": entry["route_reason"],
        "reason": entry["reason"],
        "href": f"/orders/{entry['id']}",
    }


def _terms(entry: Any, past: bool) -> Mapping[str, Any]:
    """What the order asked for under this name."""
    names = ("qty", "limit_price", "max_participation", "end_at", "params")
    if not past:
        return {name: entry[name] for name in names}
    before = entry["before"]
    amounts = ("qty", "limit_price", "max_participation", "filled", "filled_notional")
    kept = {name: Decimal(before[name]) if before[name] is not None else None for name in amounts}
    return {**kept, "end_at": _instant(before["end_at"]), "params": before["params"]}


def _instant(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def _sums(
    terms: Mapping[str, Any], state: State, replaced: bool
) -> tuple[Decimal, Decimal, Decimal]:
    if replaced:
        return terms["qty"], terms["filled"], terms["filled_notional"]
    return state.qty, state.filled, state.filled_notional


def _average(filled: Decimal, notional: Decimal) -> str | None:
    return plain((notional / filled).quantize(_PRICE_STEP)) if filled > ZERO else None


def _kind(terms: Mapping[str, Any]) -> str:
    """How it is worked stands in the instructions; the type is what bounds the price."""
    return "limit" if terms["limit_price"] is not None else "market"


_NAMES = {"market": "DMA", "limit": "DMA"}


def _instructions(entry: Any, terms: Mapping[str, Any]) -> dict[str, Any]:
    """How the order is worked, in the words in which it could have been asked for."""
    share = terms["max_participation"]
    return {
        "algorithm": _NAMES.get(entry["algo"], entry["algo"].upper()),
        "start_time": rfc3339(entry["start_at"]),
        "end_time": rfc3339(terms["end_at"]),
        "max_percentage": _text(share),
        "params": terms["params"],
    }


def _text(value: Decimal | None) -> str | None:
    return plain(value) if value is not None else None
