"""What an order cost so far."""

from app.domain.market import Traded
from app.domain.quantity import Side
from app.domain.tca import Outcome, Slippage, measure
from app.store.rows import Row
from app.store.views.plain import Answer, moment, rounded, text


def tca(row: Row) -> Answer:
    """Cost against arrival and interval VWAP; basis points and money, positive = cost."""
    mid = None
    if row["arrival_bid"] is not None:
        mid = (row["arrival_bid"] + row["arrival_ask"]) / 2
    market = None
    if row["market_volume"] is not None:
        market = Traded(row["market_volume"], row["market_notional"])
    outcome = measure(
        side=Side(row["side"]),
        filled=row["filled"],
        filled_notional=row["filled_notional"],
        fees=row["fees"],
        arrival_mid=mid,
        market=market,
    )
    return _outcome(row, outcome, market)


def _outcome(row: Row, outcome: Outcome, market: Traded | None) -> Answer:
    return {
        "order_id": row["id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "status": row["status"],
        "currency": row["instrument"]["currency"],
        "filled": text(outcome.filled),
        "average_price": text(rounded(outcome.average_price, 10)),
        "fees": text(outcome.fees),
        "arrival": _slippage(outcome.arrival),
        "interval_vwap": _slippage(outcome.interval_vwap),
        "market_volume": text(market.volume) if market else None,
        "measured_from": moment(row["start_at"]),
        "measured_to": moment(row["measured_to"]),
        "participation": text(rounded(outcome.participation, 6)),
    }


def _slippage(slippage: Slippage) -> Answer:
    return {
        "benchmark": text(rounded(slippage.benchmark, 10)),
        "slippage_bps": text(rounded(slippage.bps, 4)),
        "slippage_money": text(rounded(slippage.money, 4)),
        "reason": slippage.reason,
    }
