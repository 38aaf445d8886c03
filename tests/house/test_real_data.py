"""The main job on recorded markets: ticks, bars, and a market that never closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE, SECOND, Instant, from_datetime
from tests.world import World, emptied, open_world

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.timeout(180)]


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


async def assert_honest(world: World, order_id: str) -> None:
    """Crossing fills at the touch of their moment, every fill within bid and offer, sums right,
    events without a gap, and the interval VWAP that of the tape."""
    # Measured right after the commit that ends an order.
    row = await world.until(lambda row: row["measured_to"] is not None, order_id)
    tape = world.worker.market.feed.tape(row["symbol"])
    children = {c["id"]: c for c in await world.children(order_id)}
    fills = await world.fills(order_id)
    assert sum(Decimal(c["filled"]) for c in children.values()) == row["filled"] == row["qty"]
    assert sum(Decimal(f["qty"]) for f in fills) == row["qty"]
    for fill in fills:
        quote = tape.quote(at(fill["at"]))
        assert quote is not None
        price = Decimal(fill["price"])
        assert quote.bid <= price <= quote.ask, fill
        if children[fill["child_id"]]["purpose"] == "cross":
            assert price == (quote.ask if row["side"] == "buy" else quote.bid), fill
    async with world.database.connection() as connection:
        seqs = await connection.fetch(
            "SELECT seq FROM events WHERE order_id = $1 ORDER BY seq", order_id
        )
    assert [s["seq"] for s in seqs] == list(range(1, row["seq"] + 1))
    traded = tape.traded(row["start_at"], row["measured_to"])
    assert (row["market_volume"], row["market_notional"]) == (traded.volume, traded.notional)


async def what_was_done(world: World, order_id: str) -> list[tuple[Any, ...]]:
    keys = ("number", "intended_at", "qty", "price", "purpose", "filled", "status")
    children = [tuple(c[k] for k in keys) for c in await world.children(order_id)]
    fills = [(f["at"], f["qty"], f["price"]) for f in await world.fills(order_id)]
    return [*children, *fills]


@asynccontextmanager
async def replaying(
    url: str, folder: Path, path: Path, start: str, **settings: Any
) -> AsyncIterator[World]:
    await emptied(url)
    async with open_world(
        url, folder, feed="replay", feed_path=path, feed_start=start, **settings
    ) as world:
        yield world


async def test_ibm_ticks(database_url: str, tmp_path: Path, data_sets: Path) -> None:
    runs = []
    for name, speed in (("fast", Decimal(0)), ("slower", Decimal(4000))):
        async with replaying(
            database_url, tmp_path / name, data_sets / "lean", "2013-10-07T13:30:00Z"
        ) as world:
            start = at("2013-10-07T13:31:00Z")
            buy = await world.order(
                "IBM",
                "buy",
                qty="20000",
                algo="twap",
                start=start,
                duration=30 * MINUTE,
                params={"seed": "ibm-buy"},
            )
            sell = await world.order(
                "IBM", "sell", qty="20000", algo="vwap", start=start, params={"seed": "ibm-sell"}
            )
            await world.let_go(speed)
            for order_id in (buy, sell):
                row = await world.done(order_id, 120)
                assert row["status"] == "filled"
                await assert_honest(world, order_id)
            dropped = world.worker.market.feed.tape("IBM").dropped
            assert 0 < dropped["off_market"] < 0.05 * 24_293
            runs.append([await what_was_done(world, order_id) for order_id in (buy, sell)])
    assert runs[0] == runs[1]
    assert len(runs[0][1]) > 100


async def test_ibm_into_the_closing_cross(
    database_url: str, tmp_path: Path, data_sets: Path
) -> None:
    """New York printed 151,665 shares at 182.01 a minute after the close."""
    async with replaying(
        database_url, tmp_path, data_sets / "lean", "2013-10-07T19:30:00Z"
    ) as world:
        close = at("2013-10-07T20:00:00Z")
        to_close = {"completion": "close"}
        buy = await world.order("IBM", "buy", qty="9000", algo="twap", params=to_close)
        sell = await world.order(
            "BAC", "sell", qty="5000", algo="limit", limit_price="14.50", params=to_close
        )
        await world.let_go()
        bought, rested = await world.done(buy, 120), await world.done(sell, 120)
        closing = [c for c in await world.children(buy) if c["purpose"] == "close"]
        assert (bought["status"], bought["filled"], bought["end_at"]) == ("filled", 9000, close)
        assert len(closing) == 1
        # The cancel of what rested took its way there and back.
        assert 0 <= at(closing[0]["intended_at"]) - (close - 660 * SECOND) <= SECOND
        (fill,) = [f for f in await world.fills(buy) if f["child_id"] == closing[0]["id"]]
        assert (fill["price"], fill["qty"]) == ("182.01", closing[0]["qty"])
        assert (rested["status"], rested["filled"]) == ("expired", 0)
        assert [c["purpose"] for c in await world.children(sell)] == ["rest", "close"]
        tape = world.worker.market.feed.tape("IBM")
        late = tape.prints(close - 1, close + 5 * MINUTE - 1)
        assert int(late.size.max()) == 151_665


async def test_spy_minute_bars_stamped_at_the_end(
    database_url: str, tmp_path: Path, data_sets: Path
) -> None:
    layout = Path(__file__).parents[2] / "docs" / "layouts" / "spy-2011-minute.toml"
    async with replaying(
        database_url, tmp_path, layout, "2011-01-10T14:30:00Z", feed_root=data_sets
    ) as world:
        buy = await world.order("SPY", "buy", qty="20000", algo="twap", duration=30 * MINUTE)
        sell = await world.order("SPY", "sell", qty="20000", algo="vwap")
        await world.let_go()
        for order_id in (buy, sell):
            assert (await world.done(order_id, 120))["status"] == "filled"
            await assert_honest(world, order_id)
        # Five earlier sessions are in the file: their curve is used, not the default one.
        row = await world.row(sell)
        assert row["curve"]["source"].startswith("history:")


async def test_bitcoin_round_the_clock(database_url: str, tmp_path: Path, data_sets: Path) -> None:
    dump = data_sets / "hftbacktest" / "usdm" / "btcusdt_20240808.gz"
    async with replaying(
        database_url,
        tmp_path,
        dump,
        "2024-08-08T23:54:20Z",
        paper_fee_per_share=0,
        max_order_notional=None,
    ) as world:
        buy = await world.order(
            "BTCUSDT",
            "buy",
            qty="5",
            algo="twap",
            duration=180 * SECOND,
            params={"slices": 10, "jitter": 5},
        )
        sell = await world.order("BTCUSDT", "sell", qty="5", algo="vwap", duration=200 * SECOND)
        await world.let_go()
        for order_id in (buy, sell):
            assert (await world.done(order_id, 120))["status"] == "filled"
            await assert_honest(world, order_id)
