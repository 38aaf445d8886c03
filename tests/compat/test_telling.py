"""What is told of an event is made once, however many listen."""

import asyncio
import json
from contextlib import suppress

from app.api.alpaca.updates import CHANNELS, Telling
from app.engine.subscription import Event, Wish
from app.store.event_log import START
from tests.compat.conftest import House
from tests.compat.test_orders import limit


async def first_event(house: House) -> Event:
    order = await house.call(house.trading.submit_order, limit(60))
    async with asyncio.timeout(60):
        async for events in house.world.service.hub.follow(START, Wish(CHANNELS, None)):
            for event in events:
                if event.order_id == str(order.id):
                    return event
    raise AssertionError("it is told for ever")


async def test_all_who_listen_are_given_the_same(house: House) -> None:
    event = await first_event(house)
    telling = Telling(house.world.service)
    account = house.world.service.default_account
    several = [asyncio.create_task(telling.messages(account, event)) for _ in range(20)]
    await asyncio.sleep(0)
    several[0].cancel()
    with suppress(asyncio.CancelledError):
        await several[0]
    told = await asyncio.gather(*several[1:])
    assert all(one is told[0] for one in told)
    [message] = told[0]
    assert json.loads(message)["data"]["event"] == "pending_new"
    assert await telling.messages("another", event) == []


async def test_what_could_not_be_made_is_made_for_the_next(house: House) -> None:
    event = await first_event(house)
    telling = Telling(house.world.service)
    account = house.world.service.default_account
    async with house.world.database.connection() as connection:
        await connection.execute("ALTER TABLE order_revisions RENAME TO away")
        with suppress(Exception):
            await telling.messages(account, event)
        await connection.execute("ALTER TABLE away RENAME TO order_revisions")
    assert len(await telling.messages(account, event)) == 1
