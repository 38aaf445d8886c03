"""The feed of events: every committed event once, in one order, however late it commits."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fact import Paused, Replanned
from app.domain.quantity import ZERO
from app.domain.refusal import Refusal
from app.store import event_log
from app.store.database import Database, connect
from app.store.event_log import Cursor, Event
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, enter, fetch, record, value, working

START = Cursor(1, 0, 0)


async def write(connection: Any, name: str) -> None:
    await event_log.write(
        connection, account=ACCOUNT, type="signal.decided", at=OPEN, data={"name": name}
    )


async def read(database: Database, after: Cursor = START, **given: Any) -> list[Event]:
    async with database.connection() as connection:
        return await event_log.read(connection, after, **({"limit": 10_000} | given))


async def read_naively(database: Database, last: int) -> list[int]:
    """The reader that everybody writes first: `id > last`."""
    found = await fetch(database, "SELECT id FROM events WHERE id > $1 ORDER BY id", last)
    return [row["id"] for row in found]


@asynccontextmanager
async def late_writer(database: Database, name: str) -> AsyncIterator[None]:
    """An event that is written now and committed when the block ends."""
    async with database.transaction() as connection:
        await write(connection, name)
        yield


async def write_now(database: Database, *names: str) -> None:
    for name in names:
        async with database.transaction() as connection:
            await write(connection, name)


def names(events: list[Event]) -> list[str]:
    return [event.frame.partition('"name":"')[2].partition('"')[0] for event in events]


async def test_a_late_commit_is_not_skipped_although_the_naive_reader_skips_it(
    database: Database,
) -> None:
    await write_now(database, "before")
    async with late_writer(database, "late"):
        await write_now(database, "quick")
        seen = await read(database)
        assert names(seen) == ["before"], "what came after the late one waits for it"
        naive = await read_naively(database, 0)
        assert len(naive) == 2
    seen += await read(database, seen[-1].cursor)
    naive += await read_naively(database, naive[-1])
    assert names(seen) == ["before", "late", "quick"]
    assert len(naive) == 2, "the naive reader has lost one: this test can fail"
    assert seen == await read(database)


async def test_what_was_rolled_back_is_never_seen_and_holds_nobody(database: Database) -> None:
    with suppress(ZeroDivisionError):
        async with late_writer(database, "gone"):
            await write_now(database, "quick")
            raise ZeroDivisionError
    assert names(await read(database)) == ["quick"]


async def test_savepoints_belong_to_their_transaction(database: Database) -> None:
    async with database.transaction() as connection:
        await write(connection, "one")
        async with connection.transaction():
            await write(connection, "two")
        await write_now(database, "other")
        await write(connection, "three")
    assert names(await read(database)) == ["one", "two", "three", "other"]


async def write_in_bursts(database: Database, name: str, chance: random.Random) -> None:
    """Transactions of all lengths; some wait between an event and their commit."""
    for n in range(25):
        async with database.transaction() as connection:
            for part in range(chance.randint(1, 3)):
                await write(connection, f"{name}-{n}-{part}")
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.random() * 0.01)


@pytest.mark.parametrize("seed", range(2))
async def test_under_stress_every_event_is_seen_once_in_one_order(
    pools: list[Database], seed: int
) -> None:
    """Six writers, one reader on the heels of them, and the naive one for comparison."""
    writing = True
    tail: list[Event] = []
    naive: list[int] = []

    async def follow() -> None:
        while writing:
            tail.extend(await read(pools[2], tail[-1].cursor if tail else START, limit=7))
            naive.extend(await read_naively(pools[2], naive[-1] if naive else 0))

    following = asyncio.create_task(follow())
    chances = [random.Random(seed * 10 + number) for number in range(6)]
    writers = [write_in_bursts(pools[n % 2], str(n), c) for n, c in enumerate(chances)]
    await asyncio.gather(*writers)
    writing = False
    await following
    while rest := await read(pools[2], tail[-1].cursor, limit=50):
        tail += rest
    naive += await read_naively(pools[2], naive[-1])
    written = await value(pools[2], "SELECT count(*) FROM events")
    assert tail == await read(pools[2])
    assert len({event.cursor for event in tail}) == len(tail) == written
    assert all(a.cursor < b.cursor for a, b in pairwise(tail))
    assert len(naive) < written, "the naive reader loses some under the same load"


async def test_a_page_ends_at_its_limit_and_the_next_goes_on(database: Database) -> None:
    await write_now(database, *"abcdefg")
    pages, cursor = [], START
    while page := await read(database, cursor, limit=3):
        pages.append(names(page))
        cursor = page[-1].cursor
    assert pages == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


async def test_a_page_may_end_within_a_transaction(database: Database) -> None:
    async with database.transaction() as connection:
        for name in "abcde":
            await write(connection, name)
    first = await read(database, limit=2)
    rest = await read(database, first[-1].cursor)
    assert names(first) + names(rest) == list("abcde")


async def test_upto_is_inclusive_and_none_beyond(database: Database) -> None:
    await write_now(database, *"abcde")
    events = await read(database)
    for n, event in enumerate(events):
        assert await read(database, upto=event.cursor) == events[: n + 1]
        assert await read(database, event.cursor, upto=events[3].cursor) == events[n + 1 : 4]


async def test_one_orders_events_alone(database: Database) -> None:
    one, other = await working(database), await working(database)
    for n in range(3):
        for order_id in (one, other):
            await record(database, order_id, Replanned(OPEN + n, ZERO, "again"))
    await write_now(database, "nobodys")
    found = await read(database, order_id=one)
    assert {event.order_id for event in found} == {one}
    assert len(found) == 5
    second = found[1].cursor
    assert await read(database, second, order_id=one, limit=2) == found[2:4]


async def test_the_head_is_after_all_that_can_be_read(database: Database) -> None:
    async def head() -> Cursor:
        async with database.connection() as connection:
            return await event_log.head(connection)

    async with database.connection() as connection:
        era = await event_log.era(connection)
    assert await head() == Cursor(era, 0, 0)
    await write_now(database, "a", "b")
    begin = Cursor(era, 0, 0)
    events = await read(database, begin)
    assert await head() == events[-1].cursor
    async with late_writer(database, "late"):
        await write_now(database, "quick")
        assert await head() == events[-1].cursor
    assert await head() == (await read(database, begin))[-1].cursor
    async with database.connection() as connection:
        assert await event_log.oldest(connection) == begin


async def test_the_floor_and_the_era_can_be_moved(database: Database) -> None:
    await write_now(database, "a", "b")
    first, second = await read(database)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO meta (key, value) VALUES ('events_floor', $1)", str(first.cursor)
        )
        assert await event_log.oldest(connection) == first.cursor
        await connection.execute("UPDATE meta SET value = '2' WHERE key = 'era'")
        assert (await event_log.head(connection)) == Cursor(2, second.cursor.xid, second.cursor.id)
    assert first.cursor < second.cursor < Cursor(2, 0, 0)


async def test_a_frame_says_all_of_an_event(database: Database) -> None:
    order_id = await enter(database)
    await record(database, order_id, Paused(OPEN + 1))
    accepted, paused = await read(database)
    assert (accepted.type, accepted.channel) == ("order.accepted", "orders")
    assert (paused.order_id, paused.symbol, paused.account) == (order_id, "XYZ", ACCOUNT)
    assert paused.frame.startswith(f'{{"cursor":"{paused.cursor}","type":"order.pause_requested"')
    for part in ('"seq":2', '"ts":"2023-12-09T14:30:00.000001Z"', '"recorded_at":"', '"order":{'):
        assert part in paused.frame, part


BAD = ["", "-", "1-2", "1-2-3-4", "1-2-", "a-b-c", "1-2-x", "1--2", "-1-2-3", "1- 2-3", "1-2-+3"]
BAD += ["1-2-٣", "1-2-²", f"1-2-{10**18}", "1.0-2-3", "1-2-3\n", "0x1-2-3", "9" * 10_000]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        Cursor.parse(text)
    assert refused.value.code == "bad_cursor"
    assert refused.value.field == "after"
    assert len(refused.value.message) < 500


def test_the_word_start_is_before_every_cursor() -> None:
    assert Cursor.parse("start") == event_log.START < Cursor(1, 0, 0)
    for text in ("Start", "start ", "start-1-1"):
        with pytest.raises(Refusal):
            Cursor.parse(text)


@given(st.tuples(*[st.integers(0, 10**18 - 1)] * 3))
def test_a_cursor_comes_back_as_it_went(parts: tuple[int, int, int]) -> None:
    cursor = Cursor(*parts)
    assert Cursor.parse(str(cursor)) == cursor


async def test_any_cursor_can_be_read_from(database: Database) -> None:
    await write_now(database, "a")
    assert await read(database, Cursor(1, 10**18 - 1, 10**18 - 1)) == []
    assert names(await read(database, Cursor(1, 0, 10**18 - 1))) == ["a"]


async def lag(database: Database) -> float:
    async with database.connection() as connection:
        return await event_log.horizon_lag(connection)


async def test_the_lag_is_how_long_readers_are_held_back(database: Database) -> None:
    async with late_writer(database, "late"):
        await asyncio.sleep(0.1)
        assert 0.1 <= await lag(database) < 5
    reader = await connect(database.url)
    transaction = reader.transaction()
    await transaction.start()
    await reader.fetchval("SELECT count(*) FROM events")
    await write_now(database, "a")
    assert names(await read(database)) == ["late", "a"], "who only reads holds nobody back"
    await transaction.rollback()
    await reader.close()


async def test_a_transaction_in_another_database_holds_readers_back_and_is_counted(
    database: Database, server_url: str
) -> None:
    """`pg_current_snapshot` knows no databases: whoever shares the server shares the horizon."""
    stranger = await asyncpg.connect(server_url)
    transaction = stranger.transaction()
    await transaction.start()
    await stranger.fetchval("SELECT pg_current_xact_id()")
    await asyncio.sleep(0.1)
    await write_now(database, "a")
    assert await read(database) == []
    assert await lag(database) >= 0.1
    await transaction.rollback()
    await stranger.close()
    assert names(await read(database)) == ["a"]
