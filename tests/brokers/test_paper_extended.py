"""The paper venue before its open and after its close: for who asked, and for nobody else."""

from pathlib import Path

import pytest

from app.domain.fact import TimeInForce
from app.domain.instant import SECOND
from app.domain.lifecycle import ChildStatus
from app.domain.session import Session
from app.domain.tape import Tape
from app.ports import Broker, Capabilities
from tests.brokers.market import SESSION, SYMBOL, at, market, ticket
from tests.brokers.promises import CALM, acknowledged, fills, refused, states
from tests.brokers.test_paper import open_paper

EXTENDED = TimeInForce.DAY_EXTENDED
CLOSE = SESSION.closes_at
WHOLE = Session(SESSION.opens_at - 100 * SECOND, CLOSE + 100 * SECOND)


def evening(*trades: tuple[int, int, int]) -> Tape:
    """A calm day, and what was printed so many seconds after its close."""
    after = [(1000 + second, price, size) for second, price, size in trades]
    return market(CALM, [(900, 999, 400), *after], until=WHOLE.closes_at + 10 * SECOND)


def opened(path: Path, tape: Tape) -> Broker:
    days = {SYMBOL: (WHOLE,)}
    return open_paper(path / "paper.sqlite3", tape, extended=lambda symbol: days[symbol])


@pytest.mark.parametrize("moment", [CLOSE, WHOLE.closes_at - SECOND, WHOLE.opens_at])
async def test_outside_the_session_only_who_asked_is_taken(tmp_path: Path, moment: int) -> None:
    broker = opened(tmp_path, evening())
    assert await refused(broker, ticket("a", moment=moment)) == "market_closed"
    await acknowledged(broker, ticket("b", moment=moment, time_in_force=EXTENDED))
    capabilities: Capabilities = broker.capabilities
    assert capabilities.extended_hours


async def test_outside_extended_hours_nobody_is_taken(tmp_path: Path) -> None:
    for number, moment in enumerate((WHOLE.opens_at - SECOND, WHOLE.closes_at)):
        path = tmp_path / str(number)
        path.mkdir()
        order = ticket("a", moment=moment, time_in_force=EXTENDED)
        assert await refused(opened(path, evening()), order) == "market_closed"


async def test_where_nobody_trades_then_nobody_is_taken(tmp_path: Path) -> None:
    broker = open_paper(tmp_path / "paper.sqlite3", evening())
    assert await refused(broker, ticket("a", time_in_force=EXTENDED)) == "market_closed"


async def test_it_rests_through_the_close_and_ends_with_the_evening(tmp_path: Path) -> None:
    broker = opened(tmp_path, evening((50, 999, 60)))
    await acknowledged(broker, ticket("day", limit="9.98", moment=at(950)))
    await acknowledged(broker, ticket("ext", limit="10.00", moment=at(951), time_in_force=EXTENDED))
    told = [*await broker.reports(CLOSE + SECOND)]
    ends = [state[:2] for state in states(told) if state[1] is ChildStatus.EXPIRED]
    assert ends == [("day", ChildStatus.EXPIRED)]
    told = [*await broker.reports(CLOSE + 51 * SECOND)]
    assert [fill[:2] for fill in fills(told)] == [("ext", 60)]
    told = [*await broker.reports(WHOLE.closes_at + SECOND)]
    ends = [state[:2] for state in states(told) if state[1] is ChildStatus.EXPIRED]
    assert ends == [("ext", ChildStatus.EXPIRED)]
