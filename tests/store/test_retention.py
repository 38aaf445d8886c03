"""Retention: what is finished and read goes, with all that is its own; what must be known stays."""

import asyncio
import gzip
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.fact import ChildCanceled, Moved, Sent
from app.domain.lifecycle import OrderStatus
from app.engine import housekeeping
from app.engine.housekeeping import LEASE, Housekeeping, Keeping
from app.store import archive, event_log, intake, leases, retention
from app.store.archive import Archive, NotArchived
from app.store.database import Database
from app.store.event_log import Cursor
from app.store.intake import Accepted, Clash
from tests.domain.tasks import OPEN
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


async def finished(database: Database, *, qty: int = 100, **given: str) -> str:
    """An order that was filled in two parts; its id."""
    of = task("twap", qty)
    (verdict,) = await intake.insert(database, [an_arrival(of, **given)])
    assert isinstance(verdict, Accepted)
    await record(database, of.order_id, Moved(OPEN, OrderStatus.WORKING))
    first = intent(of.order_id, 1, qty)
    name = first.child_id
    await record(database, of.order_id, first, Sent(OPEN, name, f"b-{name}"))
    await record(
        database,
        of.order_id,
        fill(name, f"{name}-1", qty // 4, price="10.5"),
        fill(name, f"{name}-2", qty - qty // 4),
        Moved(OPEN, OrderStatus.FILLED),
    )
    return of.order_id


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


async def age(database: Database, days: int = 2, *ids: str) -> None:
    """Let orders, and everything without one, lie for some days."""
    back = f"- interval '{days} days'"
    where = "WHERE id = ANY($1::uuid[])" if ids else "WHERE $1::uuid[] IS NOT NULL"
    await fetch(
        database,
        f"UPDATE orders SET created_at = created_at {back}, updated_at = updated_at {back} {where}",
        list(ids),
    )
    for table, column in (("events", "recorded_at"), ("idempotency", "created_at")):
        await fetch(database, f"UPDATE {table} SET {column} = {column} {back}")


def keeper(database: Database, folder: Path | None = None) -> Housekeeping:
    return Housekeeping(database, Keeping(timedelta(days=1), folder))


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
        async with asyncio.timeout(2):
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


# Archive files.


def lines_of(folder: Path) -> list[dict[str, object]]:
    return [order for path in sorted(folder.glob("*.gz")) for order in archive.read(path)]


async def test_an_order_is_written_whole_before_it_goes(database: Database, tmp_path: Path) -> None:
    old = await finished(database, key="k1", signal="s1")
    await fetch(
        database, "UPDATE orders o SET signal_id = s.id FROM signals s WHERE s.order_id = o.id"
    )
    await age(database)
    rows = {t: await fetch(database, f"SELECT * FROM {t}") for t in TABLES}
    day = await value(database, "SELECT (updated_at AT TIME ZONE 'UTC')::date::text FROM orders")
    assert await keeper(database, tmp_path).round() == 1
    [path] = tmp_path.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == (f"orders-{day}.jsonl.gz", 0o600)
    [line] = gzip.decompress(path.read_bytes()).decode().splitlines()
    told = json.loads(line)
    assert told["order"]["id"] == old
    assert (told["order"]["filled"], told["order"]["filled_notional"]) == ("100", "1012.5")
    assert told["order"]["start_at"].endswith("000000Z")
    assert set(told["order"]) == set(rows["orders"][0].keys())
    assert [c["id"] for c in told["children"]] == [r["id"] for r in rows["children"]]
    assert {f["execution_id"]: Decimal(f["price"]) for f in told["fills"]} == {
        r["execution_id"]: r["price"] for r in rows["fills"]
    }
    assert [(e["seq"], e["type"], e["data"]) for e in told["events"]] == [
        (r["seq"], r["type"], r["data"]) for r in rows["events"] if r["seq"]
    ]
    assert told["signal"]["body"] == {"market": "XYZ"}
    assert [k["key"] for k in told["idempotency"]] == ["k1"]


async def test_a_crash_between_file_and_removal_neither_loses_nor_repeats(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {await finished(database) for _ in range(3)}
    await age(database)

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(retention, "remove", dies)
        with pytest.raises(RuntimeError):
            await keeper(database, tmp_path).round()
    assert await value(database, "SELECT count(*) FROM orders") == 3
    assert len(lines_of(tmp_path)) == 3
    # Another process, which has to find out what the file holds; and the end of it is torn.
    [path] = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(gzip.compress(b'{"order": {"id": "torn"')[:20])
    assert await keeper(database, tmp_path).round() == 3
    orders = [line["order"]["id"] for line in lines_of(tmp_path)]  # type: ignore[index]
    assert len(orders) == 3
    assert set(orders) == ids


async def test_a_file_damaged_within_is_kept_and_another_begun(
    database: Database, tmp_path: Path
) -> None:
    await finished(database)
    await age(database)
    assert await keeper(database, tmp_path).round() == 1
    [path] = tmp_path.iterdir()
    damaged = path.read_bytes()[:40] + b"\0" * 40 + path.read_bytes()[80:]
    path.write_bytes(damaged)
    await finished(database)
    await age(database)
    assert await keeper(database, tmp_path).round() == 1
    assert len(lines_of(tmp_path)) == 1
    [aside] = tmp_path.glob("*.damaged-*")
    assert aside.read_bytes() == damaged


async def test_without_its_file_no_order_goes(database: Database, tmp_path: Path) -> None:
    await finished(database)
    await age(database)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotArchived):
        await keeper(database, tmp_path / "file").round()
    assert await value(database, "SELECT count(*) FROM orders") == 1


def test_two_writers_one_after_the_other_see_each_others_lines(tmp_path: Path) -> None:
    def document(name: str) -> archive.Document:
        line = json.dumps({"order": {"id": name, "version": 1}})
        return archive.Document("2026-01-05", name, 1, line)

    first, second = Archive(tmp_path), Archive(tmp_path)
    first.write([document("a")])
    second.write([document("a"), document("b")])
    first.write([document("b"), document("c")])
    assert [line["order"]["id"] for line in lines_of(tmp_path)] == ["a", "b", "c"]  # type: ignore[index]
