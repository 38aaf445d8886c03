"""A cursor of another era is no place in this log, however well its numbers fit."""

import asyncio
from pathlib import Path

import pytest

from app.engine.hub import Gap
from app.store.event_log import Cursor
from tests.world import open_world


@pytest.mark.parametrize("step", [-1, 1])
async def test_a_cursor_of_another_era_is_told_its_gap(
    database_url: str, tmp_path: Path, step: int
) -> None:
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="500", algo="market")
        await world.let_go()
        await world.done(order_id)
        first: Cursor | None = None
        async with asyncio.timeout(10):
            async for event in world.service.hub.follow(Cursor.parse("start"), lambda event: True):
                first = event.cursor
                break
        assert first is not None
        other = Cursor(first.era + step, first.xid, first.id)
        with pytest.raises(Gap):
            async with asyncio.timeout(5):
                await anext(world.service.hub.follow(other, lambda event: True))
