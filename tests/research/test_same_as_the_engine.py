"""The engine on a stepped market with the paper broker, and virtual time: row by row the same."""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.instant import MILLISECOND, MINUTE, Instant, from_datetime
from app.domain.refusal import Refusal, Unavailable
from app.domain.scene import Scene as Met
from app.domain.venue.tariff import Tariff
from app.engine.quotes import scene_for
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import Scene, run
from app.store import journal
from tests.research.parents import Parent, parents
from tests.world import World, emptied, open_world

SYNTHETIC = {"ACME": 500.0, "GLOBEX": 2000.0, "INITECH": 100.0, "COINX": 2.0}
"""Symbols with the size they display on average."""
REPLAYED = {"IBM": 200.0, "BAC": 20_000.0}

WINDOW = 12 * MINUTE
"""One order a symbol at a time: two would meet at the venue."""

FEW, LOOKS = {"ci": (3, 6), "deep": (3, 60)}[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
"""Houses in `make test`, and in campaigns."""

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Setting:
    """A house: its venue, and per symbol the parents it works one after the other."""

    latency_ms: int
    fee_bps: str
    days: list[list[Parent]]


def houses(symbols: dict[str, float]) -> st.SearchStrategy[Setting]:
    lists = [st.lists(parents(symbol), min_size=3, max_size=4) for symbol in symbols]
    return st.builds(
        Setting,
        latency_ms=st.sampled_from([0, 1, 5, 40, 2_500]),
        fee_bps=st.sampled_from(["0", "1.5"]),
        days=st.tuples(*lists).map(list),
    )


async def entered(world: World, parent: Parent, slot: int, shown: float) -> str | None:
    """The order's id; None where the house refuses it."""
    scene = await market_of(world, parent.symbol)
    assert scene.quote is not None
    session = scene.sessions[0]
    start = max(session.opens_at, scene.now) + slot * WINDOW
    try:
        return await world.order(
            parent.symbol,
            parent.side.value,
            qty=parent.qty(shown, scene.instrument.lot),
            algo=parent.algo,
            params=parent.asked(scene.quote.mid, scene.instrument.tick),
            urgency=parent.urgency,
            start=start,
            end=start + parent.length,
            **{
                name: value
                for name, value in {
                    "limit_price": parent.limit_price(scene.quote.mid, scene.instrument.tick),
                    "max_participation": parent.cap,
                }.items()
                if value is not None
            },
        )
    except Refusal:
        return None


async def market_of(world: World, symbol: str) -> Met:
    """A machine with much to do may take its time to read a tape."""
    async with asyncio.timeout(60):
        while True:
            with suppress(Unavailable):
                return await scene_for(world.service, symbol)


async def both(url: str, folder: Path, house: Setting, shown: dict[str, float], **feed: Any) -> int:
    """Compare every order of a house; how many there were."""
    venue = VenueOptions(
        Latency(house.latency_ms * MILLISECOND), Tariff(bps=Decimal(house.fee_bps))
    )
    options = {
        "paper_latency_ms": house.latency_ms,
        "paper_fee_per_share": Decimal(0),
        "paper_fee_bps": Decimal(house.fee_bps),
        "max_order_notional": Decimal(10**12),
        "max_order_qty": Decimal(10**12),
    }
    async with open_world(url, folder, **options, **feed) as world:
        ids = [
            await entered(world, parent, slot, shown[parent.symbol])
            for day in house.days
            for slot, parent in enumerate(day)
        ]
        found = [order_id for order_id in ids if order_id is not None]
        # The desk must have seen each: time that goes on meanwhile is lost to an order.
        async with asyncio.timeout(60):
            while sum(desk.orders for desk in world.worker.desks.values()) < len(found):
                await asyncio.sleep(0.01)
        await world.let_go()
        for order_id in found:
            await world.done(order_id, seconds=600)
        for order_id in found:
            await compared(world, order_id, venue)
    return len(found)


async def compared(world: World, order_id: str, venue: VenueOptions) -> None:
    row = await world.row(order_id)
    async with world.database.connection() as connection:
        loaded = await journal.load(connection, account="main", order_ids=[order_id])
    execution, _ = loaded[order_id]
    symbol = execution.task.instrument.symbol
    market = world.worker.market
    scene = Scene(market.feed.tape(symbol), market.watched[symbol].sessions, venue=venue)
    virtual = run(execution.task, scene, begins=row["accepted_at"])
    asked = (execution.task.algo, dict(execution.task.params), order_id)
    children, fills = await world.children(order_id), await world.fills(order_id)
    assert told(children) == made(virtual), asked
    assert filled(fills) == virtual_fills(virtual), asked
    after = virtual.execution
    assert (row["status"], row["reason"], row["filled"]) == (
        after.status,
        after.reason,
        after.filled,
    ), asked
    assert execution.anchor == after.anchor, asked


def told(children: list[dict[str, Any]]) -> Rows:
    return [
        (
            c["number"],
            c["id"],
            c["side"],
            instant(c["intended_at"]),
            Decimal(c["qty"]),
            Decimal(c["price"]),
            c["purpose"],
            c["time_in_force"],
        )
        for c in children
    ]


def made(virtual: Run) -> Rows:
    return [
        (c.number, c.child_id, c.side, c.at, c.qty, c.price, c.purpose, c.time_in_force)
        for c in virtual.children
    ]


def filled(fills: list[dict[str, Any]]) -> Rows:
    return sorted(
        (
            instant(f["at"]),
            f["child_id"],
            Decimal(f["qty"]),
            Decimal(f["price"]),
            Decimal(f["fee"]),
            f["liquidity"],
        )
        for f in fills
    )


def virtual_fills(virtual: Run) -> Rows:
    return sorted((f.at, f.child_id, f.qty, f.price, f.fee, f.liquidity) for f in virtual.fills)


def instant(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def compare(url: str, house: Setting, shown: dict[str, float], **feed: Any) -> None:
    async def whole() -> int:
        await emptied(url)
        with TemporaryDirectory() as folder:
            return await both(url, Path(folder), house, shown, **feed)

    asyncio.run(whole())


def unhurried(looks: int) -> settings:
    return settings(
        max_examples=looks,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.slow
@unhurried(FEW)
@given(house=houses(SYNTHETIC))
@pytest.mark.timeout(3_600)
def test_on_a_made_up_market(database_url: str, house: Setting) -> None:
    compare(database_url, house, SYNTHETIC)


@pytest.mark.campaign
@unhurried(LOOKS)
@given(house=houses(SYNTHETIC))
@pytest.mark.timeout(3_600)
def test_many_houses_on_a_made_up_market(database_url: str, house: Setting) -> None:
    compare(database_url, house, SYNTHETIC)


@pytest.mark.campaign
@pytest.mark.data
@unhurried(LOOKS)
@given(house=houses(REPLAYED))
@pytest.mark.timeout(3_600)
def test_on_recorded_ticks(database_url: str, data_sets: Path, house: Setting) -> None:
    lean = data_sets / "lean"
    compare(
        database_url,
        house,
        REPLAYED,
        feed="replay",
        feed_path=lean,
        feed_start="2013-10-07T10:00:00-04:00",
    )
