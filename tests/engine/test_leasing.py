"""Leases kept: renewed while we live, unsafe before they run out, and told when lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.engine.leasing import RENEW_SECONDS, SAFE_SECONDS, Keeper
from app.store.database import Database
from app.store.leases import TTL_SECONDS
from tests.store.seeds import fetch, value


@asynccontextmanager
async def keeper(
    database: Database, owner: str, lost: list[str] | None = None, *, renews: bool = True
) -> AsyncIterator[Keeper]:
    made = Keeper(database, owner, ([] if lost is None else lost).append)
    if renews:
        made.start()
    try:
        yield made
    finally:
        await made.close()


def test_the_last_third_is_never_used_and_renewing_comes_well_before() -> None:
    assert SAFE_SECONDS <= TTL_SECONDS * 2 / 3
    assert RENEW_SECONDS * 3 < SAFE_SECONDS


async def test_one_owns_it_until_it_is_given_back(database: Database) -> None:
    async with keeper(database, "w2", renews=False) as second:
        async with keeper(database, "w1") as first:
            lease = await first.claim("desk:a1")
            assert lease is not None
            assert lease.epoch == 1
            assert (first.safe("desk:a1"), first.safe("desk:a2")) == (True, False)
            assert await second.claim("desk:a1") is None
            assert not second.safe("desk:a1")
            assert await second.claim("desk:a2") is not None
        assert not first.safe("desk:a1")
        taken = await second.claim("desk:a1")
        assert taken is not None
        assert taken.epoch == 2
        assert taken.orphaned_seconds < 1
    assert await value(database, "SELECT count(*) FROM leases WHERE until IS NOT NULL") == 0


async def test_leases_that_are_not_ours_any_more_are_told_and_left_alone(
    database: Database,
) -> None:
    thieves = {
        "desk:taken": "owner = 'w2', epoch = epoch + 1",
        "desk:ours again": "epoch = epoch + 1",
        "desk:given back": "until = NULL",
    }
    lost: list[str] = []
    async with keeper(database, "w1", lost) as only:
        for name in [*thieves, "desk:kept"]:
            await only.claim(name)
        for name, change in thieves.items():
            await fetch(database, f"UPDATE leases SET {change} WHERE name = $1", name)
        async with asyncio.timeout(30):
            while len(lost) < len(thieves):
                await asyncio.sleep(0.01)
        assert sorted(lost) == sorted(thieves)
        assert [only.safe(name) for name in thieves] == [False, False, False]
        assert only.safe("desk:kept")
        stolen = "SELECT owner, epoch, until FROM leases WHERE name <> 'desk:kept' ORDER BY name"
        before = await fetch(database, stolen)
    assert await fetch(database, stolen) == before


async def test_renewing_keeps_it_and_without_it_no_send_is_safe(database: Database) -> None:
    """The same seconds for all: one renews, one has forgotten to, one lease was dropped."""
    lost: list[str] = []
    left = (
        "SELECT extract(epoch FROM until - clock_timestamp())::float8 FROM leases WHERE name = $1"
    )
    async with (
        keeper(database, "asleep", renews=False) as asleep,
        keeper(database, "awake", lost) as awake,
    ):
        await asleep.claim("desk:a1")
        await awake.claim("desk:a2")
        await awake.claim("desk:a3")
        awake.drop("desk:a3")
        assert not awake.safe("desk:a3")
        await asyncio.sleep(SAFE_SECONDS - 2.5)
        assert asleep.safe("desk:a1")
        await asyncio.sleep(2.6)
        assert not asleep.safe("desk:a1")
        assert awake.safe("desk:a2")
        # Still its own by the database, so nobody else may send either: that is the margin.
        assert await awake.claim("desk:a1") is None
        assert await value(database, left, "desk:a2") > TTL_SECONDS - RENEW_SECONDS - 1
        assert await value(database, left, "desk:a3") < TTL_SECONDS - SAFE_SECONDS
    assert lost == []


async def test_what_is_cut_off_while_it_gives_back_is_given_back_by_its_end(
    database: Database,
) -> None:
    async with keeper(database, "w1", renews=False) as first:
        assert await first.claim("desk:a1") is not None
        async with database.connection() as other, other.transaction():
            await other.execute("UPDATE leases SET owner = owner WHERE name = 'desk:a1'")
            giving_back = asyncio.create_task(first.give_back("desk:a1"))
            await asyncio.sleep(0.1)
            assert not first.safe("desk:a1")
            giving_back.cancel()
            await asyncio.gather(giving_back, return_exceptions=True)
    assert await value(database, "SELECT until FROM leases WHERE name = 'desk:a1'") is None
