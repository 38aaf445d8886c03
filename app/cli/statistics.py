"""`slipstream statistics`."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import amount, print_json, print_table

_COLUMNS = (
    "", "orders", "filled", "ratio", "notional", "fees", "cost bps", "median s", "p95 s",
    "children", "rejected", "unknown",
)  # fmt: skip


class Group(StrEnum):
    ALGO = "algo"
    SYMBOL = "symbol"
    STRATEGY = "strategy"
    SIDE = "side"
    ROUTE = "route"


def statistics(
    group_by: Annotated[Group | None, typer.Option(help="One line for each of these.")] = None,
    account: Annotated[str | None, typer.Option(help="Default: all that the key can see.")] = None,
    since: Annotated[str | None, typer.Option(help="Accepted from then on, RFC 3339.")] = None,
    until: Annotated[str | None, typer.Option(help="Accepted before then, RFC 3339.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """How orders went: counts, fill ratio, money, cost against arrival, times, children."""
    with Client(place.find(url, key)) as client:
        found = client.get(
            "/orders/statistics",
            account=account,
            since=since,
            until=until,
            group_by=group_by.value if group_by else None,
        )
    if as_json:
        print_json(found)
        return
    rows = [_row(group["key"] or "–", group) for group in found["groups"]]
    print_table(_COLUMNS, [*rows, _row("all", found["total"])], right=_COLUMNS[1:])


def _row(name: str, figures: dict[str, Any]) -> list[Any]:
    return [
        name,
        figures["orders"],
        figures["by_status"].get("filled", 0),
        figures["filled"]["ratio"],
        amount(figures["notional"]["value"]),
        amount(figures["fees"]["value"]),
        figures["slippage"]["mean_bps"],
        figures["time_to_complete"]["median_seconds"],
        figures["time_to_complete"]["p95_seconds"],
        figures["children"]["per_order"],
        figures["children"]["rejected"],
        figures["children"]["unknown"],
    ]
