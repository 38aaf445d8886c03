"""`slipstream kill` and `slipstream release`: kill switches, with or without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.direct import directly, who
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json, print_table

if TYPE_CHECKING:
    from app.engine.kill_switches import Target

ANSWER_SECONDS = 5.0
"""A server that has not answered by then is as good as none: the database is next."""

_PATH = "/risk/kill-switches"

Account = Annotated[str | None, typer.Option(help="Of one account.")]
Symbol = Annotated[str | None, typer.Option(help="In one symbol.")]
Strategy = Annotated[str | None, typer.Option(help="Of one strategy.")]
Direct = Annotated[
    bool, typer.Option("--direct", help="Straight to the database; needs no server.")
]
Base = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="DATABASE_URL",
        show_default=False,
        help="The database. Default: the one of the data directory.",
    ),
]


class Level(StrEnum):
    CLOSE_ONLY = "close_only"
    HALT = "halt"
    CANCEL = "cancel"
    FLATTEN = "flatten"


def kill(
    account: Account = None,
    symbol: Symbol = None,
    strategy: Strategy = None,
    level: Annotated[
        Level,
        typer.Option(
            help="close_only: nothing new but what reduces a position; halt: nothing new; cancel:"
            " open orders end as well; flatten: positions are closed after that."
        ),
    ] = Level.HALT,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "by hand",
    show: Annotated[bool, typer.Option("--list", help="What is thrown; throws nothing.")] = False,
    direct: Direct = False,
    database: Base = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Throw a kill switch; without a name it stops everything. It holds until it is released.

    Where the server of this data directory does not answer, the switch is thrown in its database.
    """
    if show:
        _list(directly(database, _switches) if direct else _asked(url, key), as_json)
        return
    scope, name = _target(account, symbol, strategy)
    body = {"scope": scope, "name": name, "level": level.value, "reason": reason}
    thrown, through = None, "the server"
    if not direct:
        thrown = _ask(url, key, "POST", _PATH, json=body)
    if thrown is None:
        thrown, through = directly(database, lambda base: _throw(base, body)), "the database"
    if as_json:
        print_json(thrown)
    else:
        orders = thrown["open_orders"]
        bears = "open orders could not be counted"
        if orders is not None:
            bears = f"it bears on {orders} open orders"
        print(f"{scope}:{name} is thrown ({thrown['level']}) through {through}; {bears}")
        _print_progress(thrown)
        if thrown.get("known") is False:
            typer.echo(f"slipstream: nothing here is called {scope} {name!r} yet", err=True)


def release(
    account: Account = None,
    symbol: Symbol = None,
    strategy: Strategy = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The switch that stops everything.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "released",
    direct: Direct = False,
    database: Base = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Release a kill switch. What was halted goes on; what was canceled stays canceled."""
    named = [name for name in (account, symbol, strategy) if name is not None]
    if everything == bool(named):
        raise Failure(Exit.USAGE, "give one of --all, --account, --symbol and --strategy")
    scope, name = _target(account, symbol, strategy)
    if direct:
        released = directly(database, lambda base: _release(base, scope, name, reason))
    else:
        from urllib.parse import quote

        with _around(url), Client(place.find(url, key)) as client:
            path = f"{_PATH}/{scope}/{quote(name, safe='')}"
            released = client.delete(path, reason=reason)
    if as_json:
        print_json(released)
    else:
        print(f"{scope}:{name} is released")
        for cause in released.get("causes", ()):
            typer.echo(f"slipstream: it will be thrown again: {cause}", err=True)


def _target(account: str | None, symbol: str | None, strategy: str | None) -> tuple[str, str]:
    given = {"account": account, "symbol": symbol, "strategy": strategy}
    named = [(scope, name) for scope, name in given.items() if name is not None]
    if len(named) > 1:
        raise Failure(Exit.USAGE, "give one of --account, --symbol and --strategy")
    return named[0] if named else ("all", "*")


def _asked(url: str | None, key: str | None) -> list[dict[str, Any]]:
    with _around(url), Client(place.find(url, key)) as client:
        found: list[dict[str, Any]] = client.get(_PATH)["items"]
    return found


def _ask(url: str | None, key: str | None, method: str, path: str, **parts: Any) -> Any | None:
    """The server's answer; None where the server of this data directory gives none."""
    try:
        with Client(place.find(url, key), seconds=ANSWER_SECONDS) as client:
            return client.ask(method, path, **parts)
    except Failure as failure:
        if not _ours_is_away(failure, url):
            raise
        typer.echo(f"slipstream: {failure}; throwing the switch in the database", err=True)
        return None


@contextmanager
def _around(url: str | None) -> Iterator[None]:
    """A server of this data directory that is away: its failure names the way around it."""
    try:
        yield
    except Failure as failure:
        if not _ours_is_away(failure, url):
            raise
        way = f"{failure}; --direct goes straight to its database"
        raise Failure(Exit.UNREACHABLE, way) from None


def _ours_is_away(failure: Failure, url: str | None) -> bool:
    """Another server's switches are not in our database."""
    ours = url is None or url.rstrip("/") == place.told().get("url")
    return failure.exit is Exit.UNREACHABLE and ours


def _list(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    columns = ("scope", "name", "level", "reason", "changed_at", "changed_by", "open_orders")
    print_table(columns, [[switch[c] for c in columns] for switch in found])
    for switch in found:
        _print_progress(switch)


def _print_progress(thrown: dict[str, Any]) -> None:
    """How long the cancels take, and what is to be closed."""
    if thrown["expected_seconds"]:
        print(f"its brokers let the cancels through within {thrown['expected_seconds']} s")
    for one in thrown["standing"]:
        print(f"{one['account']}: {one['qty']} {one['symbol']} stand open: {one['doing']}")


def _place(scope: str, name: str) -> "Target":
    from app.engine.kill_switches import Scope, Target

    return Target(Scope(scope), name)


async def _switches(base: str) -> list[dict[str, Any]]:
    from app.engine.kill_switches import fully_told, switches_directly

    return [fully_told(thrown) for thrown in await switches_directly(base)]


async def _throw(base: str, body: dict[str, str]) -> dict[str, Any]:
    from app.engine import kill_switches

    target, level = _place(body["scope"], body["name"]), kill_switches.Level(body["level"])
    thrown = await kill_switches.throw_directly(base, who(), target, level, body["reason"])
    return kill_switches.fully_told(thrown)


async def _release(base: str, scope: str, name: str, reason: str) -> dict[str, Any]:
    from app.engine.kill_switches import release_directly, released_told

    return released_told(await release_directly(base, who(), _place(scope, name), reason))
