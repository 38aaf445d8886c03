"""Leases kept: renewed while we live, unsafe before they run out, and told when lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.engine.leasing import RENEW_SECONDS, SAFE_SECONDS, Keeper
from app.store.database import Database
from app.store.leases import TTL_SECONDS
from tests.store.seeds import fetch, value


@asynccontextmanager
async def keeper(database: Database, owner: str, *, renews: bool = True) -> AsyncIterator[Keeper]:
    made = Keeper(database, owner, lost.append)
    lost.clear()
    if renews:
        made.start()
    try:
        yield made
    finally:
        await made.close()


lost: list[str] = []


async def until_lost(seconds: float = 3) -> None:
    async with asyncio.timeout(seconds):
        while not lost:
            await asyncio.sleep(0.01)


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
            other = await second.claim("desk:a2")
            assert other is not None
        assert not first.safe("desk:a1")
        taken = await second.claim("desk:a1")
        assert taken is not None
        assert taken.epoch == 2
        assert taken.orphaned_seconds < 1
    assert await value(database, "SELECT count(*) FROM leases WHERE until IS NOT NULL") == 0


async def test_what_is_dropped_is_not_safe_and_not_renewed(database: Database) -> None:
    async with keeper(database, "w1") as only:
        await only.claim("desk:a1")
        before = await value(database, "SELECT until FROM leases")
        only.drop("desk:a1")
        assert not only.safe("desk:a1")
        only.drop("desk:a1")
        await asyncio.sleep(RENEW_SECONDS + 0.2)
        assert await value(database, "SELECT until FROM leases") == before
    assert lost == []


@pytest.mark.parametrize(
    "thief",
    [
        "UPDATE leases SET owner = 'w2', epoch = epoch + 1",
        "UPDATE leases SET epoch = epoch + 1",
        "UPDATE leases SET until = NULL",
    ],
)
async def test_a_lease_that_is_not_ours_any_more_is_told(database: Database, thief: str) -> None:
    async with keeper(database, "w1") as only:
        await only.claim("desk:a1")
        await fetch(database, thief)
        await until_lost()
        assert lost == ["desk:a1"]
        assert not only.safe("desk:a1")
        after = await fetch(database, "SELECT owner, epoch, until FROM leases")
    assert await fetch(database, "SELECT owner, epoch, until FROM leases") == after


async def test_renewing_keeps_it_and_without_it_no_send_is_safe(database: Database) -> None:
    """The same seconds for both: one renews, the other has forgotten to."""
    async with (
        keeper(database, "asleep", renews=False) as asleep,
        keeper(database, "awake") as awake,
    ):
        await asleep.claim("desk:a1")
        await awake.claim("desk:a2")
        await asyncio.sleep(SAFE_SECONDS - 0.5)
        assert asleep.safe("desk:a1")
        await asyncio.sleep(0.6)
        assert not asleep.safe("desk:a1")
        assert awake.safe("desk:a2")
        # Still ours by the database: nobody else may send either, and that is the margin.
        assert await awake.claim("desk:a1") is None
        left = await value(
            database,
            "SELECT extract(epoch FROM until - clock_timestamp())::float8 FROM leases"
            " WHERE name = 'desk:a2'",
        )
        assert left > TTL_SECONDS - RENEW_SECONDS - 1
