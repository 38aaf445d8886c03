"""`slipstream resolve`."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json


class Outcome(StrEnum):
    ABSENT = "absent"
    CANCELED = "canceled"


def resolve(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")],
    child_id: Annotated[str, typer.Argument(metavar="CHILD_ID")],
    outcome: Annotated[
        Outcome,
        typer.Option(help="absent: it never reached the broker; canceled: it is over there."),
    ],
    reason: Annotated[str, typer.Option(help="How you know; it is kept.")],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """End a child whose fate no evidence tells, by your word. Late fills are still booked."""
    path = f"/orders/{quote(order_id, safe='')}/children/{quote(child_id, safe='')}/resolve"
    with Client(place.find(url, key)) as client:
        order = client.post(path, {"outcome": outcome.value, "reason": reason})
    if as_json:
        print_json(order)
    else:
        print(f"{child_id} is {outcome.value}: {order['id']} is {order['status']},")
        print(f"{order['filled']} of {order['qty']} filled, {order['unknown']} unknown")
