"""Without a doorbell everything is late, and nothing is lost."""

import asyncio
from pathlib import Path

from app.engine.wish import Wish
from app.store.event_log import CHANNELS
from tests.world import open_world

LATE_SECONDS = 60.0


async def test_orders_are_worked_though_no_bell_rings(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        await world.service.doorbell.close()
        await world.let_go()
        await asyncio.sleep(0.3)
        order_id = await world.order(qty="500", algo="market")
        row = await world.done(order_id, LATE_SECONDS)
        assert (row["status"], row["filled"]) == ("filled", 500)


async def test_events_are_told_though_no_bell_rings(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        await world.service.doorbell.close()
        hub = world.service.hub
        # What rang before has been answered: from here on there is only the timer.
        await asyncio.sleep(0.6)
        order_id = await world.order(qty="500", algo="market")
        seen: list[str] = []
        wish = Wish(frozenset(CHANNELS), orders=frozenset({order_id}))

        async def listen() -> None:
            async for events in hub.follow(hub.head, wish):
                seen.extend(event.type for event in events)
                if "order.filled" in seen:
                    return

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await world.let_go()
        await asyncio.wait_for(listening, LATE_SECONDS)
        assert "fill.booked" in seen
