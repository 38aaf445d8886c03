"""The real server on the made-up market, running, so that orders live while they are fuzzed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fuzz.keeping import ACCOUNTS, SPEED, SYMBOLS
from tests.server import Server, running_server


@asynccontextmanager
async def open_house(folder: Path, database_url: str | None) -> AsyncIterator[Server]:
    """None: on its own embedded PostgreSQL."""
    async with running_server(
        folder,
        database_url,
        HOLD="false",
        SPEED=SPEED,
        ACCOUNTS=",".join(f"{account}=paper" for account in ACCOUNTS),
        SYMBOLS=",".join(SYMBOLS),
    ) as server:
        yield server
