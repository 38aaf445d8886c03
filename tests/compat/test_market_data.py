"""The latest quotes, trades and bars of our feed through alpaca-py's data clients."""

import asyncio
from decimal import Decimal

import pytest
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.requests import (
    CryptoLatestQuoteRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
)

from tests.compat.conftest import House


@pytest.fixture
def data(house: House) -> StockHistoricalDataClient:
    client: StockHistoricalDataClient = house.kept(
        StockHistoricalDataClient(house.key_id, house.key, url_override=house.base)
    )
    return client


async def test_the_latest_quote_and_trade_are_the_feeds(
    house: House, data: StockHistoricalDataClient
) -> None:
    await house.world.let_go(Decimal(600))
    await asyncio.sleep(0.5)
    await house.world.hold()
    await asyncio.sleep(0.3)
    asked = StockLatestQuoteRequest(symbol_or_symbols=["ACME", "GLOBEX"])
    quotes = await house.call(data.get_stock_latest_quote, asked)
    assert set(quotes) == {"ACME", "GLOBEX"}
    quote = quotes["ACME"]
    async with house.world.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM watches WHERE symbol = 'ACME'")
    assert (Decimal(str(quote.bid_price)), Decimal(str(quote.ask_price))) == (
        row["bid"],
        row["ask"],
    )
    assert quote.bid_size == float(row["bid_size"])
    asked = StockLatestTradeRequest(symbol_or_symbols="ACME")
    trade = (await house.call(data.get_stock_latest_trade, asked))["ACME"]
    assert Decimal(str(trade.price)) == row["last"]
    assert trade.size > 0


async def test_the_latest_bar_is_the_last_whole_minute(
    house: House, data: StockHistoricalDataClient
) -> None:
    await house.world.let_go(Decimal(600))
    asked = StockLatestBarRequest(symbol_or_symbols="ACME")
    bars = await house.until(lambda: data.get_stock_latest_bar(asked), lambda found: found)
    await asyncio.sleep(0.5)
    await house.world.hold()
    await asyncio.sleep(0.3)
    bars = await house.call(data.get_stock_latest_bar, asked)
    bar = bars["ACME"]
    assert bar.low <= min(bar.open, bar.close, bar.vwap)
    assert bar.high >= max(bar.open, bar.close, bar.vwap)
    assert bar.volume > 0
    assert bar.trade_count >= 1
    assert bar.timestamp.second == 0


async def test_a_symbol_that_the_feed_does_not_know_is_left_out(
    house: House, data: StockHistoricalDataClient
) -> None:
    client = house.kept(
        CryptoHistoricalDataClient(house.key_id, house.key, url_override=house.base)
    )
    asked = CryptoLatestQuoteRequest(symbol_or_symbols=["BTC/USD", "ACME"])
    assert set(await house.call(client.get_crypto_latest_quote, asked)) == {"ACME"}
