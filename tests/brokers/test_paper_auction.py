"""The paper venue's closing auction: at the closing print, within the limit, or not at all."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.auction import PRINTS_WITHIN
from app.domain.fact import TimeInForce
from app.domain.instant import SECOND
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.ports import Broker, Capabilities
from tests.brokers.market import SESSION, SYMBOL, at, market, ticket
from tests.brokers.promises import CALM, acknowledged, fills, refused, states
from tests.brokers.test_paper import LATENCY, open_paper

CLS = TimeInForce.CLS
CLOSE = SESSION.closes_at
PRINTED = CLOSE + PRINTS_WITHIN
HEARD = PRINTED + LATENCY


def after_close(*trades: tuple[int, int, int]) -> Tape:
    """A calm day whose last trade is 9.99, and what was printed so many seconds after its close."""
    return market(
        CALM,
        [(900, 999, 400), *((1000 + s, price, size) for s, price, size in trades)],
        until=PRINTED + 10 * SECOND,
    )


def fresh(path: Path, tape: Tape) -> Broker:
    return open_paper(path / "paper.sqlite3", tape)


async def closed(
    path: Path, tape: Tape, side: Side = Side.BUY, limit: str = "10.00"
) -> Sequence[tuple[str, int, str, str]]:
    broker = fresh(path, tape)
    await acknowledged(broker, ticket("a", side, 5000, limit, moment=at(800), time_in_force=CLS))
    assert fills(await broker.reports(HEARD - 1)) == []
    return fills(await broker.reports(HEARD))


@pytest.mark.parametrize(
    ("trades", "price"),
    [
        # The largest, not the first nor the last; what is printed later is no auction.
        ([(0, 1000, 50), (64, 998, 9000), (70, 1000, 60), (300, 1001, 99_999)], "9.98"),
        ([(299, 1000, 1)], "10.00"),
        # Without an auction: the last trade.
        ([], "9.99"),
        ([(300, 1001, 99_999)], "9.99"),
    ],
)
async def test_fills_whole_at_the_closing_print(
    tmp_path: Path, trades: list[tuple[int, int, int]], price: str
) -> None:
    assert await closed(tmp_path, after_close(*trades)) == [("a", 5000, price, "maker")]


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, "9.97"), (Side.SELL, "9.99")])
async def test_beyond_its_limit_it_expires(tmp_path: Path, side: Side, limit: str) -> None:
    broker = fresh(tmp_path, after_close((64, 998, 9000)))
    await acknowledged(broker, ticket("a", side, limit=limit, time_in_force=CLS))
    told = await broker.reports(HEARD)
    assert fills(told) == []
    assert states(told)[-1][:3] == ("a", ChildStatus.EXPIRED, 0)
    assert await broker.open_orders() == []


async def test_it_neither_takes_nor_is_taken_before(tmp_path: Path) -> None:
    tape = market(CALM, [(500, 999, 100_000)], until=PRINTED)
    broker = fresh(tmp_path, tape)
    await acknowledged(broker, ticket("a", qty=100, limit="10.05", time_in_force=CLS))
    await acknowledged(broker, ticket("b", qty=100, limit="9.99"))
    told = await broker.reports(CLOSE + SECOND)
    assert [fill[0] for fill in fills(told)] == ["b"]
    (waits,) = await broker.open_orders()
    assert (waits.child_id, waits.status) == ("a", ChildStatus.WORKING)
    assert waits.terms is not None
    assert waits.terms.closing_auction


async def test_a_tape_that_ends_before_the_close_fills_nobody(tmp_path: Path) -> None:
    assert await closed(tmp_path, market(CALM, [(500, 999, 10)], until=CLOSE - 1)) == []


async def test_it_can_be_canceled_until_the_close(tmp_path: Path) -> None:
    broker = fresh(tmp_path, after_close((64, 998, 9000)))
    for name in ("early", "late"):
        await acknowledged(broker, ticket(name, time_in_force=CLS))
    await broker.cancel("early", CLOSE - 2 * LATENCY)
    await broker.cancel("late", CLOSE)
    told = await broker.reports(HEARD)
    assert fills(told) == [("late", 100, "9.98", "maker")]
    ends = [state[:2] for state in states(told) if state[1] is ChildStatus.CANCELED]
    assert ends == [("early", ChildStatus.CANCELED)]


async def test_whoever_opens_the_venue_again_finds_it(tmp_path: Path) -> None:
    tape = after_close((64, 998, 9000))
    for moment in (at(1), CLOSE, PRINTED - 1):
        path = tmp_path / str(moment)
        path.mkdir()
        broker = fresh(path, tape)
        await acknowledged(broker, ticket("a", time_in_force=CLS))
        await broker.reports(moment)
        await broker.close()
        again = fresh(path, tape)
        assert fills(await again.reports(HEARD)) == [("a", 100, "9.98", "maker")]
        assert await again.positions() == {SYMBOL: Decimal(100)}


async def test_after_the_close_it_is_refused(tmp_path: Path) -> None:
    broker = fresh(tmp_path, after_close())
    order = ticket("a", moment=CLOSE, time_in_force=CLS)
    assert await refused(broker, order) == "market_closed"
    capabilities: Capabilities = broker.capabilities
    assert capabilities.closing_auction
