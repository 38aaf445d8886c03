"""Retention: what is finished and read goes, with all that is its own; what must be known stays."""

import asyncio
from decimal import Decimal

import pytest

from app.domain.fact import ChildCanceled, Sent
from app.engine import housekeeping
from app.engine.housekeeping import LEASE, Housekeeping
from app.store import event_log, intake, leases, retention
from app.store.arrival import Accepted, Clash
from app.store.database import Database
from app.store.event_log import Cursor
from tests.domain.tasks import OPEN
from tests.store.old_orders import age, finished, keeper
from tests.store.seeds import (
    ACCOUNT,
    BROKER,
    an_arrival,
    enter,
    fetch,
    fill,
    intent,
    record,
    task,
    value,
    working,
)

TABLES = ("orders", "children", "fills", "events", "idempotency")


@pytest.fixture(autouse=True)
async def _account(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BREATH_SECONDS", 0)
    await fetch(database, "INSERT INTO accounts (account, broker) VALUES ('a1', 'paper')")


async def half_done(database: Database) -> str:
    """An open order with a fill; its id."""
    order_id = await working(database, qty=100)
    child = intent(order_id, 1, 50)
    await record(database, order_id, child, Sent(OPEN, child.child_id, "b"))
    await record(
        database,
        order_id,
        fill(child.child_id, child.child_id, 20),
        ChildCanceled(OPEN, child.child_id, "asked"),
    )
    return order_id


async def counts(database: Database) -> dict[str, int]:
    return {t: await value(database, f"SELECT count(*) FROM {t}") for t in TABLES}


async def test_what_is_old_and_finished_goes_and_nothing_else(database: Database) -> None:
    old, fresh = await finished(database, key="k-old"), await finished(database, key="k-new")
    open_, waiting = await half_done(database), await enter(database)
    before = await counts(database)
    await age(database, 2, old, open_, waiting)
    assert await keeper(database).round() == 1
    left = {r["id"] for r in await fetch(database, "SELECT id FROM orders")}
    assert left == {fresh, open_, waiting}
    after = await counts(database)
    gone = {table: before[table] - after[table] for table in TABLES}
    assert gone == {"orders": 1, "children": 1, "fills": 2, "events": 7, "idempotency": 1}
    assert await keeper(database).round() == 0
    assert await counts(database) == after


async def test_nothing_goes_without_being_asked_to(database: Database) -> None:
    await finished(database)
    await age(database, 10_000)
    assert await Housekeeping(database, None).round() == 0
    assert await value(database, "SELECT count(*) FROM orders") == 1


async def test_a_position_is_what_is_left_and_what_was_carried(database: Database) -> None:
    old = await finished(database)
    await half_done(database)
    await age(database, 2, old)
    await finished(database, qty=40)
    assert await keeper(database).round() == 1
    [row] = await fetch(
        database,
        "SELECT p.qty AS qty, a.qty + sum(f.qty) AS summed, p.fees AS fees,"
        " a.fees + sum(f.fee) AS fees_summed, a.cash AS cash, a.turned AS turned, a.fills AS fills"
        " FROM positions p JOIN archived_positions a USING (account, symbol)"
        " JOIN fills f USING (account, symbol) GROUP BY p.qty, p.fees, a.qty, a.fees, a.cash,"
        " a.turned, a.fills",
    )
    assert row["qty"] == row["summed"] == 160
    assert row["fees"] == row["fees_summed"] == Decimal("0.05")
    assert (row["cash"], row["turned"], row["fills"]) == (Decimal("-1012.5"), 100, 2)


async def test_a_busted_fill_is_not_carried_but_stays_known(database: Database) -> None:
    old = await finished(database)
    await fetch(
        database,
        "UPDATE fills SET busted_at = clock_timestamp() WHERE execution_id LIKE '%-1'",
    )
    await age(database)
    assert await keeper(database).round() == 1
    assert await value(database, "SELECT qty FROM archived_positions") == 75
    names = [f"{c}-{i}" for c in await children_of(database, old) for i in (1, 2, 3)]
    async with database.connection() as connection:
        known = await retention.known_executions(
            connection, account=ACCOUNT, broker=BROKER, execution_ids=names
        )
        elsewhere = await retention.known_executions(
            connection, account=ACCOUNT, broker="other", execution_ids=names
        )
    assert known == set(names[:2])
    assert elsewhere == set()


async def children_of(database: Database, order_id: str) -> list[str]:
    rows = await fetch(
        database,
        "SELECT DISTINCT child_id FROM archived_fills f JOIN archived_orders o"
        " ON f.account = o.account AND f.child_id LIKE 'sl' || o.key || '-%' WHERE o.id = $1",
        order_id,
    )
    return [row["child_id"] for row in rows]


async def test_a_name_is_used_once_for_ever(database: Database) -> None:
    of = task()
    named = an_arrival(of, client_order_id="mine", status="canceled")
    await intake.insert(database, [named])
    await age(database)
    assert await keeper(database).round() == 1
    again = an_arrival(task(), client_order_id="mine", key="k", signal="s")
    other = an_arrival(task(), client_order_id="other")
    verdicts = await intake.insert(database, [again, other])
    assert verdicts[0] == Clash("archived", of.order_id)
    assert isinstance(verdicts[1], Accepted)
    assert await counts(database) == {
        "orders": 1, "children": 0, "fills": 0, "events": 1, "idempotency": 0,
    }  # fmt: skip
    assert await value(database, "SELECT count(*) FROM signals") == 0


async def test_a_name_is_used_once_even_while_its_order_is_being_removed(
    database: Database,
) -> None:
    """The insert waits for the removal, and then sees its tombstone."""
    of = task()
    await intake.insert(database, [an_arrival(of, client_order_id="mine", status="canceled")])
    async with database.transaction() as connection:
        await retention._leave_tombstones(connection, ([ACCOUNT], [of.order_id]))
        await connection.execute("DELETE FROM events")
        await connection.execute("DELETE FROM orders")
        coming = asyncio.create_task(
            intake.insert(database, [an_arrival(task(), client_order_id="mine")])
        )
        await asyncio.sleep(0.1)
        assert not coming.done()
    assert await coming == [Clash("archived", of.order_id)]


async def test_a_signal_keeps_its_decision(database: Database) -> None:
    old = await finished(database, signal="s1")
    await fetch(
        database, "UPDATE orders o SET signal_id = s.id FROM signals s WHERE s.order_id = o.id"
    )
    await age(database)
    assert await keeper(database).round() == 1
    [row] = await fetch(database, "SELECT order_id, decision, body FROM signals")
    assert (row["order_id"], row["decision"], row["body"]) == (old, "execute", {})


async def test_only_one_at_a_time(database: Database) -> None:
    await finished(database)
    await age(database)
    async with database.connection() as connection:
        lease = await leases.claim(connection, name=LEASE, owner="somebody else")
        assert lease is not None
        assert await keeper(database).round() == 0
        found = await retention.removable(connection, account=ACCOUNT, older_than=1)
        await leases.release(connection, lease, owner="somebody else")
    with pytest.raises(leases.Lost):
        await retention.remove(database, lease, found)
    assert await keeper(database).round() == 1


async def test_what_somebody_holds_or_has_changed_waits(database: Database) -> None:
    held, changed, free = [await finished(database) for _ in range(3)]
    await age(database)
    async with database.connection() as connection:
        lease = await leases.claim(connection, name=LEASE, owner="w")
        assert lease is not None
        found = await retention.removable(connection, account=ACCOUNT, older_than=1)
    await fetch(database, "UPDATE orders SET version = version + 1 WHERE id = $1", changed)
    async with database.transaction() as other:
        await other.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", held)
        async with asyncio.timeout(30):
            removed = await retention.remove(database, lease, found)
    assert removed.orders == 1
    left = {r["id"] for r in await fetch(database, "SELECT id FROM orders")}
    assert left == {held, changed}
    assert free not in left


async def test_batches_are_small_and_all_goes_in_the_end(database: Database) -> None:
    for _ in range(5):
        await finished(database)
    await age(database)
    async with database.connection() as connection:
        small = await retention.removable(connection, account=ACCOUNT, older_than=1, rows=30)
        alone = await retention.removable(connection, account=ACCOUNT, older_than=1, rows=1)
    assert (len(small), len(alone)) == (2, 1)
    assert await keeper(database).round() == 5


# Events and their readers.


async def cursor_of(database: Database, order_id: str) -> Cursor:
    """The place of the order's last event."""
    [row] = await fetch(
        database,
        "SELECT xid::text::bigint AS xid, id FROM events WHERE order_id = $1 ORDER BY id DESC"
        " LIMIT 1",
        order_id,
    )
    async with database.connection() as connection:
        return Cursor(await event_log.era(connection), row["xid"], row["id"])


async def tell(database: Database, name: str, place: Cursor) -> None:
    async with database.connection() as connection:
        await event_log.tell(connection, reader=name, place=place)


async def test_no_event_goes_that_a_reader_has_still_to_read(database: Database) -> None:
    first, second = await finished(database), await finished(database)
    await fetch(
        database,
        "INSERT INTO events (account, type, at, data) VALUES ('a1', 'alert.raised', now(), '{}')",
    )
    await age(database)
    at_first, at_second = await cursor_of(database, first), await cursor_of(database, second)
    await tell(database, "ahead", at_second)
    await tell(database, "behind", at_first)
    assert await keeper(database).round() == 1
    async with database.connection() as connection:
        assert await event_log.oldest(connection) == at_first
    assert await value(database, "SELECT count(*) FROM events WHERE order_id = $1", second) == 7
    # Silent for longer than a minute: it comes back with its cursor, and is told of the gap.
    await fetch(
        database, "UPDATE readers SET told_at = told_at - interval '61 s' WHERE name = 'behind'"
    )
    assert await keeper(database).round() == 1
    async with database.connection() as connection:
        assert await event_log.oldest(connection) == at_second
    await fetch(database, "DELETE FROM readers")
    await keeper(database).round()
    assert await value(database, "SELECT count(*) FROM events") == 0


async def test_nothing_goes_above_a_transaction_that_may_still_write(database: Database) -> None:
    """The floor would pass an event that nobody has read yet."""
    async with database.transaction() as earlier:
        await earlier.fetch("SELECT pg_current_xact_id()")
        await finished(database)
        await age(database)
        assert await keeper(database).round() == 0
    assert await keeper(database).round() == 1


async def test_an_entry_outlives_its_exits_and_goes_first(database: Database) -> None:
    entry, over, open_ = await finished(database), await finished(database), await enter(database)
    await fetch(database, "UPDATE orders SET group_id = $1, role = 'exit'", entry)
    await fetch(database, "UPDATE orders SET role = 'entry' WHERE id = $1", entry)
    await age(database, 2, entry, over, open_)
    assert await keeper(database).round() == 0
    await fetch(database, "UPDATE orders SET status = 'expired' WHERE id = $1", open_)
    await fetch(database, "UPDATE orders SET exits_due = true WHERE id = $1", over)
    assert await keeper(database).round() == 0
    await fetch(database, "UPDATE orders SET exits_due = false WHERE id = $1", over)
    found = await removable(database)
    assert found == [entry], "no exit before its entry"
    while await keeper(database).round():
        pass
    assert await value(database, "SELECT count(*) FROM orders") == 0


async def removable(database: Database) -> list[str]:
    async with database.connection() as connection:
        found = await retention.removable(connection, account=ACCOUNT, older_than=60)
    return [one.id for one in found]
