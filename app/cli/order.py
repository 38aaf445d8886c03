"""`slipstream order`."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.follow import exit_of, follow_entered
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json
from app.cli.screen import Screen, screen

_FIELDS = "The order"
_WINDOW = "When"
_HOW = "How"
_NAMES = "Names"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


def _option(panel: str, *names: str, help: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel)


def order(
    symbol: Annotated[str, _option(_FIELDS, "--symbol", "-s", help="What to trade.")],
    side: Annotated[Side, _option(_FIELDS, "--side", help="buy or sell.")],
    qty: Annotated[str | None, _option(_FIELDS, "--qty", "-q", help="How much.")] = None,
    notional: Annotated[
        str | None, _option(_FIELDS, "--notional", help="Or for how much money.")
    ] = None,
    limit_price: Annotated[
        str | None, _option(_FIELDS, "--limit-price", help="Never a worse price.")
    ] = None,
    algo: Annotated[
        str | None,
        _option(_HOW, "--algo", "-a", help="market, limit, twap, vwap … Default: auto."),
    ] = None,
    param: Annotated[
        list[str] | None,
        _option(_HOW, "--param", "-p", help="name=value of the algorithm; may be repeated."),
    ] = None,
    max_participation: Annotated[
        str | None, _option(_HOW, "--max-participation", help="Of market volume; 0.1 is 10 %.")
    ] = None,
    urgency: Annotated[
        str | None, _option(_HOW, "--urgency", help="low, normal, high or immediate.")
    ] = None,
    priority: Annotated[
        int | None,
        _option(_HOW, "--priority", help="-100 to 100: higher goes first where not all can."),
    ] = None,
    time_in_force: Annotated[str | None, _option(_HOW, "--time-in-force", help="day.")] = None,
    on_restart: Annotated[
        str | None,
        _option(_HOW, "--on-restart", help="resume, pause or cancel after 60 s without an owner."),
    ] = None,
    start_time: Annotated[
        str | None, _option(_WINDOW, "--start-time", help="RFC 3339 with a zone.")
    ] = None,
    end_time: Annotated[
        str | None, _option(_WINDOW, "--end-time", help="RFC 3339 with a zone.")
    ] = None,
    duration: Annotated[
        str | None, _option(_WINDOW, "--duration", "-d", help="Instead of an end: 30m, 1h30m.")
    ] = None,
    account: Annotated[str | None, _option(_NAMES, "--account", help="Default: the usual.")] = None,
    client_order_id: Annotated[
        str | None,
        _option(_NAMES, "--client-order-id", help="Yours: asking twice with it orders once."),
    ] = None,
    strategy: Annotated[str | None, _option(_NAMES, "--strategy", help="Whose idea it is.")] = None,
    tag: Annotated[list[str] | None, _option(_NAMES, "--tag", help="May be repeated.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would happen.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Follow it to its end: exit 0 filled, 4 not.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> int:
    """Enter a parent order.

    Money and quantities go to the server as they are written. With --json the order is printed as
    the server answered; with --wait as well, every event follows, one a line.
    """
    if (qty is None) == (notional is None):
        raise Failure(Exit.USAGE, "give one of --qty and --notional")
    if preview and wait:
        raise Failure(Exit.USAGE, "a preview has nothing to wait for")
    body = {
        "symbol": symbol,
        "side": side.value,
        "qty": qty,
        "notional": notional,
        "limit_price": limit_price,
        "algo": algo,
        "params": dict(_pair(text) for text in param) if param else None,
        "max_participation": max_participation,
        "urgency": urgency,
        "priority": priority,
        "time_in_force": time_in_force,
        "on_restart": on_restart,
        "start_time": start_time,
        "end_time": end_time,
        "duration": duration,
        "account": account,
        "client_order_id": client_order_id,
        "strategy": strategy,
        "tags": tag or None,
    }
    asked = {name: value for name, value in body.items() if value is not None}
    with Client(place.find(url, key)) as client:
        if preview:
            # A nested answer has no table; it is JSON either way.
            print_json(client.post("/orders/preview", asked))
            return Exit.OK
        return _enter(client, asked, screen(as_json=as_json) if wait else None, as_json)


def _enter(client: Client, body: dict[str, Any], shown: Screen | None, as_json: bool) -> int:
    # From before the order: however quickly it ends, none of its events is missed.
    before = client.get("/status")["cursor"] if shown is not None else None
    entered = client.post("/orders", body)
    if as_json:
        print_json(entered)
    else:
        why = f" ({entered['route_reason']})" if entered.get("route_reason") else ""
        print(f"{entered['id']}: {entered['algo']}{why}, {entered['status']}", flush=True)
    if shown is None or before is None:
        return Exit.OK
    return exit_of(follow_entered(client, [entered], before, shown))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise Failure(Exit.USAGE, f"--param is name=value, not {text!r}")
    return name.strip(), value.strip()
