"""Whether a desk has heard of every change is asked of two numbers, not of thousands of rows."""

from app.store import open_orders
from app.store.database import Database
from tests.store.seeds import ACCOUNT, BROKER, fetch, working


async def both(database: Database) -> tuple[tuple[int, int], dict[str, int]]:
    """What the database says of all open orders, and their versions."""
    async with database.connection() as connection:
        there = await open_orders.fingerprint(connection, account=ACCOUNT, broker=BROKER)
        return there, await open_orders.versions(connection, account=ACCOUNT, broker=BROKER)


async def test_the_database_and_the_desk_make_the_same_of_the_same(database: Database) -> None:
    assert (await both(database))[0] == open_orders.fingerprint_of({}) == (0, 0)
    for _ in range(20):
        await working(database)
    there, versions = await both(database)
    assert there == open_orders.fingerprint_of(versions)
    assert there[0] == 20


async def test_every_change_makes_another(database: Database) -> None:
    ids = sorted([await working(database) for _ in range(3)])
    before, known = await both(database)
    await fetch(database, "UPDATE orders SET version = version + 1 WHERE id = $1", ids[1])
    raised, _ = await both(database)
    await fetch(
        database,
        "UPDATE orders SET version = version + CASE id WHEN $1 THEN -1 ELSE 1 END"
        " WHERE id IN ($1, $2)",
        ids[1],
        ids[0],
    )
    moved, _ = await both(database)
    assert len({before, raised, moved}) == 3
    one = await working(database)
    without = {name: version for name, version in known.items() if name != ids[2]}
    assert open_orders.fingerprint_of(
        {**without, one: known[ids[2]]}
    ) != open_orders.fingerprint_of(known)
