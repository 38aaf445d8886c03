"""How Alpaca writes what we know: ids of assets and executions, classes, numbers."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from app.domain.instrument import Instrument

_OURS = UUID("6f1d2a52-6a0e-5c64-9a51-5d5b7a3f1c20")

_EXCHANGES = {"XNYS": "NYSE", "XNAS": "NASDAQ", "24/7": "CRYPTO"}
_ROUND_THE_CLOCK = "24/7"


def asset_id(symbol: str) -> str:
    """Alpaca's clients take an asset's id for a UUID: the same one for a symbol, everywhere."""
    return str(uuid5(_OURS, f"asset:{symbol}"))


def account_id(account: str) -> str:
    return str(uuid5(_OURS, f"account:{account}"))


def execution_id(broker: str, account: str, execution: str) -> str:
    """The UUID of an execution: what is told twice has it twice."""
    return str(uuid5(_OURS, f"execution:{broker}:{account}:{execution}"))


def asset_class(calendar: str) -> str:
    return "crypto" if calendar == _ROUND_THE_CLOCK else "us_equity"


def exchange(calendar: str) -> str:
    """One of the exchanges that the client knows, empty for any other."""
    return _EXCHANGES.get(calendar, "")


def asset(instrument: Instrument) -> dict[str, Any]:
    """An instrument as an asset. What a broker lends or finances is not known here."""
    return {
        "id": asset_id(instrument.symbol),
        "class": asset_class(instrument.calendar),
        "exchange": exchange(instrument.calendar),
        "symbol": instrument.symbol,
        "name": instrument.symbol,
        "status": "active",
        "tradable": True,
        "marginable": False,
        "shortable": True,
        "easy_to_borrow": False,
        "fractionable": instrument.lot < 1,
        "min_order_size": plain(max(instrument.min_qty, instrument.lot)),
        "min_trade_increment": plain(instrument.lot),
        "price_increment": plain(instrument.tick),
    }


def plain(value: Decimal) -> str:
    """A decimal as text, without exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal) -> str:
    return plain(round(value, 4))
