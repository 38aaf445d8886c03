"""Rows to domain records and back, one place each."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.dynamics import Dynamics
from app.domain.execution import Child, Crossing, Execution, rung_of
from app.domain.extended_hours import TradingDay
from app.domain.fact import Purpose, TimeInForce
from app.domain.fold_children import BAD_STOP
from app.domain.instant import Instant, from_datetime, rfc3339
from app.domain.instrument import Instrument
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.market import Bar, Quote
from app.domain.position import Position
from app.domain.quantity import Side, digits
from app.domain.session import Session
from app.domain.task import Anchor, Policy, Task, Urgency
from app.domain.volume import VolumeCurve

_INSTRUMENT = ("symbol", "tick", "lot", "min_qty", "calendar", "currency")
_DYNAMICS = tuple(field.name for field in fields(Dynamics))


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
    data = {
        "edges_us": list(curve.edges),
        "shares": list(curve.shares),
        "periodic": curve.periodic,
        "source": curve.source,
    }
    return data if curve.dynamics is None else data | {"dynamics": asdict(curve.dynamics)}


def curve_from_json(data: Mapping[str, Any]) -> VolumeCurve:
    """Also one that was stored by a release that knew nothing of dynamics."""
    told = data.get("dynamics")
    dynamics = Dynamics(**{name: told[name] for name in _DYNAMICS}) if told else None
    edges, shares = tuple(data["edges_us"]), tuple(data["shares"])
    return _curve(edges, shares, data["periodic"], data["source"], dynamics)


@lru_cache(maxsize=1024)
def _curve(
    edges: tuple[Instant, ...],
    shares: tuple[float, ...],
    periodic: bool,
    source: str,
    dynamics: Dynamics | None,
) -> VolumeCurve:
    """One for all orders of a symbol and day."""
    return VolumeCurve(edges, shares, periodic, source, dynamics)


def sessions_to_json(sessions: Iterable[Session]) -> list[list[int]]:
    return [[s.opens_at, s.closes_at] for s in sessions]


def sessions_from_json(data: Iterable[Iterable[int]]) -> tuple[Session, ...]:
    return tuple(Session(*pair) for pair in data)


def days_to_json(days: Iterable[TradingDay]) -> list[list[list[int]]]:
    return [sessions_to_json((day.session, day.whole)) for day in days]


def days_from_json(data: Iterable[Iterable[Iterable[int]]] | None) -> tuple[TradingDay, ...]:
    """None: told by who did not know of them yet."""
    return tuple(TradingDay(*sessions_from_json(pair)) for pair in data or ())


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
        policy=Policy(row["max_quote_age_us"], row["collar"], row["close_cutoff_us"]),
        limit_price=row["limit_price"],
        max_participation=row["max_participation"],
        urgency=Urgency(row["urgency"]),
        params=complete(BY_NAME[row["algo"]], row["params"]),
        reduce_only=row["reduce_only"],
        extended_hours=row["extended_hours"],
    )


def execution(row: Row, children: Iterable[Row]) -> Execution:
    """The order with its live children. `children` may hold finished ones, and must hold the last
    that rested: what a ladder goes on from; and those refused with their stop."""
    crossing = None
    if row["crossing_quote_at"] is not None:
        crossing = Crossing(row["crossing_quote_at"], row["crossing_filled_at"])
    known = [child(c) for c in children]
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
        children=tuple(sorted((c for c in known if c.live), key=lambda c: c.number)),
        next_child=row["next_child"],
        pause_requested=row["pause_requested"],
        cancel_reason=row["cancel_reason"],
        crossing=crossing,
        rung=rung_of(known),
        rejections=row["rejections"],
        rejected_at=row["rejected_at"],
        stop_refused=any(map(_refused_with_stop, known)),
    )


def _refused_with_stop(child: Child) -> bool:
    refused = child.status is ChildStatus.REJECTED and child.reason == BAD_STOP
    return refused and child.stop_price is not None


ACCRUED = (
    *("qty", "limit_price", "end_at", "max_participation", "params", "status", "reason"),
    *("anchor_at", "anchor_done", "filled", "working", "unknown", "canceled", "excess"),
    *("next_child", "pause_requested", "cancel_reason", "crossing_quote_at"),
    *("crossing_filled_at", "rejections", "rejected_at"),
)
"""The columns of `orders` that facts change."""


def accrued_to_json(e: Execution) -> dict[str, Any]:
    """These columns as they are now."""
    return {
        "qty": e.task.qty,
        "limit_price": e.task.limit_price,
        "end_at": rfc3339(e.task.end),
        "max_participation": e.task.max_participation,
        "params": plain_params(e.task.params),
        "status": e.status.value,
        "reason": e.reason,
        "anchor_at": moment(e.anchor.at),
        "anchor_done": e.anchor.done,
        "filled": e.filled,
        "working": e.working,
        "unknown": e.unknown,
        "canceled": e.canceled,
        "excess": e.excess,
        "next_child": e.next_child,
        "pause_requested": e.pause_requested,
        "cancel_reason": e.cancel_reason,
        "crossing_quote_at": moment(e.crossing.quote_at) if e.crossing else None,
        "crossing_filled_at": moment(e.crossing.filled_at) if e.crossing else None,
        "rejections": e.rejections,
        "rejected_at": moment(e.rejected_at),
    }


def moment(at: Instant | None) -> str | None:
    """An instant as JSON holds it."""
    return None if at is None else rfc3339(at)


def terms_to_json(task: Task) -> dict[str, Any]:
    """What an amendment may change of an order."""
    return {
        "qty": task.qty,
        "limit_price": task.limit_price,
        "end_at": rfc3339(task.end),
        "max_participation": task.max_participation,
        "params": plain_params(task.params),
    }


def with_terms(task: Task, told: Mapping[str, Any]) -> Task:
    """The order as it was before an amendment."""
    limit, cap = told["limit_price"], told["max_participation"]
    return task._replace(
        qty=Decimal(told["qty"]),
        limit_price=Decimal(limit) if limit is not None else None,
        end=from_datetime(datetime.fromisoformat(told["end_at"])),
        max_participation=Decimal(cap) if cap is not None else None,
        params=complete(BY_NAME[task.algo], told["params"]),
    )


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON holds them: decimals as strings."""
    return {k: digits(v) if isinstance(v, Decimal) else v for k, v in params.items()}


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
        stop_price=row["stop_price"],
        stop_limit_price=row["stop_limit_price"],
    )


def bar_to_json(bar: Bar) -> dict[str, Any]:
    """In the short names that market data has everywhere."""
    prices = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close}
    sums = {"v": bar.volume, "vw": round(bar.average, 9)}
    amounts = {name: format(value, "f") for name, value in (prices | sums).items()}
    return {"t": rfc3339(bar.at), "n": bar.trades, **amounts}


def position(row: Row) -> Position:
    return Position(row["qty"], row["average_price"], row["realised"], row["fees"])
