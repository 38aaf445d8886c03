"""Everything goes wrong at once: what the sandbox broker said for sure was so, all the same."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest

from app.domain.quantity import Side
from app.ports import Acknowledged, ExecutionReport, OrderReport, Refused, Report, Unclear
from tests.brokers.market import SYMBOL, ticket
from tests.brokers.rehearsal import Rehearsal, ioc, net
from tests.venue.behaviour import FAULTS

ORDERS = 120
LIKELY = 0.08


async def trade(house: Rehearsal, broker: Any) -> tuple[dict[str, Any], list[Report]]:
    """Orders of both kinds and sides, cancels, questions, an ear on the stream."""
    chance, outcomes, told = Random(11), dict[str, Any](), list[Report]()

    async def order(n: int) -> None:
        side, name = chance.choice([Side.BUY, Side.SELL]), f"s{n}"
        make = chance.choice([ioc, ticket])
        await asyncio.sleep(chance.uniform(0, 1.5))
        outcomes[name] = await broker.submit(make(name, side=side, qty=chance.randint(1, 90)))
        if chance.random() < 0.5:
            await broker.cancel(name, 0)

    async def ask() -> None:
        question = chance.choice([broker.open_orders, broker.positions, broker.executions])
        try:
            await (question(0) if question == broker.executions else question())
        except ConnectionError:
            outcomes.setdefault("questions", []).append("away")

    async def listen() -> None:
        while True:
            try:
                told.extend(await broker.reports(0))
            except ConnectionError:
                outcomes.setdefault("questions", []).append("stream down")
            await asyncio.sleep(0.01)

    listening = asyncio.create_task(listen())
    await asyncio.gather(*(order(n) for n in range(ORDERS)), *(ask() for _ in range(ORDERS // 2)))
    house.venue.change(house.account, chances=dict.fromkeys(FAULTS, 0.0))
    # Until nothing can come in any more.
    await asyncio.sleep(broker.capabilities.quarantine / 1e6)
    for n in range(ORDERS):
        await broker.cancel(f"s{n}", 0)
    await house.until(lambda: house.count("agenda") == 0)
    await asyncio.sleep(1.0)
    listening.cancel()
    assert outcomes.pop("questions"), "some question went unanswered"
    return outcomes, told


@pytest.mark.parametrize("id_scope", ["ever", "open_only", "window", "none"])
async def test_storm(rehearsal: Rehearsal, id_scope: str) -> None:
    broker = rehearsal.open(partial=0.5, misses=0.2, quarantine_ms=600, id_scope=id_scope)
    rehearsal.venue.change(rehearsal.account, chances=dict.fromkeys(FAULTS, LIKELY))
    outcomes, told = await trade(rehearsal, broker)

    codes = dict(
        rehearsal.venue.rows(
            "SELECT client_id, code FROM orders WHERE account = ?", rehearsal.account
        )
    )
    kinds = Counter(type(outcome) for outcome in outcomes.values())
    assert set(kinds) == {Acknowledged, Refused, Unclear}
    for name, outcome in outcomes.items():
        match outcome:
            case Acknowledged():
                assert codes[name] == "accepted"
            case Refused():
                assert codes[name] == outcome.code
    # Unclear was both.
    unclear = {codes.get(n) for n, o in outcomes.items() if isinstance(o, Unclear)}
    assert {None, "accepted"} <= unclear

    everything = await broker.executions(0)
    positions = await broker.positions()
    assert net(everything) == positions.get(SYMBOL, 0)
    # The stream told less, some of it twice, and nothing that is not so.
    streamed = [r for r in told if not isinstance(r, OrderReport)]
    assert set(streamed) < set(everything)
    assert len(streamed) > len(set(streamed))
    assert {r.corrects is not None for r in everything if isinstance(r, ExecutionReport)} == {
        True,
        False,
    }
    assert await broker.open_orders() == []
