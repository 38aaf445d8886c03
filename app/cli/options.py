"""Options that many commands share."""

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="SLIPSTREAM_URL",
        help="The server. Default: the one that was started on this data directory.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="SLIPSTREAM_KEY",
        show_default=False,
        help="The API key; better in the environment, where other users do not see it."
        " Default: the admin key of the data directory, for a server on this machine.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for scripts.")]
