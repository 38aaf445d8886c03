"""Housekeeping, killed between archive and removal: what is gone is in a file, once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from app.engine.housekeeping import LEASE, Housekeeping, Keeping
from app.store.archive import read
from app.store.database import Database
from tests.failpoints.forks import Process, settings_of
from tests.failpoints.house import House

UNEXPLAINED = (
    "SELECT p.symbol, p.qty FROM positions p LEFT JOIN archived_positions a USING (account, symbol)"
    " WHERE p.qty <> coalesce(a.qty, 0)"
)
"""Positions that what was removed does not make: here all is removed."""

REMOVED = "SELECT execution_id FROM archived_fills"


def remove_all(environment: Mapping[str, str], log: str, folder: str) -> None:
    """One round of housekeeping in a process of its own; what is finished goes."""
    settings_of(environment, log)
    asyncio.run(_round(environment["DATABASE_URL"], Path(folder)))


async def _round(url: str, folder: Path) -> None:
    database = await Database.open(url)
    try:
        await Housekeeping(database, Keeping(timedelta(microseconds=1), folder)).round()
    finally:
        await database.close()


async def keep_house(house: House, point: str) -> None:
    """An order is over, every reader has read it, and it may go."""
    order_id = await house.order(symbol="ACME", side="buy", qty="5", algo="market")
    assert (await house.done(order_id))["status"] == "filled"
    assert house.api is not None
    await asyncio.to_thread(house.api.end)
    await house.rows("DELETE FROM readers")  # As if it had been silent for a minute.
    archive = house.folder / "archive"

    def start(**more: str) -> Process:
        environment = house.environment(**more)
        return Process(remove_all, environment, house.folder / "keeper.log", str(archive))

    dying = start(TEST_FAILPOINT=point)
    assert await asyncio.to_thread(dying.wait_killed, 15), house.logs()
    await house.rows("UPDATE leases SET until = NULL WHERE name = $1", LEASE)
    await asyncio.to_thread(start().end, 0)
    assert not await house.rows("SELECT 1 FROM orders WHERE id = $1", order_id), house.logs()
    lines = Counter(
        str(line["order"]["id"])  # type: ignore[index]
        for path in archive.glob("*.gz")
        for line in read(path)
    )
    assert lines[order_id] == 1
    assert [tuple(row) for row in await house.rows(UNEXPLAINED)] == []
    removed = {row["execution_id"] for row in await house.rows(REMOVED)}
    at_venue = house.venue.rows("SELECT execution_id FROM executions")
    assert removed == {name for (name,) in at_venue}
    await house.begin("api")
