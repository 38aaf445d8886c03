"""`slipstream hooks`: secret addresses for TradingView's alerts. Each is printed once."""

from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json, print_table

hooks = typer.Typer(
    name="hooks", help="Hooks for TradingView: make, list, rotate, end.", no_args_is_help=True
)

HookId = Annotated[str, typer.Argument(metavar="HOOK_ID", help="As `hooks list` shows it.")]


@hooks.command("make")
def make_hook(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    strategy: Annotated[str, typer.Option(help="Whose gates judge its signals.")],
    symbol: Annotated[
        list[str], typer.Option(help="TICKER=SYMBOL; may be repeated. `any` lets all in.")
    ],
    sizes: Annotated[
        str, typer.Option(help="message, fixed or position: where the size comes from.")
    ] = "message",
    fixed_qty: Annotated[str | None, typer.Option(help="With --sizes fixed.")] = None,
    max_qty: Annotated[str | None, typer.Option(help="The most one signal may open.")] = None,
    max_notional: Annotated[str | None, typer.Option(help="The same in money.")] = None,
    per_minute: Annotated[int | None, typer.Option(help="Signals a minute.")] = None,
    max_lag: Annotated[str | None, typer.Option(help="The oldest an alert may be: 60s.")] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Address or network that may send; may be repeated.")
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for one that alerts must bring.")
    ] = False,
    account: Annotated[str | None, typer.Option(help="Default: the server's.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a hook and print its path, which is a secret. It is shown this once."""
    given: dict[str, Any] = {
        "fixed_qty": fixed_qty,
        "max_qty": max_qty,
        "max_notional": max_notional,
        "per_minute": per_minute,
        "max_lag": max_lag,
        "sources": source,
        "account": account,
        "passphrase": typer.prompt("Passphrase", hide_input=True, err=True) if passphrase else None,
    }
    body = {"name": name, "strategy": strategy, "symbols": _symbols(symbol), "sizes": sizes}
    with Client(place.find(url, key)) as client:
        made = client.post("/hooks", body | {k: v for k, v in given.items() if v is not None})
    print_json(made) if as_json else print(made["path"])


def _symbols(entries: list[str]) -> dict[str, str] | str:
    if entries == ["any"]:
        return "any"
    pairs = [entry.partition("=") for entry in entries]
    wrong = next((e for e, (t, _, s) in zip(entries, pairs, strict=True) if not (t and s)), None)
    if wrong is not None:
        raise Failure(Exit.USAGE, f"--symbol {wrong}: give TICKER=SYMBOL, or any alone")
    return {ticker: symbol for ticker, _, symbol in pairs}


@hooks.command("list")
def list_hooks(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """All hooks, ended ones too, and why the last alert that was refused was."""
    with Client(place.find(url, key)) as client:
        found = client.get("/hooks")["items"]
    if as_json:
        print_json(found)
        return
    columns = ("id", "name", "account", "strategy", "sizes", "last_used_at", "last_refused_at",
               "last_refused", "ended_at")  # fmt: skip
    print_table(columns, [[hook[column] for column in columns] for hook in found])


@hooks.command("rotate")
def rotate_hook(
    hook_id: HookId,
    keep: Annotated[
        str | None, typer.Option(help="How long the path before goes on working: 1h. Default: 0.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Print another path for a hook."""
    with Client(place.find(url, key)) as client:
        made = client.post(f"/hooks/{hook_id}/rotate", {"keep": keep} if keep else {})
    print_json(made) if as_json else print(made["path"])


@hooks.command("end")
def end_hook(hook_id: HookId, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """End a hook: nothing comes in through it any more. Its orders go on."""
    with Client(place.find(url, key)) as client:
        client.delete(f"/hooks/{hook_id}")
    if as_json:
        print_json({"ended": hook_id})
    else:
        print(f"ended {hook_id}")
