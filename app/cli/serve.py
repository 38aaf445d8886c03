"""`slipstream serve`."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.exits import Exit, Failure
from app.cli.place import wrong_settings


class Role(StrEnum):
    ALL = "all"
    API = "api"
    WORKER = "worker"


def serve(
    role: Annotated[
        Role, typer.Option(help="all: an API and a worker process under one supervisor.")
    ] = Role.ALL,
    host: Annotated[
        str | None, typer.Option(help="The address to bind. Default: SLIPSTREAM_HOST, 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0 takes a free one. Default: SLIPSTREAM_PORT, 8000."),
    ] = None,
) -> int:
    """Run the server until it is stopped."""
    from pydantic import ValidationError

    from app.settings import Settings

    given = {"host": host, "port": port}
    try:
        settings = Settings().model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
    except ValidationError as error:
        raise Failure(Exit.USAGE, wrong_settings(error)) from None
    from app.main import serve as run

    try:
        return run(settings, role=role.value)
    except (OSError, ValueError) as error:
        raise Failure(Exit.FAILED, f"cannot start: {error}") from error
