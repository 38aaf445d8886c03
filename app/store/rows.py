"""Rows to domain records and back, one place each."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.execution import Child, Crossing, Execution
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.market import Quote
from app.domain.position import Position
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.task import Anchor, Policy, Task
from app.domain.volume import VolumeCurve

_INSTRUMENT = ("symbol", "tick", "lot", "min_qty", "calendar", "currency")


class Row(Protocol):
    """Anything read by column name: a record of the driver, or a dictionary."""

    def __getitem__(self, key: str, /) -> Any: ...


def instrument(row: Row) -> Instrument:
    return Instrument(
        symbol=row["symbol"],
        tick=row["tick"],
        lot=row["lot"],
        min_qty=row["min_qty"],
        calendar=row["calendar"],
        currency=row["currency"],
    )


def instrument_to_json(of: Instrument) -> dict[str, str]:
    return {
        "symbol": of.symbol,
        "tick": format(of.tick, "f"),
        "lot": format(of.lot, "f"),
        "min_qty": format(of.min_qty, "f"),
        "calendar": of.calendar,
        "currency": of.currency,
    }


def instrument_from_json(data: Row) -> Instrument:
    """As it was when the order was accepted, whatever the grid has become since."""
    return _instrument(*(data[name] for name in _INSTRUMENT))


@lru_cache(maxsize=4096)
def _instrument(
    symbol: str, tick: str, lot: str, min_qty: str, calendar: str, currency: str
) -> Instrument:
    """One for all orders that have it: many thousands share a few."""
    return Instrument(symbol, Decimal(tick), Decimal(lot), Decimal(min_qty), calendar, currency)


def curve_to_json(curve: VolumeCurve) -> dict[str, Any]:
    return {
        "edges_us": list(curve.edges),
        "shares": list(curve.shares),
        "periodic": curve.periodic,
        "source": curve.source,
    }


def curve_from_json(data: Row) -> VolumeCurve:
    return _curve(tuple(data["edges_us"]), tuple(data["shares"]), data["periodic"], data["source"])


@lru_cache(maxsize=1024)
def _curve(
    edges: tuple[Instant, ...], shares: tuple[float, ...], periodic: bool, source: str
) -> VolumeCurve:
    """One for all orders of a symbol and day."""
    return VolumeCurve(edges, shares, periodic, source)


def sessions_to_json(sessions: Iterable[Session]) -> list[list[int]]:
    return [[s.opens_at, s.closes_at] for s in sessions]


def sessions_from_json(data: Iterable[Iterable[int]]) -> tuple[Session, ...]:
    return tuple(Session(*pair) for pair in data)


def quote(row: Row) -> Quote | None:
    if row["bid_at"] is None:
        return None
    return Quote(
        bid=row["bid"],
        ask=row["ask"],
        bid_size=row["bid_size"],
        ask_size=row["ask_size"],
        bid_at=row["bid_at"],
        ask_at=row["ask_at"],
    )


def task(row: Row) -> Task:
    return Task(
        order_id=row["id"],
        account=row["account"],
        instrument=instrument_from_json(row["instrument"]),
        side=Side(row["side"]),
        qty=row["qty"],
        algo=row["algo"],
        start=row["start_at"],
        end=row["end_at"],
        session=Session(row["session_opens_at"], row["session_closes_at"]),
        curve=curve_from_json(row["curve"]),
        seed=row["seed"],
        policy=Policy(row["max_quote_age_us"], row["collar"]),
        limit_price=row["limit_price"],
        max_participation=row["max_participation"],
        params=complete(BY_NAME[row["algo"]], row["params"]),
    )


def execution(row: Row, children: Iterable[Row]) -> Execution:
    """The order with its live children (`children` may hold finished ones: they are left out)."""
    crossing = None
    if row["crossing_quote_at"] is not None:
        crossing = Crossing(row["crossing_quote_at"], row["crossing_filled_at"])
    live = [child(c) for c in children]
    return Execution(
        task=task(row),
        status=OrderStatus(row["status"]),
        anchor=Anchor(row["anchor_at"], row["anchor_done"]),
        reason=row["reason"],
        filled=row["filled"],
        working=row["working"],
        unknown=row["unknown"],
        canceled=row["canceled"],
        excess=row["excess"],
        children=tuple(sorted((c for c in live if c.live), key=lambda c: c.number)),
        next_child=row["next_child"],
        pause_requested=row["pause_requested"],
        cancel_reason=row["cancel_reason"],
        crossing=crossing,
        rejections=row["rejections"],
        rejected_at=row["rejected_at"],
    )


def accrued(e: Execution) -> dict[str, Any]:
    """The columns of `orders` that facts change."""
    return {
        "qty": e.task.qty,
        "limit_price": e.task.limit_price,
        "end_at": e.task.end,
        "max_participation": e.task.max_participation,
        "params": plain_params(e.task.params),
        "status": e.status.value,
        "reason": e.reason,
        "anchor_at": e.anchor.at,
        "anchor_done": e.anchor.done,
        "filled": e.filled,
        "working": e.working,
        "unknown": e.unknown,
        "canceled": e.canceled,
        "excess": e.excess,
        "next_child": e.next_child,
        "pause_requested": e.pause_requested,
        "cancel_reason": e.cancel_reason,
        "crossing_quote_at": e.crossing.quote_at if e.crossing else None,
        "crossing_filled_at": e.crossing.filled_at if e.crossing else None,
        "rejections": e.rejections,
        "rejected_at": e.rejected_at,
    }


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON holds them: decimals as strings."""
    return {k: v if isinstance(v, int | str) else format(v, "f") for k, v in params.items()}


def child(row: Row) -> Child:
    return Child(
        id=row["id"],
        number=row["number"],
        side=Side(row["side"]),
        qty=row["qty"],
        price=row["price"],
        purpose=Purpose(row["purpose"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        status=ChildStatus(row["status"]),
        intended_at=row["intended_at"],
        quote_at=row["quote_at"],
        filled=row["filled"],
        broker_order_id=row["broker_order_id"],
        cancel_requested_at=row["cancel_requested_at"],
        reason=row["reason"],
    )


def position(row: Row) -> Position:
    return Position(row["qty"], row["average_price"], row["realised"], row["fees"])
