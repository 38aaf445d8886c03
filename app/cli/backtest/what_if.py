"""`slipstream backtest what-if`."""

from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson, Key, Url
from app.cli.output import amount, print_json, print_table

SECONDS = 620.0
"""The server says itself when it has had enough."""

Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="algo, qty, …, or a parameter; again."),
]
Tape = Annotated[str, typer.Option(help="A dataset; `feed`: what the server's feed plays.")]


def what_if(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")],
    changes: Changes = None,
    tape: Tape = "feed",
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Replay a finished order with other parameters, beside what really happened."""
    body = {"set": _pairs(changes or ()), "tape": tape}
    with Client(place.find(url, key), seconds=SECONDS) as client:
        told = client.post(f"/orders/{order_id}/what-if", body)
    if as_json:
        print_json(told)
    else:
        _show(told)


def _pairs(told: Any) -> dict[str, str]:
    pairs = {}
    for one in told:
        name, given, value = one.partition("=")
        if not given or not name:
            raise Failure(Exit.USAGE, f"--set {one!r} is not name=value")
        pairs[name] = value
    return pairs


def _show(told: dict[str, Any]) -> None:
    legs = {"really": told["really"], "as it was": told["baseline"]}
    if told["changed"] is not None:
        legs["changed"] = told["changed"]
    columns = ("", *legs)
    rows = [[name, *(of(leg) for leg in legs.values())] for name, of in _LINES.items()]
    print_table(columns, rows, right=columns[1:])
    if told["baseline_is_what_happened"]:
        print("The replay as it was has the children and fills that really happened.")
    else:
        print("The replay as it was differs from what really happened.")
    for note in told["notes"]:
        print(f"  {note}")


def _bps(*path: str) -> Any:
    def found(leg: dict[str, Any]) -> str | None:
        value: Any = leg
        for name in path:
            value = value[name]
        return f"{float(value):+.2f}" if value is not None else None

    return found


_LINES = {
    "algorithm": lambda leg: leg["algo"],
    "status": lambda leg: leg["status"],
    "filled": lambda leg: amount(leg["filled"]),
    "average price": lambda leg: leg["average_price"],
    "children": lambda leg: leg["children_count"],
    "fills": lambda leg: leg["fills_count"],
    "fees": lambda leg: leg["fees"],
    "shortfall, bps": _bps("shortfall", "total", "bps"),
    "  delay": _bps("shortfall", "delay", "bps"),
    "  execution": _bps("shortfall", "execution", "bps"),
    "  opportunity": _bps("shortfall", "opportunity", "bps"),
    "  fees": _bps("shortfall", "fees", "bps"),
    "against arrival, bps": _bps("arrival", "slippage_bps"),
    "against VWAP, bps": _bps("interval_vwap", "slippage_bps"),
    "participation": lambda leg: leg["participation"],
}
