"""Alerts in the shapes that are in use."""

NOON = "2026-01-05T12:00:00Z"
NOON_INSTANT = 1_767_614_400_000_000

FLAT = {"secret": "s", "symbol": "AAPL", "side": "Sell", "qty": "10", "price": "1.5", "time": NOON}
NESTED = {
    "passphrase": "s",
    "time": NOON,
    "exchange": "NASDAQ",
    "ticker": "AAPL",
    "bar": {"time": "2026-01-05T11:00:00Z", "open": 1, "close": 187.25, "volume": 99},
    "strategy": {
        "position_size": -10,
        "order_action": "sell",
        "order_contracts": 20,
        "order_price": 187.2,
        "order_id": "Short",
        "market_position": "short",
        "market_position_size": 10,
        "prev_market_position": "long",
    },
}
TRADERSPOST = {
    "ticker": "AAPL",
    "action": "buy",
    "sentiment": "bullish",
    "quantity": "5000",
    "quantityType": "dollar_amount",
    "orderType": "limit",
    "limitPrice": "180.5",
    "signalPrice": "181",
    "time": "{{timenow}}".replace("{{timenow}}", NOON),
    "takeProfit": {"limitPrice": "200", "percent": "10"},
    "stopLoss": {"type": "stop", "stopPrice": 170},
    "extras": {"anything": ["at", "all"]},
}
COMMAS = {
    "secret": "s",
    "max_lag": "300",
    "timestamp": NOON,
    "trigger_price": "101.5",
    "tv_exchange": "BINANCE",
    "tv_instrument": "BTCUSDT",
    "action": "buy",
    "bot_uuid": "1234",
    "strategy_info": {
        "market_position": "long",
        "market_position_size": "0.5",
        "prev_market_position": "flat",
        "prev_market_position_size": "0",
    },
    "order": {"amount": "0.5", "currency_type": "base"},
}
HUB = {"token": "s", "ticker": "AAPL", "action": "buy", "qty": 1, "alertTimestamp": f"AAPL-{NOON}"}
OPENALGO = {
    "apikey": "s",
    "symbol": "NHPC",
    "exchange": "NSE",
    "action": "BUY",
    "product": "MIS",
    "pricetype": "MARKET",
    "quantity": "10",
    "position_size": "10",
}
LINE = "Turtle (20, 10): order buy @ 10 filled on BRK.B. New strategy position is -5"
