"""A child that the broker knows and our journal lost: what it was, from the broker's own words."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.fact import Adopted, Purpose, TimeInForce
from app.domain.identity import parse_child
from app.domain.instant import Instant
from app.domain.lifecycle import CHILD_DONE
from app.domain.quantity import ZERO, Side
from app.engine.sorting import Lost
from app.ports import Broker, ExecutionReport, Lookup, OrderReport, Report, Terms, illegible


async def adopted(
    broker: Broker, lost: Lost, now: Instant
) -> tuple[Adopted | None, Sequence[Report]]:
    """The fact that takes the child in, and all reports to book after it.

    None when neither the broker nor an execution says what it was. Raises ConnectionError.
    """
    reports = list(lost.reports)
    if asks(lost):
        found = await _asked(broker, lost.child_id)
        if found is not None and illegible(found):
            raise ConnectionError(f"{lost.child_id} cannot be read: {found.reason}")
        if found is not None:
            reports.append(found)
    return adoption(lost, reports, now), reports


async def _asked(broker: Broker, child_id: str) -> OrderReport | None:
    """Where no order is looked up, the list of open ones says whether it is still worked: what
    is known by its fills alone might go on filling."""
    if broker.capabilities.lookup is not Lookup.NONE:
        return await broker.lookup(child_id)
    listed = await broker.open_orders()
    return next((report for report in listed if report.child_id == child_id), None)


def asks(lost: Lost) -> bool:
    """Whether the broker has to be asked what the child was."""
    return not any(isinstance(r, OrderReport) and r.terms is not None for r in lost.reports)


def adoption(lost: Lost, reports: Sequence[Report], now: Instant) -> Adopted | None:
    """What takes the child in, as far as `reports` say what it was. Pure."""
    states = [r for r in reports if isinstance(r, OrderReport)]
    terms = _terms(lost, states, reports)
    named = parse_child(lost.child_id)
    if terms is None or named is None or not _of_parent(terms, lost):
        return None
    open_there = bool(states) and all(s.status not in CHILD_DONE for s in states)
    return Adopted(
        at=min((r.at for r in reports), default=now),
        child_id=lost.child_id,
        number=named[1],
        side=terms.side,
        qty=terms.qty,
        price=terms.limit_price,
        purpose=Purpose.CLOSE if terms.closing_auction else Purpose.REST,
        time_in_force=TimeInForce.CLS if terms.closing_auction else TimeInForce.DAY,
        live=open_there and not lost.parent.done,
        broker_order_id=next((s.broker_order_id for s in states), None),
        stop_price=terms.stop_price,
        stop_limit_price=terms.stop_limit_price,
    )


def _terms(lost: Lost, states: Sequence[OrderReport], reports: Sequence[Report]) -> Terms | None:
    told = next((state.terms for state in states if state.terms is not None), None)
    if told is not None:
        return told
    fills = {r.execution_id: r for r in reports if isinstance(r, ExecutionReport)}
    if not fills:
        return None
    # At least what it filled, at the worst of its prices.
    qty: Decimal = sum((f.qty for f in fills.values()), ZERO)
    side = Side(lost.parent.side)
    prices = [f.price for f in fills.values()]
    worst = max(prices) if side is Side.BUY else min(prices)
    return Terms(lost.parent.symbol, side, qty, worst)


def _of_parent(terms: Terms, lost: Lost) -> bool:
    return (terms.symbol, terms.side.value) == (lost.parent.symbol, lost.parent.side)
