"""`slipstream orders`."""

from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import amount, console, price, print_json, print_table

_PAGE = 500


def orders(
    status: Annotated[
        str | None, typer.Option(help="A status, or open or closed. Default: all.")
    ] = None,
    symbol: Annotated[str | None, typer.Option()] = None,
    strategy: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List orders, the newest first."""
    with Client(place.find(url, key)) as client:
        found = fetch(client, limit=limit, status=status, symbol=symbol, strategy=strategy)
    if as_json:
        print_json(found)
    elif found:
        show(found)
    else:
        console().print("No orders.")


def fetch(client: Client, *, limit: int, **filters: str | None) -> list[dict[str, Any]]:
    """Orders, page by page, until there are `limit` or no more."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < limit:
        page = client.get("/orders", limit=min(limit - len(found), _PAGE), cursor=cursor, **filters)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return found


def show(found: list[dict[str, Any]]) -> None:
    print_table(
        ("order", "side", "qty", "symbol", "algorithm", "filled", "average", "status", "reason"),
        [
            (
                o["id"],
                o["side"],
                amount(o["qty"]),
                o["symbol"],
                o["algo"],
                amount(o["filled"]),
                price(o["average_price"]),
                o["status"],
                o["reason"],
            )
            for o in found
        ],
        right=("qty", "filled", "average"),
    )
