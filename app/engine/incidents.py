"""What the desk itself finds wrong, in words: no rule about one order's progress sees it."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.alert import Alert, Severity
from app.domain.execution import Child
from app.domain.fact import Adopted, Busted
from app.domain.instant import rfc3339
from app.domain.quantity import ZERO
from app.domain.risk.bound import Bound
from app.engine.positions import Break
from app.engine.working import Working
from app.ports import ExecutionReport
from app.store.controls import Switch
from app.store.flatten import Standing
from app.store.journal import Recorded


def stranger(report: ExecutionReport) -> Alert:
    return Alert(
        rule="unexplained_execution",
        subject=report.execution_id,
        severity=Severity.CRITICAL,
        message=f"execution {report.execution_id} of {report.symbol} at the broker"
        " belongs to no child order; it is in quarantine",
        data={
            "child_id": report.child_id,
            "qty": _text(report.qty),
            "price": _text(report.price),
            "at": rfc3339(report.at),
        },
    )


def late_fill(result: Recorded) -> Alert:
    symbol = result.execution.task.instrument.symbol
    return Alert(
        rule="late_fill",
        subject=result.order_id,
        severity=Severity.WARNING,
        message=f"{symbol} filled after its order was over",
        data={"qty": _text(sum((f.qty for f in result.booked), ZERO))},
        order_id=result.order_id,
    )


def standing(found: Standing, why: str) -> Alert:
    switch = found.switch
    return Alert(
        rule="position_stands",
        subject=found.symbol,
        severity=Severity.CRITICAL,
        message=f"{_text(found.qty)} {found.symbol} stand open under the kill switch"
        f" {switch.scope.value}:{switch.name}: {why}",
        data={"qty": _text(found.qty), "switch": str(switch.version), "tries": str(found.tries)},
        order_id=found.order_id,
    )


def limit_broken(bound: Bound, switch: Switch, said: str) -> Alert:
    """One a throw: the next one is news again, whoever has seen to this one or not."""
    limit, where = bound.limit.name, f"{switch.scope.value}:{switch.name}"
    return Alert(
        rule="limit_broken",
        subject=str(switch.version),
        severity=Severity.CRITICAL,
        message=f"{limit} of {where} is broken ({said}): a kill switch is thrown, and somebody"
        " has to release it",
        data={
            "limit": limit,
            "limit_value": _text(bound.hard or ZERO),
            "found": said,
            **_thrown(switch),
        },
    )


def kill_file(switch: Switch) -> Alert:
    return Alert(
        rule="kill_file",
        subject=str(switch.version),
        severity=Severity.CRITICAL,
        message=f"a worker found the kill file: everything is stopped ({switch.level.value}), and"
        " somebody has to release it",
        data={"level": switch.level.value, **_thrown(switch)},
    )


def _thrown(switch: Switch) -> dict[str, str]:
    return {
        "scope": switch.scope.value,
        "name": switch.name,
        "switch": str(switch.version),
    }


def bust(result: Recorded, busted: Sequence[Busted]) -> Alert:
    execution = result.execution
    over = execution.done
    return Alert(
        rule="execution_busted",
        subject=result.order_id,
        severity=Severity.CRITICAL if over else Severity.ERROR,
        message=f"the broker declared fills in {execution.task.instrument.symbol} void"
        + ("; their order was over, nothing is sent in their place" if over else ""),
        data={
            "qty": _text(sum((b.qty for b in busted), ZERO)),
            "executions": ", ".join(b.execution_id for b in busted)[:500],
        },
        order_id=result.order_id,
    )


def unknown_child(order_id: str, child: Child) -> Alert:
    return Alert(
        rule="unknown_child",
        subject=child.id,
        severity=Severity.ERROR,
        message=f"nobody knows what became of child {child.id}; its quantity stays"
        " reserved until there is evidence",
        data={"qty": _text(child.qty), "price": _text(child.price)},
        order_id=order_id,
    )


def adopted_child(order_id: str, fact: Adopted) -> Alert:
    return Alert(
        rule="child_adopted",
        subject=fact.child_id,
        severity=Severity.CRITICAL,
        message=f"child {fact.child_id} was at the broker and not in the journal: taken in."
        " Was the database restored from a backup?",
        data={"qty": _text(fact.qty), "price": _text(fact.price)},
        order_id=order_id,
    )


def undead_child(child_id: str) -> Alert:
    return Alert(
        rule="child_open_after_its_end",
        subject=child_id,
        severity=Severity.CRITICAL,
        message=f"the broker lists child {child_id} as open though it was over; a cancel is sent",
        data={"child_id": child_id},
    )


def illegible_report(child_id: str, order_id: str | None, why: str) -> Alert:
    return Alert(
        rule="report_cannot_be_read",
        subject=child_id,
        severity=Severity.CRITICAL,
        message=f"the broker said something of child {child_id} that cannot be read; its order"
        " is stopped and needs an operator",
        data={"why": why},
        order_id=order_id,
    )


def position_break(found: Break) -> Alert:
    return Alert(
        rule="position_break",
        subject=found.symbol,
        severity=Severity.CRITICAL,
        message=f"the broker holds {_text(found.theirs)} {found.symbol}, fills booked here make"
        f" it {_text(found.ours)}",
        data={
            "theirs": _text(found.theirs),
            "ours": _text(found.ours),
            "difference": _text(found.difference),
        },
    )


def needs_operator(order_id: str, symbol: str, reason: str) -> Alert:
    return Alert(
        rule="needs_operator",
        subject=order_id,
        severity=Severity.CRITICAL,
        message=f"an order in {symbol} waits for the broker's evidence and needs somebody to look",
        data={"reason": reason},
        order_id=order_id,
    )


def no_market(order: Working) -> Alert:
    return Alert(
        rule="no_market_data",
        subject=order.order_id,
        severity=Severity.CRITICAL,
        message=f"no feed has {order.symbol}: the order waits",
        data={"symbol": order.symbol},
        order_id=order.order_id,
    )


def stopped(order: Working, mistake: Exception) -> Alert:
    return Alert(
        rule="order_stopped",
        subject=order.order_id,
        severity=Severity.CRITICAL,
        message=f"an internal check failed for an order in {order.symbol}; it is"
        " stopped and needs an operator",
        data={"mistake": f"{type(mistake).__name__}: {mistake}"[:500]},
        order_id=order.order_id,
    )


def _text(value: Decimal) -> str:
    return format(value, "f")
