"""`slipstream report`: a day, an order, or many, as pages and tables."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client, refusal
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson, Key, Url
from app.cli.output import amount, print_json, print_table

report = typer.Typer(
    name="report", help="What executions cost: a day, one order, many.", no_args_is_help=True
)

Page = Annotated[
    Path | None, typer.Option("--html", help="Write the page with its plots to this file.")
]
PARTS = ("total", "delay", "execution", "opportunity", "fees")


@report.command("daily")
def daily(
    date: Annotated[
        str | None, typer.Option(help="A day of market time, UTC: 2026-01-05. Default: this one.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Default: all that the key can see.")] = None,
    html: Page = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Orders of a day, what they cost in basis points (positive = cost), alerts."""
    params = {"date": date, "account": account}
    with Client(place.find(url, key)) as client:
        if html is not None:
            _write(client, html, "/reports/daily", params | {"format": "html"})
            return
        found = client.get("/reports/daily", **params)
    if as_json:
        print_json(found)
        return
    money = f"{amount(found['notional']) or '–'} {found['currency'] or ''}".strip()
    states = ", ".join(f"{count} {status}" for status, count in found["by_status"].items())
    print(f"{found['date']}: {found['orders']} orders ({states or 'none'}), traded {money},"
          f" fees {amount(found['fees']) or '–'}")  # fmt: skip
    columns = ("", "orders", *PARTS, "std. error", "quality")
    rows = [_row(group["key"] or "–", group) for group in found["by_algo"]]
    print_table(columns, [*rows, _row("all", found["costs"])], right=columns[1:])
    alerts = [[a["severity"], a["rule"], a["count"]] for a in found["alerts"]]
    if alerts:
        print_table(("severity", "rule", "count"), alerts, right=("count",))


@report.command("order")
def order(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")],
    html: Page = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """What one order cost, in parts: basis points and money, positive = cost."""
    with Client(place.find(url, key)) as client:
        if html is not None:
            _write(client, html, f"/orders/{order_id}/report", {})
            return
        found = client.get(f"/orders/{order_id}/tca")
    if as_json:
        print_json(found)
        return
    shortfall = found["shortfall"]
    rows = [
        [name, shortfall[name]["bps"], shortfall[name]["money"], shortfall[name]["reason"] or ""]
        for name in (*PARTS[1:], "total")
    ]
    print_table(("part", "bps", found["currency"], ""), rows, right=("bps", found["currency"]))


def _row(name: str, of: dict[str, Any]) -> list[Any]:
    total = of["bps"]["total"]
    means = [of["bps"][part]["mean"] for part in PARTS]
    return [name, of["orders"], *means, total["standard_error"], of["quality"]["mean"]]


def _write(client: Client, file: Path, path: str, params: dict[str, str | None]) -> None:
    known = {name: value for name, value in params.items() if value is not None}
    answer = client.raw("GET", path, params=known)
    if answer.is_error:
        raise refusal(answer)
    try:
        file.write_text(answer.text, encoding="utf-8")
    except OSError as failure:
        raise Failure(Exit.FAILED, f"cannot write {file}: {failure}") from None
    print(file)
