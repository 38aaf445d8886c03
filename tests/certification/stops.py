"""What has to be true of a child that rests with its stop."""

from decimal import Decimal
from typing import Any

from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.ports import OrderReport, Refused, Ticket
from tests.brokers.market import SYMBOL, at, ticket
from tests.brokers.promises import acknowledged, known, states
from tests.brokers.rehearsal import net
from tests.certification.rigs import Rig, Situation

BELOW = ("9.60", "9.62")
ABOVE = ("11.00", "11.02")


def exits(name: str, **more: Any) -> Ticket:
    """Sells a hundred at 10.50, or once somebody bids 9.70 or less."""
    told = {"limit": "10.50", "stop": "9.70", "stop_limit": "9.50", **more}
    return ticket(name, Side.SELL, **told)


async def stop_rests(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    for name in ("up", "down"):
        sent = await acknowledged(broker, exits(name))
        told = await rig.told(broker)
        assert {s[1:3] for s in states(told)} <= {(ChildStatus.WORKING, 0)}
        (order,) = await broker.open_orders()
        assert (order.child_id, order.broker_order_id) == (name, sent.broker_order_id)
        assert order.terms is not None
        asked = (order.terms.qty, order.terms.limit_price)
        assert asked == (100, Decimal("10.50"))
        stop = (order.terms.stop_price, order.terms.stop_limit_price)
        assert stop == (Decimal("9.70"), Decimal("9.50"))
        rig.moves(*(ABOVE if name == "up" else BELOW))
        told = await rig.told(broker)
        assert net(told) == -100
        assert await broker.open_orders() == []
        found = await known(broker, name)
        assert (found.status, found.filled) == (ChildStatus.FILLED, 100)
        rig.moves("9.99", "10.01")
    assert net(await broker.executions(0)) == -200
    assert await broker.positions() == {SYMBOL: Decimal(-200)}


async def stop_unheard(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    await acknowledged(broker, exits("a"))
    await rig.told(broker)
    await broker.close()
    rig.moves(*BELOW)
    other = await rig.again()
    told = await rig.told(other)
    executions = await other.executions(0)
    assert {e.child_id for e in (*executions, *told)} == {"a"}
    assert net([*executions, *told]) == -100
    found = await known(other, "a")
    assert (found.status, found.filled) == (ChildStatus.FILLED, 100)
    assert await other.open_orders() == []


async def stop_after_part(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    rig.moves("9.99", "10.01", partial=1.0, rest_ms=(60_000, 60_000))
    await acknowledged(broker, exits("a"))
    told = list(await rig.told(broker))
    rig.moves(*ABOVE)
    told += await rig.told(broker)
    assert -100 < net(told) < 0
    rig.moves(*BELOW, partial=0.0)
    told += await rig.told(broker)
    assert net(told) == net(await broker.executions(0)) == -100
    prices = {e.price for e in await broker.executions(0) if not isinstance(e, OrderReport)}
    assert prices == {Decimal("11.00"), Decimal("9.60")}
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.FILLED, 100)


async def stop_canceled(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    await acknowledged(broker, exits("a"))
    await rig.told(broker)
    await broker.cancel("a", at(1))
    await broker.cancel("a", at(1))
    assert {s[1:3] for s in states(await rig.told(broker))} == {(ChildStatus.CANCELED, 0)}
    assert await broker.open_orders() == []
    rig.moves(*BELOW)
    assert net(await rig.told(broker)) == 0
    assert await broker.positions() == {}


async def stop_refused(rig: Rig) -> None:
    broker = rig.open(Situation.CALM)
    outcome = await broker.submit(exits("a", stop="10.20"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "bad_stop"
    found = await broker.lookup("a")
    assert found is None or found.status is ChildStatus.REJECTED
    assert await broker.open_orders() == []
