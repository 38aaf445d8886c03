"""The queries that run all day use their indexes once the tables have grown."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from app.domain.fact import Paused
from app.domain.market import Traded
from app.store import event_log, exits, intake, journal, open_orders
from app.store.database import Database
from app.store.event_log import Cursor
from tests.domain.tasks import OPEN
from tests.store.growth import grow, scanned
from tests.store.seeds import ACCOUNT, BROKER, an_arrival, enter, fetch, intent, record, working


@pytest.fixture
async def grown(own_url: str) -> AsyncIterator[tuple[Database, str]]:
    """Thousands of finished orders, children and events, and one that is open."""
    # One connection: its statistics are told at once, and `auto_explain` hears all.
    database = await Database.open(own_url, connections=1)
    order_id = await working(database)
    await record(database, order_id, intent(order_id, 1, 100), intent(order_id, 2, 100))
    await grow(database, order_id, 6_000)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO idempotency (key_id, key, body_sha256, account, order_id)"
            " SELECT 'k1', client_order_id, '', account, id FROM orders"
        )
        await connection.execute("ANALYZE")
    yield database, order_id
    await database.close()


async def plan(database: Database, query: str) -> str:
    async with database.connection() as connection:
        assert await connection.fetchval("SHOW enable_seqscan") == "on"
        lines = await connection.fetch(f"EXPLAIN {query}")
    return "\n".join(line[0] for line in lines)


PLANS = [
    (
        "SELECT id FROM orders WHERE broker = 'paper' AND account = 'a1' AND attention"
        " ORDER BY id NULLS FIRST FOR UPDATE",
        "ix_orders_attention",
    ),
    (
        "SELECT id FROM orders WHERE broker = 'paper' AND account = 'a1' AND attention"
        " ORDER BY id NULLS FIRST LIMIT 250 FOR UPDATE",
        "ix_orders_attention",
    ),
    (
        f"SELECT id FROM orders WHERE broker = 'paper' AND account = 'a1' AND {journal.OPEN}"
        " ORDER BY id",
        "ix_orders_open",
    ),
    (
        "SELECT * FROM events WHERE (xid, id) > ('5'::xid8, 5)"
        " AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id LIMIT 1000",
        "ix_events_cursor",
    ),
]


@pytest.mark.parametrize(("query", "index"), PLANS, ids=["attention", "a crowd", "open", "tail"])
async def test_the_plan_is_the_index(grown: tuple[Database, str], query: str, index: str) -> None:
    """The indexes fit; that our own statements use them is the next test's affair."""
    shown = await plan(grown[0], query)
    assert index in shown
    assert "Seq Scan" not in shown


async def test_nothing_on_the_order_path_scans_a_table(grown: tuple[Database, str]) -> None:
    """The functions themselves, with their own parameters, by the database's own count."""
    database, order_id = grown
    measured = open_orders.Measured(order_id, Traded(Decimal(5), Decimal(50)), OPEN)
    end = Cursor(1, 10**17, 0)

    async def connected(work: Any, *arguments: Any, **given: Any) -> Any:
        async with database.connection() as connection:
            return await work(connection, *arguments, **given)

    async def order_path() -> None:
        desk = {"account": ACCOUNT, "broker": BROKER}
        await connected(open_orders.take_attention, **desk, at_most=250)
        await connected(open_orders.all_open, **desk)
        for again in (False, True):
            what = {"measured": [measured], "again": again}
            await connected(open_orders.measure, account=ACCOUNT, **what)
        await connected(event_log.head)
        await connected(event_log.read, Cursor(1, 0, 0), limit=5)
        await connected(event_log.read, Cursor(1, 0, 0), limit=5, upto=end)
        await connected(event_log.read, end, limit=5)
        await record(database, order_id, Paused(OPEN))

    assert await scanned(database, order_path) == {}


async def test_a_repetition_scans_no_table(grown: tuple[Database, str]) -> None:
    database, _ = grown
    names = {"key": "one", "client_order_id": "mine", "signal": "s1"}
    await intake.insert(database, [an_arrival(**names)])

    async def repeat() -> None:
        await intake.insert(database, [an_arrival(client_order_id="mine", key="two")])
        await intake.insert(database, [an_arrival(client_order_id="mine", signal="s2")])
        await intake.insert(database, [an_arrival(**names)])
        await intake.insert(database, [an_arrival(**names, body="other")])

    assert await scanned(database, repeat) == {}


async def test_entering_scans_no_table(grown: tuple[Database, str]) -> None:
    database, _ = grown

    async def work() -> None:
        await enter(database)

    assert await scanned(database, work) == {}


@pytest.mark.parametrize("strategy", ["momentum", None])
async def test_what_a_strategy_holds_is_summed_over_its_own_orders(
    grown: tuple[Database, str], strategy: str | None
) -> None:
    """A few among thousands of another strategy in the same symbol; those before a flatten of the
    account are none of them."""
    database, _ = grown
    own = "SELECT id FROM orders WHERE key LIKE 'grown%' ORDER BY key LIMIT 9"
    await fetch(database, "UPDATE orders SET strategy = 'crowd', filled = 10")
    await fetch(database, f"UPDATE orders SET strategy = $1 WHERE id IN ({own})", strategy)
    await fetch(database, "VACUUM ANALYZE orders")
    asked: dict[str, Any] = {"account": ACCOUNT, "symbol": "XYZ", "strategy": strategy}

    async def summed() -> None:
        async with database.connection() as connection:
            assert await exits.own_position(connection, **asked) == 90

    assert await scanned(database, summed) == {}
    flatten = "UPDATE orders SET role = 'flatten', created_at = clock_timestamp() WHERE id ="
    await fetch(database, f"{flatten} (SELECT id FROM orders WHERE strategy = 'crowd' LIMIT 1)")
    await summed()
    await fetch(database, "UPDATE orders SET strategy = NULL WHERE role = 'flatten'")
    async with database.connection() as connection:
        assert await exits.own_position(connection, **asked) == 0
