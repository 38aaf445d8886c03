"""Where the shapes in use keep each thing, and what they call it; names in lower case."""

from collections.abc import Mapping

from app.domain.bracket import Basis
from app.domain.tradingview.message import Act, Held
from app.domain.tradingview.values import Json

Path = tuple[str, ...]

TICKER: tuple[Path, ...] = (("ticker",), ("symbol",), ("tv_instrument",), ("instrument",))
EXCHANGE: tuple[Path, ...] = (("exchange",), ("tv_exchange",))
ACTION: tuple[Path, ...] = (
    ("action",),
    ("side",),
    ("order_action",),
    ("strategy", "order_action"),
    ("strategy", "action"),
    ("order", "action"),
)
QUANTITY: tuple[Path, ...] = (
    ("qty",),
    ("quantity",),
    ("size",),
    ("contracts",),
    ("order_contracts",),
    ("strategy", "order_contracts"),
    ("strategy", "contracts"),
    ("order", "amount"),
)
QUANTITY_KIND: tuple[Path, ...] = (("quantitytype",), ("order", "currency_type"))
ORDER_TYPE: tuple[Path, ...] = (
    ("ordertype",),
    ("order_type",),
    ("pricetype",),
    ("order", "order_type"),
)
LIMIT_PRICE: tuple[Path, ...] = (("limitprice",), ("limit_price",))
PRICE: tuple[Path, ...] = (
    ("price",),
    ("signalprice",),
    ("order_price",),
    ("trigger_price",),
    ("strategy", "order_price"),
    ("close",),
    ("bar", "close"),
)
STOP_LEVELS: Mapping[Basis, tuple[Path, ...]] = {
    Basis.PRICE: (("stop",), ("stop_loss",), ("stoploss",), ("stoploss", "stopprice")),
    Basis.OFFSET: (("stoploss", "amount"),),
    Basis.PERCENT: (("stoploss", "percent"),),
}
STOP_KIND: tuple[Path, ...] = (("stoploss", "type"),)
TARGET_LEVELS: Mapping[Basis, tuple[Path, ...]] = {
    Basis.PRICE: (("take_profit",), ("takeprofit",), ("takeprofit", "limitprice")),
    Basis.OFFSET: (("takeprofit", "amount"),),
    Basis.PERCENT: (("takeprofit", "percent"),),
}
NO_LEVELS: tuple[Path, ...] = tuple((name,) for name in ("sl", "tp", "trailing_stop"))
"""A price to some and a distance to others, or a stop that is not kept here."""
CONFIDENCE: tuple[Path, ...] = (("confidence",),)
ORDER_ID: tuple[Path, ...] = (("order_id",), ("orderid",), ("strategy", "order_id"))
HELD: tuple[Path, ...] = (
    ("market_position",),
    ("strategy", "market_position"),
    ("strategy_info", "market_position"),
)
HELD_SIZE: tuple[Path, ...] = (
    ("market_position_size",),
    ("strategy", "market_position_size"),
    ("strategy_info", "market_position_size"),
)
POSITION: tuple[Path, ...] = (("position_size",), ("strategy", "position_size"))
HELD_BEFORE: tuple[Path, ...] = (
    ("prev_market_position",),
    ("strategy", "prev_market_position"),
    ("strategy_info", "prev_market_position"),
)
SENTIMENT: tuple[Path, ...] = (("sentiment",),)
TIME: tuple[Path, ...] = (("timenow",), ("time",), ("timestamp",))
MAX_LAG: tuple[Path, ...] = (("max_lag",),)
OWN_ID: tuple[Path, ...] = (("id",), ("alert_id",), ("signal_id",), ("alerttimestamp",))
SECRET: tuple[Path, ...] = tuple(
    (name,)
    for name in (
        "passphrase", "secret", "key", "auth", "token", "password", "apikey", "api_key",
        "webhook_secret", "pin",
    )
)  # fmt: skip

ACTS: Mapping[str, Act] = {
    "buy": Act.BUY,
    "long": Act.BUY,
    "enter_long": Act.BUY,
    "sell": Act.SELL,
    "short": Act.SELL,
    "enter_short": Act.SELL,
    "sell_short": Act.SELL,
    "add": Act.ADD,
    "exit": Act.EXIT,
    "close": Act.EXIT,
    "flat": Act.EXIT,
    "exit_long": Act.EXIT_LONG,
    "close_long": Act.EXIT_LONG,
    "exit_short": Act.EXIT_SHORT,
    "close_short": Act.EXIT_SHORT,
}
SIDES: Mapping[str, Held] = {
    "long": Held.LONG,
    "bullish": Held.LONG,
    "short": Held.SHORT,
    "bearish": Held.SHORT,
    "flat": Held.FLAT,
}
MONEY = frozenset({"dollar_amount", "notional", "quote"})
UNITS = frozenset({"fixed_quantity", "quantity", "units", "contracts", "shares", "base"})


def shape_of(said: Mapping[str, Json]) -> str:
    """What a shape is called; nothing depends on it."""
    if "strategy_info" in said:
        return "3commas"
    if not said.keys().isdisjoint(("sentiment", "quantitytype", "signalprice", "extras")):
        return "traderspost"
    if "alerttimestamp" in said:
        return "tv-hub"
    if not said.keys().isdisjoint(("apikey", "pricetype")):
        return "openalgo"
    return "nested" if isinstance(said.get("strategy"), Mapping) else "flat"
