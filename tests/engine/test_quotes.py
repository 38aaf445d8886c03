"""What is remembered of the market: never for long, never past its silence."""

import asyncio
import time
from dataclasses import replace

import pytest

from app.domain.flow.measure import Delta, measure
from app.domain.refusal import Unavailable
from app.domain.regime.record import Components, Label, Regime
from app.domain.tape_build import build_tape
from app.engine.quotes import leaning_scene, scene_for
from app.engine.service import Service
from app.engine.told import Quotes
from app.store import flow_state, market_state
from app.store.flow_state import Leaning
from tests.api.conftest import NOW, service

__all__ = ["service"]


async def pass_time(service: Service, micros: int) -> None:
    async with service.database.connection() as connection:
        await market_state.tell_clock(connection, NOW + micros)


async def test_the_market_is_read_again_after_a_moment(service: Service) -> None:
    remembering = replace(service, quotes=Quotes(remember=2))
    assert (await scene_for(remembering, "ACME")).now == NOW
    await pass_time(service, 7)
    assert (await scene_for(remembering, "ACME")).now == NOW
    await asyncio.sleep(2.05)
    assert (await scene_for(remembering, "ACME")).now == NOW + 7


async def test_what_is_remembered_grows_silent_with_its_clock(service: Service) -> None:
    remembering = replace(service, quotes=Quotes(remember=60))
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE market_clock SET told_at = clock_timestamp() - interval '1 second'"
        )
    await scene_for(remembering, "ACME")
    await asyncio.sleep(2.1)
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


async def told_later(service: Service) -> None:
    """As the owner of the feed does, once it sees that somebody asked."""
    async with service.database.connection() as connection:
        while await flow_state.asked(connection) != ["ACME"]:
            await asyncio.sleep(0.05)
        nothing = Delta(NOW, NOW)
        tape = build_tape("ACME", price_scale=100, size_scale=1, since=0, until=NOW)
        flow = measure(tape, NOW, nothing)
        parts = Components(NOW, 1.0, 0.0, 0.01, 0.01, 0.5, 0.0, 500)
        regime = Regime(NOW, Label.TRENDING, NOW, 0.5, parts)
        await flow_state.tell(connection, [Leaning("ACME", flow, regime)])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits in vain waits for half a minute, which no busy machine takes to answer."""
    monkeypatch.setattr("app.engine.quotes.LEANING_SECONDS", 30.0)


@pytest.mark.usefixtures("patient")
async def test_who_asks_first_waits_for_the_order_flow_and_nobody_else(service: Service) -> None:
    begun = time.monotonic()
    scene, _ = await asyncio.gather(leaning_scene(service, "ACME"), told_later(service))
    assert time.monotonic() - begun < 20
    assert scene.flow is not None
    assert scene.flow.at == NOW
    assert scene.regime is not None
    begun = time.monotonic()
    assert (await leaning_scene(service, "ACME")).flow == scene.flow
    assert time.monotonic() - begun < 20


async def test_what_does_not_come_in_a_moment_is_not_there(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = time.monotonic()
    scene = await leaning_scene(service, "ACME")
    assert (scene.flow, scene.regime) == (None, None)
    assert 0.9 < time.monotonic() - begun < 20
    monkeypatch.setattr("app.engine.quotes.LEANING_SECONDS", 30.0)
    begun = time.monotonic()
    await leaning_scene(service, "ACME")
    assert time.monotonic() - begun < 20, "it is asked for already"


@pytest.mark.usefixtures("patient")
async def test_asking_is_renewed_before_the_hour_is_over(service: Service) -> None:
    async with service.database.connection() as connection:
        await flow_state.ask(connection, "ACME")
        await connection.execute(
            "UPDATE watches SET flow_asked_at = clock_timestamp() - interval '50 minutes'"
        )
        begun = time.monotonic()
        await leaning_scene(replace(service, quotes=Quotes()), "ACME")
        assert time.monotonic() - begun < 20
        age = await connection.fetchval("SELECT clock_timestamp() - flow_asked_at FROM watches")
    assert age.total_seconds() < 60
