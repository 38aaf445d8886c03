"""The simulated data server as Alpaca's own client reads it: what our feed is tried against has the
shape of the real thing, as far as that client knows it."""

import asyncio
from datetime import date
from typing import Any

import pytest

from app.domain.instant import MINUTE, to_datetime
from tests.feeds.alpaca_data.market import now
from tests.feeds.alpaca_data.rest import KEY, SECRET
from tests.feeds.alpaca_data.running import Running

historical = pytest.importorskip(
    "alpaca.data.historical", reason="alpaca-py is not installed: nobody else reads the server"
)
requests = pytest.importorskip("alpaca.data.requests")
trading = pytest.importorskip("alpaca.trading.client")
asking = pytest.importorskip("alpaca.trading.requests")
timeframe = pytest.importorskip("alpaca.data.timeframe")

pytestmark = pytest.mark.timeout(60)


async def test_history_and_the_newest(server: Running) -> None:
    client = historical.StockHistoricalDataClient(KEY, SECRET, url_override=server.rest_url)
    start, end = now() - 2 * MINUTE, now()
    span = {"symbol_or_symbols": "ACME", "start": to_datetime(start), "end": to_datetime(end)}

    def read() -> Any:
        trades = client.get_stock_trades(requests.StockTradesRequest(**span, feed="sip"))
        minutes = timeframe.TimeFrame(5, timeframe.TimeFrameUnit.Minute)
        bars = client.get_stock_bars(
            requests.StockBarsRequest(
                **span | {"start": to_datetime(start - 600 * MINUTE)}, timeframe=minutes, feed="iex"
            )
        )
        ask = {"symbol_or_symbols": "ACME", "feed": "iex"}
        quote = client.get_stock_latest_quote(requests.StockLatestQuoteRequest(**ask))
        last = client.get_stock_latest_trade(requests.StockLatestTradeRequest(**ask))
        return trades.data["ACME"], bars.data["ACME"], quote["ACME"], last["ACME"]

    trades, bars, quote, last = await asyncio.to_thread(read)
    rows = list(server.market.trades("ACME", start - 1, end))
    assert [(t.id, t.price, t.size, t.exchange) for t in trades] == [
        (row["i"], row["p"], row["s"], row["x"]) for row in rows
    ]
    assert len(trades) > 30
    assert all(bar.volume > 0 for bar in bars)
    assert quote.bid_price < quote.ask_price
    assert last.size > 0


async def test_assets_and_calendar(server: Running) -> None:
    client = trading.TradingClient(KEY, SECRET, url_override=server.rest_url)
    day = date(2026, 11, 20)

    def read() -> Any:
        asset = client.get_asset("ACME")
        return asset, client.get_calendar(asking.GetCalendarRequest(start=day, end=day))

    asset, days = await asyncio.to_thread(read)
    assert (asset.symbol, asset.tradable, asset.status.value) == ("ACME", True, "active")
    assert [(d.date, d.open.hour, d.close.hour) for d in days] == [(day, 0, 23)]
