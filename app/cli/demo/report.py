"""What the demo shows at the end: children, fills, alerts and what it all cost."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.cli.client import Client
from app.cli.output import amount, clock_time, price, print_table, tick

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 4


def show_children(client: Client, order_id: str, out: "Console") -> None:
    """The first children of an order."""
    found = client.get(f"/orders/{order_id}/children")["items"]
    print_table(
        ("sent", "child", "side", "qty", "symbol", "price", "purpose", "filled", "status"),
        [
            (
                clock_time(c["intended_at"]),
                c["id"],
                c["side"],
                amount(c["qty"]),
                c["symbol"],
                tick(c["price"]),
                c["purpose"],
                amount(c["filled"]),
                c["status"],
            )
            for c in found[:_SHOWN]
        ],
        title=f"Child orders of the {found[0]['symbol']} TWAP ({_shown(found)})",
        right=("qty", "price", "filled"),
        to=out,
    )


def show_fills(client: Client, order_ids: Sequence[str], out: "Console") -> None:
    """The first fills of an order, and the totals of all."""
    by_order = [client.get(f"/orders/{name}/fills")["items"] for name in order_ids]
    first, everything = by_order[0], [fill for fills in by_order for fill in fills]
    rows = [
        (
            clock_time(f["at"]),
            f["execution_id"],
            f["side"],
            amount(f["qty"]),
            f["symbol"],
            tick(f["price"]),
            f["fee"],
            f["liquidity"],
        )
        for f in first[:_SHOWN]
    ]
    money = sum((Decimal(f["qty"]) * Decimal(f["price"]) for f in everything), Decimal(0))
    fees = sum((Decimal(f["fee"]) for f in everything), Decimal(0))
    print_table(
        ("filled", "execution", "side", "qty", "symbol", "price", "fee", "liquidity"),
        rows,
        title=f"Its fills ({_shown(first)})",
        right=("qty", "price", "fee"),
        to=out,
    )
    makers = sum(f["liquidity"] == "maker" for f in everything)
    out.print(
        f"All orders: {len(everything)} fills ({makers} as maker), ${money:,.2f} traded,"
        f" ${fees:,.2f} fees.\n"
    )


def show_alerts(client: Client, out: "Console") -> None:
    found = client.get("/alerts")["items"]
    if not found:
        out.print("No alerts.\n")
        return
    print_table(
        ("at", "rule", "severity", "message", "times"),
        [(clock_time(a["at"]), a["rule"], a["severity"], a["message"], a["count"]) for a in found],
        title="Alerts",
        right=("times",),
        to=out,
    )


def show_costs(client: Client, order_ids: Sequence[str], out: "Console") -> None:
    """Each order against the price at its arrival and the market's average meanwhile."""
    print_table(
        ("order", "average", "arrival", "bps", "$", "VWAP", "bps ", "$ "),
        [_cost_row(client, name) for name in order_ids],
        title="What it cost, against arrival and against the market's VWAP (positive is a cost)",
        right=("average", "arrival", "bps", "$", "VWAP", "bps ", "$ "),
        to=out,
    )


def _cost_row(client: Client, order_id: str) -> tuple[str | None, ...]:
    order, cost = client.get(f"/orders/{order_id}"), client.get(f"/orders/{order_id}/tca")
    arrival, vwap = cost["arrival"], cost["interval_vwap"]
    return (
        f"{order['side']} {order['symbol']} {order['algo']}",
        price(cost["average_price"]),
        price(arrival["benchmark"]),
        _signed(arrival["slippage_bps"]),
        _signed(arrival["slippage_money"]),
        price(vwap["benchmark"]),
        _signed(vwap["slippage_bps"]),
        _signed(vwap["slippage_money"]),
    )


def _signed(text: str | None) -> str | None:
    return f"{float(text):+,.2f}" if text is not None else None


def _shown(found: Sequence[Any]) -> str:
    return f"{min(_SHOWN, len(found))} of {len(found)}"
