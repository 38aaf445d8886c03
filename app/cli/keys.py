"""`slipstream keys`: API keys. A key is printed once, when it is made."""

from typing import Annotated

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import print_json, print_table

keys = typer.Typer(name="keys", help="API keys: list, create, revoke.", no_args_is_help=True)


@keys.command("list")
def list_keys(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """All keys, revoked ones too."""
    with Client(place.find(url, key)) as client:
        found = client.get("/keys")["items"]
    if as_json:
        print_json(found)
        return
    columns = ("id", "name", "scopes", "accounts", "created_at", "last_used_at", "revoked_at")
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
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once and never again."""
    body = {"name": name, "scopes": scope} | ({"accounts": account} if account else {})
    with Client(place.find(url, key)) as client:
        made = client.post("/keys", body)
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
