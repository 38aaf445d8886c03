"""`slipstream keys`: API keys. A key is printed once, when it is made."""

from typing import Annotated

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json, print_table

keys = typer.Typer(
    name="keys", help="API keys: list, create, rotate, revoke.", no_args_is_help=True
)


@keys.command("list")
def list_keys(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """All keys, revoked ones too."""
    with Client(place.find(url, key)) as client:
        found = client.get("/keys")["items"]
    if as_json:
        print_json(found)
        return
    columns = (
        *("id", "name", "scopes", "accounts", "symbols"),
        *("created_at", "last_used_at", "expires_at", "revoked_at"),
    )
    rows = [[" ".join(k[c]) if isinstance(k[c], list) else k[c] for c in columns] for k in found]
    print_table(columns, rows)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose it is.")],
    scope: Annotated[
        list[str], typer.Option(help="read, trade, cancel, risk or admin; may be repeated.")
    ],
    account: Annotated[
        list[str] | None, typer.Option(help="What it reaches; may be repeated. Default: all.")
    ] = None,
    default_algo: Annotated[
        str | None, typer.Option(help="Works plain orders of Alpaca's clients; auto, twap, …")
    ] = None,
    symbol: Annotated[
        list[str] | None, typer.Option(help="What it may trade; may be repeated. Default: all.")
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option(help="From then on it opens nothing; 2026-12-31T00:00:00Z.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once and never again."""
    given = {
        "accounts": account,
        "default_algo": default_algo,
        "symbols": symbol,
        "expires_at": expires_at,
    }
    body = {"name": name, "scopes": scope} | {k: v for k, v in given.items() if v}
    with Client(place.find(url, key)) as client:
        made = client.post("/keys", body)
    if as_json:
        print_json(made)
    else:
        print(made["key"])


@keys.command("rotate")
def rotate_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it.")],
    overlap: Annotated[str, typer.Option(help="How long the old one goes on opening.")] = "24h",
    expires_at: Annotated[
        str | None,
        typer.Option(help="When the new one ends; never: not at all. Default: as the old one."),
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key that may do the same, and let the old one end after the overlap."""
    body: dict[str, str | None] = {"overlap": overlap}
    if expires_at is not None:
        body["expires_at"] = None if expires_at == "never" else expires_at
    with Client(place.find(url, key)) as client:
        made = client.post(f"/keys/{key_id}/rotate", body)
    if as_json:
        print_json(made)
    else:
        print(made["key"])


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it.")],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """End a key; it is refused within seconds."""
    with Client(place.find(url, key)) as client:
        client.delete(f"/keys/{key_id}")
    if as_json:
        print_json({"revoked": key_id})
    else:
        print(f"revoked {key_id}")
