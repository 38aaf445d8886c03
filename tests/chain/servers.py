"""Both servers as real processes: the front speaks Alpaca's interface to the back's `/alpaca`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.store import keys
from app.store.database import Database
from tests.server import Server, running_server

CHILDREN_AS_THEY_ARE = {"ROUTE_MARKET_BELOW": "1000000000", "ROUTE_VWAP_PARTICIPATION": "1"}
"""The back is sent children of somebody's algorithm: it must not work them in parts again."""


def broker_behind(url: str, key: str) -> dict[str, str]:
    """The front's settings: its broker is the server at `url`, which knows `key`."""
    return {
        "BROKER": "alpaca",
        "ALPACA_URL": f"{url}/alpaca",
        "ALPACA_KEY_ID": key.split("_")[1],
        "ALPACA_SECRET_KEY": key,
        "ALPACA_REQUESTS_PER_MINUTE": "6000",
        "ALPACA_BRACKETS": "false",
    }


async def trading_key(url: str) -> str:
    """A key that suffices for a server in front."""
    database = await Database.open(url, connections=1)
    try:
        async with database.connection() as connection:
            return await keys.create(
                connection, name="front", scopes=["read", "trade"], accounts=None
            )
    finally:
        await database.close()


@asynccontextmanager
async def chained(
    folder: Path, urls: tuple[str, str], **market: str
) -> AsyncIterator[tuple[Server, Server]]:
    """Front and back, each on its own database, both on the same market."""
    front_url, back_url = urls
    async with running_server(folder / "back", back_url, **market, **CHILDREN_AS_THEY_ARE) as back:
        broker = broker_behind(back.url, await trading_key(back_url))
        async with running_server(folder / "front", front_url, **market, **broker) as front:
            yield front, back
