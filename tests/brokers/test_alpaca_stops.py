"""A child with its stop is two orders at Alpaca: whatever one of them says is not yet about it."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from app.brokers.alpaca.client import order_body
from app.brokers.alpaca.twin import state_of
from app.domain.fact import TimeInForce
from app.domain.identity import child_id
from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.domain.quantity import Side
from app.ports import ExecutionReport, OrderReport, Report
from tests.brokers.alpaca_rehearsal import AlpacaRehearsal
from tests.brokers.market import SYMBOL, ticket
from tests.brokers.promises import acknowledged, known
from tests.brokers.rehearsal import CALM_MARKET, net
from tests.certification.stops import ABOVE, BELOW, exits

MINE = child_id("01a1fda6-32f0-7104-a88b-a4ed1c86d077", 1)
QUIRKS: dict[str, dict[str, Any]] = {
    "canceled": {},
    "replaced": {"ended": "replaced"},
    "unsaid": {"unsaid": True},
    "put anew": {"put_anew": True, "ended": "replaced"},
    "unlisted": {"unlisted": True, "unsaid": True},
    "bare": {"bare": True},
    "bare and unlisted": {"bare": True, "unlisted": True, "unsaid": True},
    "other ids": {"activity_ids": "own"},
}


def moves(alpaca: AlpacaRehearsal, touch: tuple[str, str], **habits: Any) -> None:
    alpaca.venue.change(alpaca.account, touch={SYMBOL: touch}, **habits)


def ends(told: Any, name: str = "a") -> set[tuple[ChildStatus, Decimal]]:
    states = [r for r in told if isinstance(r, OrderReport) and r.status in CHILD_DONE]
    return {(r.status, r.filled) for r in states if r.child_id == name}


def named(reports: Any) -> set[str]:
    return {report.child_id for report in reports}


def in_part(alpaca: AlpacaRehearsal, touch: tuple[str, str]) -> None:
    """Somebody takes a part, and then nobody anything for a minute."""
    moves(alpaca, touch, partial=1.0, rest_ms=(60_000, 60_000))


def test_the_body_is_alpacas_own_with_exact_numbers() -> None:
    both = order_body(exits("a", limit="10.50"))
    assert both == {
        "symbol": SYMBOL,
        "side": "sell",
        "qty": "100",
        "type": "limit",
        "time_in_force": "day",
        "client_order_id": "a",
        "order_class": "oco",
        "take_profit": {"limit_price": "10.50"},
        "stop_loss": {"stop_price": "9.70", "limit_price": "9.50"},
    }
    alone = order_body(ticket("a", Side.SELL, limit="9.50", stop="9.70"))
    assert {k: alone[k] for k in ("type", "stop_price", "limit_price")} == {
        "type": "stop_limit",
        "stop_price": "9.70",
        "limit_price": "9.50",
    }
    assert "order_class" not in alone


@pytest.mark.parametrize("quirk", QUIRKS)
@pytest.mark.parametrize("target", [True, False], ids=["target", "stop"])
async def test_one_cancels_the_other_however_it_is_told(
    alpaca: AlpacaRehearsal, quirk: str, target: bool
) -> None:
    broker = alpaca.open(**CALM_MARKET | QUIRKS[quirk])
    await acknowledged(broker, exits("a"))
    told = list(await alpaca.hear(broker))
    assert ends(told) == set()
    moves(alpaca, ABOVE if target else BELOW)
    told += await alpaca.hear(broker)
    assert net(told) == net(await broker.executions(0)) == -100
    # Nobody says that it ended with less, however the other of the two went.
    assert ends(told) <= {(ChildStatus.FILLED, Decimal(100))}
    assert named(told) == {"a"}
    assert (await known(broker, "a")).status is ChildStatus.FILLED
    assert await broker.open_orders() == []


@pytest.mark.parametrize("quirk", QUIRKS)
async def test_a_part_of_each_is_the_whole(alpaca: AlpacaRehearsal, quirk: str) -> None:
    broker = alpaca.open(**CALM_MARKET | QUIRKS[quirk])
    await acknowledged(broker, exits("a"))
    told = list(await alpaca.hear(broker))
    in_part(alpaca, ABOVE)
    told += await alpaca.hear(broker)
    part = -net(told)
    assert 0 < part < 100
    assert ends(told) == set()
    (order,) = await broker.open_orders()
    assert (order.status, order.filled) == (ChildStatus.PARTIALLY_FILLED, part)
    assert order.terms is not None
    assert order.terms.qty == 100
    in_part(alpaca, BELOW)
    told += await alpaca.hear(broker)
    assert part < -net(told) < 100
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.PARTIALLY_FILLED, -net(told))
    assert ends(told) == set()
    # The limit is over and its stop works on: this ends what is there.
    await broker.cancel("a", 0)
    told += await alpaca.hear(broker)
    assert ends(told) == {(ChildStatus.CANCELED, -net(told))}
    assert await broker.open_orders() == []
    assert await broker.positions() == {SYMBOL: net(told)}


@pytest.mark.parametrize("quirk", [name for name in QUIRKS if "bare" not in name])
async def test_a_fresh_process_knows_whose_leg_it_was(alpaca: AlpacaRehearsal, quirk: str) -> None:
    """Ours by its name alone: nobody in the new process has seen the order."""
    broker = alpaca.open(**CALM_MARKET | QUIRKS[quirk])
    await acknowledged(broker, exits(MINE))
    in_part(alpaca, ABOVE)
    first = await alpaca.hear(broker)
    await broker.close()
    other = alpaca.crash()
    assert named(await other.executions(0)) == {MINE}
    await other.close()
    in_part(alpaca, BELOW)
    late = alpaca.crash()
    heard: list[Report] = list(await alpaca.hear(late))
    executions = await late.executions(0)
    assert named(executions) == {MINE}
    assert net([*executions, *heard]) == net(executions) < net(first)
    found = await known(late, MINE)
    assert (found.status, -found.filled) == (ChildStatus.PARTIALLY_FILLED, net(executions))
    moves(alpaca, BELOW, partial=0.0)
    told = [*executions, *heard, *await alpaca.hear(late)]
    assert net(told) == net(await late.executions(0)) == -100
    assert named(told) == {MINE}
    assert {r.broker_order_id for r in told if isinstance(r, ExecutionReport)} == {
        (await known(late, MINE)).broker_order_id
    }


def leg(alpaca: AlpacaRehearsal) -> str:
    """The client id of the open leg."""
    query = (
        "SELECT client_id FROM orders o JOIN twins t ON t.order_seq = o.seq WHERE account = ?"
        " AND t.head_seq <> o.seq AND NOT EXISTS (SELECT 1 FROM ends x WHERE x.order_seq = o.seq)"
    )
    ((name,),) = alpaca.venue.rows(query, alpaca.account)
    return str(name)


async def test_a_leg_heard_of_before_its_order_is_placed(alpaca: AlpacaRehearsal) -> None:
    """Another process hears the stop go off, of an order whose name nobody here gave."""
    broker = alpaca.open(**CALM_MARKET)
    listening = alpaca.crash()
    await alpaca.hear(listening)
    await acknowledged(broker, exits("theirs"))
    listening._directory.__init__()
    moves(alpaca, BELOW)
    told = await alpaca.hear(listening)
    assert net(told) == -100
    assert named(told) == {"theirs"}


async def test_both_may_fill(alpaca: AlpacaRehearsal) -> None:
    """More than was asked for: told as it is, each once, and never as less."""
    broker = alpaca.open(**CALM_MARKET | {"both_fill": True})
    await acknowledged(broker, exits("a"))
    await alpaca.hear(broker)
    moves(alpaca, BELOW)
    told = await alpaca.hear(broker)
    assert net(told) == -200
    assert (await known(broker, "a")).filled == 200
    assert await broker.positions() == {SYMBOL: Decimal(-200)}


async def test_a_stop_alone_waits_for_its_price(alpaca: AlpacaRehearsal) -> None:
    broker = alpaca.open(**CALM_MARKET)
    await acknowledged(broker, ticket("a", Side.SELL, limit="9.50", stop="9.70"))
    assert net(await alpaca.hear(broker)) == 0
    (order,) = await broker.open_orders()
    assert order.terms is not None
    assert (order.terms.stop_price, order.terms.stop_limit_price) == (Decimal("9.70"), None)
    moves(alpaca, BELOW)
    assert net(await alpaca.hear(broker)) == -100
    assert (await known(broker, "a")).status is ChildStatus.FILLED


async def test_a_bust_of_a_leg_names_the_child(alpaca: AlpacaRehearsal) -> None:
    broker = alpaca.open(**CALM_MARKET)
    await acknowledged(broker, exits("a"))
    name = leg(alpaca)
    moves(alpaca, BELOW)
    told = list(await alpaca.hear(broker))
    alpaca.venue.happen(alpaca.account, "bust", name)
    told += await alpaca.hear(broker)
    assert net(told) == net(await broker.executions(0)) == 0
    assert named(told) == {"a"}


async def test_what_is_not_for_stops_is_refused_by_the_venue(alpaca: AlpacaRehearsal) -> None:
    broker = alpaca.open(symbols=["BTC/USD", SYMBOL], touch=CALM_MARKET["touch"], lot="0.1")
    for wrong in (exits("a", symbol="BTC/USD"), exits("b", qty="1.5")):
        outcome = await broker.submit(wrong)
        assert "oco" in outcome.message
    now = exits("c", time_in_force=TimeInForce.IOC)
    assert "oco" in (await broker.submit(now)).message


@pytest.mark.parametrize(
    "chance",
    [
        "cut_after",
        "ack_reorder",
        "report_drop",
        "report_duplicate",
        "report_reorder",
        "report_garbage",
        "stream_cut",
        "question_503",
        "list_omits",
    ],
)
async def test_whatever_is_lost_nothing_is_counted_elsewhere_or_twice(
    alpaca: AlpacaRehearsal, chance: str
) -> None:
    broker = alpaca.open(chance, **CALM_MARKET)
    await broker.submit(exits(MINE))
    moves(alpaca, BELOW)
    await alpaca.until(lambda: alpaca.count("executions") == 1)
    await asyncio.sleep(0.3)
    alpaca.venue.change(alpaca.account, chances={chance: 0.0})
    told = await alpaca.hear(broker)
    executions = await broker.executions(0)
    assert net(executions) == net([*executions, *told]) == -100
    assert named([*executions, *told]) == {MINE}
    assert ends(told, MINE) <= {(ChildStatus.FILLED, Decimal(100))}
    found = await known(broker, MINE)
    assert (found.status, found.filled) == (ChildStatus.FILLED, 100)
    assert await broker.open_orders() == []


def told(status: str, filled: str = "0", **more: Any) -> dict[str, Any]:
    """One of two orders for a hundred."""
    at = "2026-03-16T18:38:01.942282Z"
    order = {"id": "head", "client_order_id": MINE, "symbol": SYMBOL, "side": "sell", "qty": "100"}
    order |= {"limit_price": "10.50", "order_class": "oco", "submitted_at": at, "updated_at": at}
    return order | {"status": status, "filled_qty": filled} | more


LEG = {"id": "leg", "client_order_id": "x", "stop_price": "9.70", "limit_price": "9.50"}


@pytest.mark.parametrize(
    ("head", "leg", "ended"),
    [
        (told("replaced"), told("canceled", **LEG), None),
        (told("canceled"), told("replaced", "40", **LEG), None),
        (told("replaced", replaced_by="leg"), told("canceled", **LEG), ChildStatus.CANCELED),
        (told("replaced"), told("filled", "100", **LEG), ChildStatus.FILLED),
        (told("replaced"), told("held", **LEG), ChildStatus.WORKING),
    ],
)
def test_what_was_replaced_by_nobody_knows_what_is_not_over(
    head: dict[str, Any], leg: dict[str, Any], ended: ChildStatus | None
) -> None:
    report = state_of(head, [head, leg])
    assert (report and report.status) == ended


async def test_what_is_filled_and_about_to_leave_is_not_told_as_open(
    alpaca: AlpacaRehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its leg is still there for a while; only what stays is told."""
    monkeypatch.setattr("app.brokers.alpaca.asking.AGAIN_SECONDS", (0.5, 3.0))
    broker = alpaca.open(**CALM_MARKET | {"both_fill": True})
    await acknowledged(broker, exits("a"))
    await alpaca.hear(broker)
    moves(alpaca, ABOVE)
    heard = [r for r in await alpaca.hear(broker) if isinstance(r, OrderReport)]
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.PARTIALLY_FILLED, 100)
    assert all(r.terms is None for r in (found, *heard) if r.filled)
    async with asyncio.timeout(10):
        while (await known(broker, "a")).terms is None:
            await asyncio.sleep(0.1)
