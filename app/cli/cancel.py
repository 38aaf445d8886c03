"""`slipstream cancel`."""

from typing import Annotated

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson, Key, Url
from app.cli.orders import fetch
from app.cli.output import print_json

_EVERYTHING = 1_000_000


def cancel(
    order_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ORDER_ID...", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every open order the key can see.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> int:
    """Ask for the end of orders. That is not yet the end: `watch` shows the evidence."""
    ids = order_ids or []
    if bool(ids) == everything:
        raise Failure(Exit.USAGE, "name the orders to cancel, or give --all")
    with Client(place.find(url, key)) as client:
        if everything:
            return _done(_cancel_all(client), [], as_json)
        return _done(*_cancel_each(client, ids), as_json)


def _cancel_all(client: Client) -> list[str]:
    accounts = {o["account"] for o in fetch(client, limit=_EVERYTHING, status="open")}
    asked: list[str] = []
    for account in sorted(accounts):
        asked += client.delete("/orders", account=account)["canceling"]
    return asked


def _cancel_each(client: Client, ids: list[str]) -> tuple[list[str], list[tuple[str, Failure]]]:
    """One that is refused does not keep the others from being canceled."""
    asked, refused = [], []
    for order_id in ids:
        try:
            asked.append(client.delete(f"/orders/{order_id}")["id"])
        except Failure as failure:
            if failure.exit is Exit.UNREACHABLE:
                raise
            refused.append((order_id, failure))
    return asked, refused


def _done(asked: list[str], refused: list[tuple[str, Failure]], as_json: bool) -> int:
    if as_json:
        told = [{"id": order_id, "message": str(failure)} for order_id, failure in refused]
        print_json({"canceling": asked, "refused": told})
    else:
        print("\n".join(f"canceling {order_id}" for order_id in asked) or "nothing to cancel")
    if refused:
        words = "; ".join(f"{order_id}: {failure}" for order_id, failure in refused)
        raise Failure(refused[0][1].exit, words)
    return Exit.OK
