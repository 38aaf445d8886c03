"""`slipstream data`: market data of files into the tape store, and what is there."""

import typer

from app.cli.data.checking import check
from app.cli.data.importing import import_
from app.cli.data.listing import list_

data = typer.Typer(name="data", help="Market data: import, list, check.", no_args_is_help=True)
data.command("import")(import_)
data.command("list")(list_)
data.command("check")(check)
