"""What is remembered of the market: never for long, never past its silence."""

import asyncio
from dataclasses import replace

import pytest

from app.domain.refusal import Unavailable
from app.engine.quotes import scene_for
from app.engine.service import Service
from app.engine.told import Quotes
from app.store import market_state
from tests.api.conftest import NOW, service

__all__ = ["service"]


async def pass_time(service: Service, micros: int) -> None:
    async with service.database.connection() as connection:
        await market_state.tell_clock(connection, NOW + micros)


async def test_the_market_is_read_again_after_a_moment(service: Service) -> None:
    remembering = replace(service, quotes=Quotes(remember=0.2))
    assert (await scene_for(remembering, "ACME")).now == NOW
    await pass_time(service, 7)
    assert (await scene_for(remembering, "ACME")).now == NOW
    await asyncio.sleep(0.25)
    assert (await scene_for(remembering, "ACME")).now == NOW + 7


async def test_what_is_remembered_grows_silent_with_its_clock(service: Service) -> None:
    remembering = replace(service, quotes=Quotes(remember=60))
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE market_clock SET told_at = clock_timestamp() - interval '2.7 seconds'"
        )
    await scene_for(remembering, "ACME")
    await asyncio.sleep(0.4)
    with pytest.raises(Unavailable, match="is a worker running"):
        await scene_for(remembering, "ACME")


async def test_one_who_goes_away_takes_the_answer_from_nobody(service: Service) -> None:
    remembering = replace(service, quotes=Quotes(remember=60))
    first = asyncio.create_task(scene_for(remembering, "ACME"))
    second = asyncio.create_task(scene_for(remembering, "ACME"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).now == NOW
    assert first.cancelled()
