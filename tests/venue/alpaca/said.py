"""Alpaca's JSON, made of the venue's reports."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from tests.venue.behaviour import Behaviour
from tests.venue.ledger import COUNTS, Ledger, Row
from tests.venue.telling import Report, order_report
from tests.venue.twins import Twins

STATUS = {
    "working": "new",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "canceled": "canceled",
    "rejected": "rejected",
    "expired": "expired",
    "replaced": "replaced",
    "held": "held",
}
ENDED = {"filled": "filled_at", "canceled": "canceled_at", "expired": "expired_at"}
EVENT = {"working": "new", "partially_filled": "restated", "filled": "fill"}


def moment(at: Any) -> Any:
    """RFC 3339 with nanoseconds; what is no moment is passed on as it is."""
    if not isinstance(at, int):
        return at
    whole = datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{at % 1_000_000:06d}000Z"


def instant(text: str) -> int:
    """Microseconds of what a client sent. Raises ValueError."""
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


def asset_id(symbol: str) -> str:
    return str(uuid5(NAMESPACE_DNS, symbol))


def asset_class(symbol: str) -> str:
    return "crypto" if "/" in symbol else "us_equity"


def asset(symbol: str, behaviour: Behaviour) -> dict[str, Any]:
    crypto = asset_class(symbol) == "crypto"
    return {
        "id": asset_id(symbol),
        "class": asset_class(symbol),
        "exchange": "CRYPTO" if crypto else "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": not crypto,
        "shortable": not crypto,
        "easy_to_borrow": not crypto,
        "fractionable": crypto,
        "min_trade_increment": behaviour.lot if crypto else None,
        "price_increment": behaviour.tick if crypto else None,
    }


def order_json(
    ledger: Ledger, account: str, report: Report, *, nested: bool = False
) -> dict[str, Any]:
    """An order as its report says it stood, with its legs where they are asked for."""
    row = ledger.order_named(account, report["venue_id"])
    assert row is not None
    twins = Twins(ledger)
    twin, legs = twins.of(row), twins.legs(row)
    alone = twin is not None and twin["stop_limit_price"] is None
    at = report["at"] if isinstance(report["at"], int) else row["received_at"]
    symbol, status = row["symbol"], report["status"]
    if status == "working" and twins.held(row, ledger.now()):
        status = "held" if twins.is_leg(row) else "working"
    said = dict.fromkeys(
        ("filled_at", "canceled_at", "expired_at", "failed_at", "replaced_at", "replaced_by")
    )
    if status in ENDED:
        said[ENDED[status]] = moment(at)
    if status == "rejected":
        said["failed_at"] = moment(at)
    crypto = asset_class(symbol) == "crypto"
    return said | {
        "id": row["venue_id"],
        "client_order_id": row["client_id"],
        "created_at": moment(row["received_at"]),
        "updated_at": moment(report["at"]),
        "submitted_at": moment(row["received_at"]),
        "replaces": twin["replaces"] if twin is not None else None,
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "asset_class": asset_class(symbol),
        "notional": None,
        "qty": row["qty"],
        "filled_qty": report["filled"],
        "filled_avg_price": _average(ledger, row, at),
        "order_class": "oco" if legs or twins.is_leg(row) else "",
        "order_type": "stop_limit" if alone else "limit",
        "type": "stop_limit" if alone else "limit",
        "side": row["side"],
        "time_in_force": "gtc" if crypto and row["tif"] == "day" else row["tif"],
        "limit_price": row["limit_price"],
        "stop_price": twin["stop_price"] if alone and twin is not None else None,
        "status": STATUS[status],
        "extended_hours": False,
        "legs": _legs(ledger, account, legs) if nested and legs else None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
    }


def _legs(ledger: Ledger, account: str, legs: list[Row]) -> list[dict[str, Any]]:
    """What took a leg's place is found by the leg alone."""
    told, twins = [], Twins(ledger)
    for leg in legs:
        twin = twins.of(leg)
        if twin is not None and twin["replaces"] is None:
            told.append(order_json(ledger, account, order_report(ledger, leg, ledger.now())))
    return told


def _average(ledger: Ledger, row: Row, t: int) -> str | None:
    counting = ledger.rows(
        f"SELECT e.qty, e.price FROM executions e WHERE e.order_seq = :seq AND e.at <= :t"
        f" AND {COUNTS}",
        seq=row["seq"],
        t=t,
    )
    qty = sum((Decimal(e["qty"]) for e in counting), Decimal(0))
    paid = sum((Decimal(e["qty"]) * Decimal(e["price"]) for e in counting), Decimal(0))
    return format((paid / qty).quantize(Decimal("0.000001")), "f") if qty else None


def activity(ledger: Ledger, account: str, behaviour: Behaviour, report: Report) -> dict[str, Any]:
    """A row of the account's activities."""
    kind, name = _event(ledger, account, report), report["execution_id"]
    if behaviour.activity_ids == "own":
        name = str(uuid5(NAMESPACE_DNS, name))
    if report["kind"] == "bust":
        name = str(uuid5(NAMESPACE_DNS, f"bust of {name}"))
    stamp = datetime.fromtimestamp(report["at"] / 1e6, UTC).strftime("%Y%m%d%H%M%S%f")[:17]
    found = _order_of(ledger, account, report)
    said = {
        "id": f"{stamp}::{name}",
        "activity_type": "FILL",
        "transaction_time": moment(report["at"]),
        "type": kind,
        "symbol": report["symbol"],
        "order_id": found["venue_id"],
        "previous_execution_id": report.get("corrects"),
    }
    if report["kind"] == "bust":
        return said | {"previous_execution_id": report["execution_id"]}
    filled = ledger.filled(found["seq"], report["at"])
    return said | {
        "price": report["price"],
        "qty": report["qty"],
        "side": report["side"],
        "cum_qty": format(filled, "f"),
        "leaves_qty": format(max(Decimal(found["qty"]) - filled, Decimal(0)), "f"),
    }


def update(ledger: Ledger, account: str, report: Report) -> dict[str, Any]:
    """What the stream says of a report."""
    found = _order_of(ledger, account, report)
    at = report["at"] if isinstance(report["at"], int) else ledger.now()
    state = report if report["kind"] == "order" else order_report(ledger, found, at)
    event = _event(ledger, account, report)
    if event == "fill":
        # The ledger writes the end right after what completed the order.
        state = state | {"status": "filled"}
    data = {
        "event": event,
        "timestamp": moment(report["at"]),
        "order": order_json(ledger, account, state),
    }
    if report["kind"] == "execution":
        data |= {
            "execution_id": report["execution_id"],
            "price": report["price"],
            "qty": report["qty"],
            "position_qty": "0",
        }
        if report["corrects"] is not None:
            data["previous_execution_id"] = report["corrects"]
    if report["kind"] == "bust":
        data |= {
            "execution_id": str(uuid5(NAMESPACE_DNS, f"bust of {report['execution_id']}")),
            "previous_execution_id": report["execution_id"],
            "reason": "TRADE_BUST",
        }
    return {"stream": "trade_updates", "data": data}


def _event(ledger: Ledger, account: str, report: Report) -> str:
    match report["kind"]:
        case "order":
            return EVENT.get(report["status"], report["status"])
        case "bust":
            return "trade_bust"
    if report["corrects"] is not None:
        return "trade_correct"
    found = _order_of(ledger, account, report)
    at = report["at"] if isinstance(report["at"], int) else ledger.now()
    return "fill" if ledger.filled(found["seq"], at) >= Decimal(found["qty"]) else "partial_fill"


def _order_of(ledger: Ledger, account: str, report: Report) -> Row:
    """The order that a report is about; a bust names its execution only."""
    if report["kind"] != "bust":
        found = ledger.order_named(account, report["venue_id"])
    else:
        found = ledger.row(
            "SELECT o.* FROM orders o JOIN executions e ON e.order_seq = o.seq"
            " WHERE e.account = :account AND e.symbol = :symbol AND e.execution_id = :id",
            account=account,
            symbol=report["symbol"],
            id=report["execution_id"],
        )
    assert found is not None
    return found
