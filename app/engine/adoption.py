"""A child that the broker knows and our journal lost: what it was, from the broker's own words."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.fact import Adopted, Purpose, TimeInForce
from app.domain.identity import parse_child
from app.domain.instant import Instant
from app.domain.lifecycle import CHILD_DONE
from app.domain.quantity import ZERO, Side
from app.engine.sorting import Lost
from app.ports import Broker, ExecutionReport, Lookup, OrderReport, Report, Terms


async def adopted(
    broker: Broker, lost: Lost, now: Instant
) -> tuple[Adopted | None, Sequence[Report]]:
    """The fact that takes the child in, and all reports to book after it.

    None when neither the broker nor an execution says what it was. Raises ConnectionError.
    """
    reports = list(lost.reports)
    states = [r for r in reports if isinstance(r, OrderReport)]
    if not any(state.terms for state in states) and broker.capabilities.lookup is not Lookup.NONE:
        found = await broker.lookup(lost.child_id)
        if found is not None:
            states.append(found)
            reports.append(found)
    terms = _terms(lost, states, reports)
    named = parse_child(lost.child_id)
    if terms is None or named is None or not _of_parent(terms, lost):
        return None, reports
    open_there = bool(states) and all(s.status not in CHILD_DONE for s in states)
    return (
        Adopted(
            at=min((r.at for r in reports), default=now),
            child_id=lost.child_id,
            number=named[1],
            side=terms.side,
            qty=terms.qty,
            price=terms.limit_price,
            purpose=Purpose.REST,
            time_in_force=TimeInForce.DAY,
            live=open_there and not lost.parent.done,
            broker_order_id=next((s.broker_order_id for s in states), None),
        ),
        reports,
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
