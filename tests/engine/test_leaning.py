"""Order flow and regime, told by the owner of the feed to who asks for them."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from app.calendars import ExchangeCalendars
from app.domain.flow.record import flow_from_json, flow_to_json
from app.domain.instant import HOUR, MINUTE, SECOND
from app.domain.regime.record import regime_from_json, regime_to_json
from app.domain.session import session_from
from app.engine.clock import SteppedClock
from app.engine.leaning import Leanings
from app.engine.market import MarketDesk
from app.engine.quotes import leaning_scene
from app.feeds.synthetic import open_feed
from app.store import flow_state, watched
from app.store.database import Database
from app.store.watched import Told
from tests.world import open_world


async def opened(database_url: str) -> tuple[MarketDesk, Database]:
    database = await Database.open(database_url)
    market = MarketDesk(database, open_feed(ExchangeCalendars(), {"symbols": ["ACME", "GLOBEX"]}))
    await market.open(speed=Decimal(0), held=True)
    await market.watch(["ACME", "GLOBEX"])
    return market, database


async def told(database: Database, symbol: str = "ACME") -> Told:
    async with database.connection() as connection:
        found = await watched.told(connection, symbol)
    assert isinstance(found, Told)
    return found


async def reach(market: MarketDesk, hours: int) -> int:
    """So far into the session, told a few times."""
    session = session_from(market.watched["ACME"].sessions, market.clock.now())
    assert session is not None
    now = session.opens_at + hours * HOUR
    assert isinstance(market.clock, SteppedClock)
    market.clock.jump(now)
    await market.advance(now)
    for _ in range(20):
        await market.tell(force=True)
    return now


async def test_who_asks_is_told_and_the_others_cost_nothing(database_url: str) -> None:
    market, database = await opened(database_url)
    await reach(market, 1)
    assert (await told(database)).flow is None
    async with database.connection() as connection:
        await flow_state.ask(connection, "ACME")
    market._leanings._asked_at = 0.0
    now = await reach(market, 5)
    found = await told(database)
    assert found.flow is not None
    assert found.flow.at == now
    assert [frame.length for frame in found.flow.frames] == [10 * SECOND, MINUTE, 5 * MINUTE]
    assert all(frame.end <= now for frame in found.flow.frames)
    assert found.flow.cvd_volume > 0
    assert found.regime is not None
    assert found.regime.at == now
    assert found.regime.components.bars > 200
    assert found.flow_asked_seconds is not None
    other = await told(database, "GLOBEX")
    assert (other.flow, other.regime, other.flow_asked_seconds) == (None, None, None)
    assert flow_from_json(flow_to_json(found.flow)) == found.flow
    assert regime_from_json(regime_to_json(found.regime)) == found.regime
    await database.close()


async def test_after_an_hour_without_asking_it_is_told_no_more(database_url: str) -> None:
    market, database = await opened(database_url)
    async with database.connection() as connection:
        await flow_state.ask(connection, "ACME")
        assert await flow_state.asked(connection) == ["ACME"]
        await connection.execute(
            "UPDATE watches SET flow_asked_at = flow_asked_at - interval '61 minutes'"
        )
        assert await flow_state.asked(connection) == []
    await reach(market, 1)
    assert (await told(database)).flow is None
    await database.close()


async def test_the_budget_holds_and_who_came_late_is_next(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, database = await opened(database_url)
    now = await reach(market, 5)
    monkeypatch.setattr("app.engine.leaning.BUDGET_SECONDS", 0.0)
    leanings = Leanings()
    leanings._asked = ["ACME", "GLOBEX"]
    # Both have hours of bars to catch up with: one a turn, in turns.
    first = leanings.due(market.feed, market.watched, now)
    second = leanings.due(market.feed, market.watched, now)
    assert {first[0].symbol, second[0].symbol} == {"ACME", "GLOBEX"}
    assert first[0].regime is None, "it has not caught up"
    turns = [leanings.due(market.feed, market.watched, now) for _ in range(40)]
    told = [of.regime.at for turn in turns for of in turn if of.regime is not None]
    assert told == [now, now], "no regime of the past is told on the way"
    assert leanings.due(market.feed, market.watched, now) == []
    assert leanings.due(market.feed, market.watched, now + SECOND - 1) == []
    monkeypatch.undo()
    later = [of for _ in range(2) for of in leanings.due(market.feed, market.watched, now + SECOND)]
    assert {of.symbol for of in later} == {"ACME", "GLOBEX"}
    assert all(of.regime is not None for of in later)
    assert {of.flow.at for of in later} == {now + SECOND}
    await database.close()


@pytest.mark.campaign
async def test_in_a_working_house_who_asks_has_them_at_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Service and worker, market time running thirty times as fast."""
    monkeypatch.setattr("app.engine.quotes.LEANING_SECONDS", 30.0)
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        await world.let_go(Decimal(30))
        scene = await leaning_scene(world.service, "ACME")
        assert scene.flow is not None
        async with asyncio.timeout(60):
            while scene.flow is None or len(scene.flow.frames) < 3:
                await asyncio.sleep(0.1)
                scene = await leaning_scene(world.service, "ACME")
        assert 0 <= scene.now - scene.flow.at < MINUTE, "told often enough to be used"
        assert scene.flow.cvd_volume > 0
