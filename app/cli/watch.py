"""`slipstream watch`."""

from typing import Annotated

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit
from app.cli.follow import exit_of, follow_open, follow_to_end
from app.cli.options import AsJson, Key, Url
from app.cli.screen import screen


def watch(
    order_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ORDER_ID]", help="Until it ends. Without: all open, until Ctrl-C."
        ),
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> int:
    """Watch orders live. With --json, one event of the stream a line."""
    with Client(place.find(url, key)) as client:
        shown = screen(as_json=as_json)
        if order_id is not None:
            return exit_of(follow_to_end(client, client.get(f"/orders/{order_id}")["id"], shown))
        try:
            follow_open(client, shown)
        except KeyboardInterrupt:
            return Exit.OK
    return Exit.OK
