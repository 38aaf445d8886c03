"""`slipstream pause` and `slipstream resume`."""

from typing import Annotated

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json

OrderId = Annotated[str, typer.Argument(metavar="ORDER_ID")]


def pause(order_id: OrderId, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Stop sending and cancel what rests; the end stays where it is."""
    _command(order_id, "pause", url, key, as_json)


def resume(order_id: OrderId, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Go on; what is left is spread over the time that is left."""
    _command(order_id, "resume", url, key, as_json)


def _command(order_id: str, verb: str, url: str | None, key: str | None, as_json: bool) -> None:
    with Client(place.find(url, key)) as client:
        order = client.post(f"/orders/{order_id}/{verb}")
    if as_json:
        print_json(order)
    else:
        print(f"{order['id']}: asked to {verb}, {order['filled']} of {order['qty']} filled")
