"""What has to be true in each situation; a failed assertion is a failed certification."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

from app.domain.lifecycle import ChildStatus
from app.ports import (
    Acknowledged,
    BustReport,
    ExecutionReport,
    OrderReport,
    Refused,
    Unclear,
)
from tests.brokers.market import SYMBOL, at, ticket
from tests.brokers.promises import IOC, acknowledged, known, not_again, states
from tests.brokers.rehearsal import ioc, net
from tests.certification import stops
from tests.certification.rigs import Rig, Situation

Check = Callable[[Rig], Awaitable[None]]


async def same_id_twice(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    first = await acknowledged(broker, ticket("a", qty=50, limit="10.01"))
    await not_again(broker, ticket("a", qty=70, limit="10.01"))
    assert net(await rig.told(broker)) == 50
    await not_again(broker, ticket("a", moment=at(20)))
    found = await known(broker, "a")
    assert (found.broker_order_id, found.filled) == (first.broker_order_id, 50)
    assert await broker.positions() == {SYMBOL: Decimal(50)}


async def answer_lost(rig: Rig) -> None:
    broker = rig.open(Situation.LOSES_ANSWERS)
    order = ticket("a", qty=60, limit="10.01", time_in_force=IOC)
    broker = await rig.unanswered(broker, order)
    if rig.name != "paper":
        assert isinstance(await broker.submit(ioc("b", qty=1)), Unclear)
    await rig.told(broker)
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.FILLED, 60)
    await not_again(broker, order)
    executions = [e for e in await broker.executions(0) if e.child_id == "a"]
    assert net(executions) == 60


async def order_lost(rig: Rig) -> None:
    broker = rig.open(Situation.LOSES_ORDERS)
    assert isinstance(await broker.submit(ioc("a")), Unclear)
    assert rig.taken("a") == 0
    assert await broker.lookup("a") is None
    assert await broker.open_orders() == []
    assert await rig.told(broker) == []


async def reject(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    for n, wrong in enumerate((ticket("w0", symbol="NONE"), ticket("w1", limit="10.005"))):
        outcome = await broker.submit(wrong)
        assert isinstance(outcome, Refused)
        assert outcome.code == ("unknown_symbol", "bad_price")[n]
        assert outcome.message
    found = await broker.lookup("w0")
    assert found is None or found.status is ChildStatus.REJECTED
    assert await broker.open_orders() == []
    assert net(await broker.executions(0)) == 0
    assert await broker.positions() == {}


async def partial_fill(rig: Rig) -> None:
    broker = rig.open(Situation.FILLS_IN_PART)
    await acknowledged(broker, ticket("a", qty=500, limit="10.05", time_in_force=IOC))
    told = await rig.told(broker)
    filled = net(told)
    assert 0 < filled < 500
    ends = [s for s in states(told) if s[1] is ChildStatus.CANCELED]
    assert {(s[0], s[2]) for s in ends} == {("a", int(filled))}
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.CANCELED, filled)
    assert await broker.open_orders() == []


async def fill_first(rig: Rig) -> None:
    broker = rig.open(Situation.FILLS_FIRST)
    sent = await acknowledged(broker, ioc("a"))
    told = [r for r in await rig.told(broker) if isinstance(r, ExecutionReport)]
    assert net(told) == 100
    assert {r.broker_order_id for r in told} == {sent.broker_order_id}
    assert all(r.at > sent.at for r in told)


async def cancel(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    await acknowledged(broker, ticket("a", limit="9.98"))
    await rig.told(broker)
    await broker.cancel("a", at(1))
    await broker.cancel("a", at(1))
    assert {s[1:3] for s in states(await rig.told(broker))} == {(ChildStatus.CANCELED, 0)}
    assert await broker.open_orders() == []


async def cancel_filled(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    await acknowledged(broker, ticket("a", limit="10.01"))
    await rig.told(broker)
    await broker.cancel("a", at(2))
    await broker.cancel("nobody", at(2))
    assert net(await rig.told(broker)) == 0
    assert (await known(broker, "a")).status is ChildStatus.FILLED
    assert await broker.positions() == {SYMBOL: Decimal(100)}


async def told_twice(rig: Rig) -> None:
    broker = rig.open(Situation.TELLS_TWICE)
    await acknowledged(broker, ioc("first", qty=1))
    told = list(await rig.told(broker))
    for n in range(6):
        await acknowledged(broker, ticket(f"a{n}", qty=30, limit="10.01"))
    told += await rig.told(broker)
    executions = [r for r in told if isinstance(r, ExecutionReport)]
    assert len(executions) > len({r.execution_id for r in executions})
    # Each time the same.
    assert len(set(executions)) == len({r.execution_id for r in executions})
    assert net(told) == net(await broker.executions(0)) == 181


async def out_of_order(rig: Rig) -> None:
    broker = rig.open(Situation.TELLS_OUT_OF_ORDER)
    await acknowledged(broker, ioc("first", qty=1))
    told = list(await rig.told(broker))
    for n in range(8):
        await acknowledged(broker, ticket(f"a{n}", qty=40, limit="10.01"))
    told += await rig.told(broker)
    moments = [report.at for report in told]
    assert moments != sorted(moments)
    listed = {r.execution_id: r.at for r in await broker.executions(0)}
    heard = {r.execution_id: r.at for r in told if isinstance(r, ExecutionReport)}
    assert heard == listed


async def gap(rig: Rig) -> None:
    broker = rig.open(Situation.FILLS_WHAT_RESTS)
    for n in range(4):
        await acknowledged(broker, ticket(f"a{n}", qty=25, limit="9.99"))
    told = list(await rig.told(broker)) if rig.name == "paper" else []
    broker = await rig.away(broker)
    told += await rig.told(broker)
    assert net(told) == 100
    for n in range(4):
        assert (await known(broker, f"a{n}")).status is ChildStatus.FILLED


async def another_adapter(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    rests = await acknowledged(broker, ticket("a", limit="9.98"))
    await acknowledged(broker, ticket("b", qty=30, limit="10.01"))
    await rig.told(broker)
    executions = await broker.executions(0)
    assert net(executions) == 30
    other = await rig.again()
    (order,) = await other.open_orders()
    assert (order.child_id, order.broker_order_id) == ("a", rests.broker_order_id)
    assert order.terms is not None
    assert (order.terms.symbol, order.terms.qty) == (SYMBOL, 100)
    assert await other.executions(0) == executions
    assert await other.executions(executions[0].at + 1) == []
    assert await other.positions() == {SYMBOL: Decimal(30)}
    assert await other.lookup("nobody") is None
    await not_again(other, ticket("b"))


async def look_up_lag(rig: Rig) -> None:
    broker = rig.open(Situation.LAGS)
    for n in range(5):
        await acknowledged(broker, ticket(f"a{n}", qty=10, limit="10.01", time_in_force=IOC))
    await rig.told(broker)
    await asyncio.sleep(broker.capabilities.lookup_lag / 1e6)
    for n in range(5):
        assert (await known(broker, f"a{n}")).status is ChildStatus.FILLED
    assert net(await broker.executions(0)) == 50


async def rate_limit(rig: Rig) -> None:
    broker = rig.open(Situation.LIMITS)
    names = [f"a{n}" for n in range(12)]
    outcomes = await asyncio.gather(*(broker.submit(ticket(name)) for name in names))
    limited = 0
    for name, outcome in zip(names, outcomes, strict=True):
        match outcome:
            case Acknowledged():
                assert rig.taken(name) == 1
            case Refused():
                # Kept back here: certain.
                assert rig.taken(name) == 0
                limited += 1
            case Unclear():
                limited += 1
    assert limited
    await asyncio.sleep(1.1)
    open_orders = {order.child_id for order in await broker.open_orders()}
    assert open_orders == {name for name in names if rig.taken(name)}
    for name in open_orders:
        await broker.cancel(name, at(0))
    await rig.told(broker)
    assert await broker.open_orders() == []


async def bust(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    await acknowledged(broker, ticket("a", limit="10.01", time_in_force=IOC))
    (execution,) = [r for r in await rig.told(broker) if isinstance(r, ExecutionReport)]
    rig.happen("bust", "a")
    (told,) = {r for r in await rig.told(broker) if not isinstance(r, OrderReport)}
    assert isinstance(told, BustReport)
    assert (told.child_id, told.execution_id) == ("a", execution.execution_id)
    assert told.at > execution.at
    assert net([execution, told]) == net(await broker.executions(0)) == 0
    assert await broker.positions() == {}
    # Another process, that was not there, is told of it as well.
    other = await (await rig.again()).executions(0)
    assert {type(report) for report in other} == {ExecutionReport, BustReport}
    assert net(other) == 0


async def correction(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    await acknowledged(broker, ticket("a", limit="10.01", time_in_force=IOC))
    (first,) = [r for r in await rig.told(broker) if isinstance(r, ExecutionReport)]
    rig.happen("correct", "a")
    (instead,) = {r for r in await rig.told(broker) if isinstance(r, ExecutionReport)}
    assert instead.corrects == first.execution_id != instead.execution_id
    assert net([first, instead]) == net(await broker.executions(0))
    assert await broker.positions() == {SYMBOL: net([first, instead])}


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        same_id_twice,
        answer_lost,
        order_lost,
        reject,
        partial_fill,
        fill_first,
        cancel,
        cancel_filled,
        told_twice,
        out_of_order,
        gap,
        another_adapter,
        look_up_lag,
        rate_limit,
        bust,
        correction,
        stops.stop_rests,
        stops.stop_unheard,
        stops.stop_after_part,
        stops.stop_canceled,
        stops.stop_refused,
    )
}
