"""Housekeeping beside readers: who is in the midst of the log loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.refusal import Conflict
from app.engine import housekeeping, hub
from app.engine.housekeeping import Housekeeping, Keeping
from app.engine.hub import Gap, Hub
from app.engine.wish import Wish
from app.store import event_log
from app.store.database import Database
from app.store.doorbell import EVENTS, Doorbell
from app.store.event_log import CHANNELS, START, Cursor, Event
from tests.store.seeds import fetch, value
from tests.world import open_world

ORDERS, EACH = 60, 50


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BREATH_SECONDS", 0)


@asynccontextmanager
async def open_hub(database: Database) -> AsyncIterator[Hub]:
    doorbell = Doorbell(database.url, hears=(EVENTS,))
    doorbell.start()
    opened = Hub(database, doorbell)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()
        await doorbell.close()


async def history(database: Database) -> None:
    """Many finished orders with many events each, all of them old."""
    await fetch(database, "INSERT INTO accounts (account, broker) VALUES ('a1', 'paper')")
    old = "now() - interval '2 days'"
    await fetch(
        database,
        "INSERT INTO orders (account, id, key, client_order_id, body_sha256, broker, key_id,"
        " symbol, instrument, side, qty, algo, algo_version, asked_algo, params, start_at, end_at,"
        " session_opens_at, session_closes_at, curve, seed, max_quote_age_us, collar, urgency,"
        " time_in_force, on_restart, status, anchor_at, accepted_at, created_at, updated_at, seq)"
        " SELECT 'a1', gen_random_uuid(), 'k' || i, 'c' || i, '', 'paper', 'k', 'XYZ', '{}', 'buy',"
        " 1, 'twap', 1, 'twap', '{}', now(), now() + interval '1 h', now(), now(), '{}', '', 1, 1,"
        f" 'normal', 'day', 'resume', 'canceled', now(), now(), {old} + i * interval '1 s',"
        f" {old}, $2 FROM generate_series(1, $1::int) AS i",
        ORDERS,
        EACH,
    )
    for seq in range(1, EACH + 1):
        # A transaction each, as in life.
        await fetch(
            database,
            "INSERT INTO events (account, order_id, seq, type, at, recorded_at, data)"
            f" SELECT account, id, $1, 'order.working', now(), {old}, '{{}}' FROM orders",
            seq,
        )


EVERYTHING_WANTED = Wish(frozenset(CHANNELS))


def keeper(database: Database) -> Housekeeping:
    return Housekeeping(database, Keeping(timedelta(days=1)))


async def collect(follow: AsyncIterator[list[Event]], frames: list[Cursor], pause: float) -> None:
    """Read a page at a time, slowly."""
    async for page in follow:
        frames.extend(event.cursor for event in page)
        await asyncio.sleep(pause * len(page) / 100)


async def test_a_replay_loses_nothing_while_housekeeping_runs(database: Database) -> None:
    await history(database)
    everything = ORDERS * EACH
    async with open_hub(database) as opened:
        seen: list[Cursor] = []
        replay = asyncio.create_task(
            collect(opened.follow(START, EVERYTHING_WANTED), seen, pause=0.1)
        )
        while len(seen) <= 1_000:
            await asyncio.sleep(0.01)
        rounds = []
        while len(seen) < everything:
            rounds.append(await keeper(database).round())
            assert not replay.done(), replay.exception()
            await asyncio.sleep(0.05)
        assert len(rounds) > 5
        assert len(set(seen)) == everything
        assert seen == sorted(seen)
        # The orders' last events are in the last page: none could go yet.
        assert sum(rounds) == 0
        replay.cancel()


async def test_what_all_have_read_goes_while_they_listen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TELL_SECONDS", 0.01)
    await history(database)
    async with open_hub(database) as opened:
        seen: list[Cursor] = []
        live = asyncio.create_task(
            collect(opened.follow(opened.head, EVERYTHING_WANTED), seen, pause=0)
        )
        removed = 0
        async with asyncio.timeout(30):
            while removed < ORDERS:
                # It tells in a moment that it has read them.
                await asyncio.sleep(0.05)
                removed += await keeper(database).round()
        assert removed == ORDERS
        # A hub that has just gone is respected for a minute; this one tells where it stands.
        async with database.connection() as connection:
            floor = await event_log.oldest(connection)
        assert floor == opened.head
        old = Cursor(floor.era, 5, 5)
        with pytest.raises(Gap) as told:
            await anext(opened.follow(old, EVERYTHING_WANTED))
        assert told.value.oldest == floor
        live.cancel()


async def test_a_replay_that_nobody_was_told_of_is_told_of_its_gap(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stood still for a minute: what it told is no longer respected."""
    await history(database)
    async with open_hub(database) as opened:
        monkeypatch.setattr(event_log, "READER_SECONDS", 0.0)
        follow = opened.follow(START, EVERYTHING_WANTED)
        assert len(await anext(follow)) == hub._PAGE
        assert await keeper(database).round() == ORDERS
        with pytest.raises(Gap) as told:
            async with asyncio.timeout(30):
                await anext(follow)
        assert told.value.oldest == opened.head


async def test_it_runs_by_itself_and_lets_go_of_its_lease(database: Database) -> None:
    await history(database)
    at_work = keeper(database)
    at_work.start()
    async with asyncio.timeout(60):
        while await value(database, "SELECT count(*) FROM orders"):
            at_work.loop.check()
            await asyncio.sleep(0.05)
    await at_work.close()
    free = "SELECT until IS NULL FROM leases WHERE name = 'housekeeping'"
    assert await value(database, free)


async def test_a_removed_order_is_not_entered_again(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        first = await world.order(qty="100", algo="market", client_order_id="mine")
        open_ = await world.order(qty="100", algo="twap", client_order_id="later")
        await world.let_go()
        await world.done(first)
        await world.hold()
        await asyncio.sleep(1.3)
        removing = Housekeeping(world.database, Keeping(timedelta(microseconds=1)))
        deadline = asyncio.get_running_loop().time() + 70
        while not await removing.round():
            assert asyncio.get_running_loop().time() < deadline
            await fetch(world.database, "DELETE FROM readers")
            await asyncio.sleep(0.05)
        assert await world.row(first) is None
        assert await world.row(open_) is not None
        for qty in ("100", "7"):
            with pytest.raises(Conflict) as refused:
                await world.order(qty=qty, algo="market", client_order_id="mine")
            assert refused.value.code == "order_archived"
            assert refused.value.detail == {"order_id": first}
        assert await value(world.database, "SELECT count(*) FROM orders") == 1
