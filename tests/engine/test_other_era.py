"""A cursor of another era is no place in this log, however well its numbers fit."""

import asyncio
from pathlib import Path

import pytest

from app.engine.hub import Gap
from app.engine.wish import Wish
from app.store import event_log
from app.store.event_log import CHANNELS, Cursor
from tests.world import open_world


@pytest.mark.parametrize("step", [-1, 1])
async def test_a_cursor_of_another_era_is_told_its_gap(
    database_url: str, tmp_path: Path, step: int
) -> None:
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="500", algo="market")
        await world.let_go()
        await world.done(order_id)
        async with world.database.connection() as connection:
            head = await event_log.head(connection)
        other = Cursor(head.era + step, head.xid, head.id)
        with pytest.raises(Gap):
            async with asyncio.timeout(30):
                await anext(world.service.hub.follow(other, Wish(frozenset(CHANNELS))))
