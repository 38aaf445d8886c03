"""What every broker has to do, live or simulated, told through `ports.Broker` alone.

A broker's test module gives a harness: the adapter in front of a venue where SYMBOL stands at
9.99 bid for 300 and 10.01 offered for 200, and nobody else trades.
"""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

import pytest

from app.domain.fact import TimeInForce
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.ports import (
    Acknowledged,
    Broker,
    ExecutionReport,
    IdScope,
    Lookup,
    OrderReport,
    Prompting,
    Refused,
    Report,
    Terms,
    Ticket,
    Withheld,
)
from tests.brokers.market import SYMBOL, at, ticket

IOC = TimeInForce.IOC
CALM = [(0, 999, 300, 1001, 200)]


class CalmHarness(Protocol):
    """A venue under test, with a market that stands still."""

    def open_calm(self) -> Broker:
        """The adapter, in front of that venue."""
        ...

    async def hear(self, broker: Broker, seconds: float) -> Sequence[Report]:
        """What is told up to this time of the test (simulated), or until nothing more is (live)."""
        ...

    async def reopen(self) -> Broker:
        """Another adapter for the same account, after the first one closed."""
        ...

    def crash(self) -> Broker:
        """Another adapter for the same account, the first one gone without a word."""
        ...


async def acknowledged(broker: Broker, ticket: Ticket) -> Acknowledged:
    outcome = await broker.submit(ticket)
    assert isinstance(outcome, Acknowledged), outcome
    return outcome


async def refused(broker: Broker, ticket: Ticket) -> str:
    outcome = await broker.submit(ticket)
    assert isinstance(outcome, Refused), outcome
    return outcome.code


async def withheld(broker: Broker, ticket: Ticket) -> str:
    outcome = await broker.submit(ticket)
    assert isinstance(outcome, Withheld), outcome
    return outcome.code


async def not_again(broker: Broker, ticket: Ticket) -> None:
    """A second submit proves that the first came in: nobody may take it for a refusal."""
    assert not isinstance(await broker.submit(ticket), Refused)


def fills(reports: Iterable[Report]) -> list[tuple[str, int, str, str]]:
    """Who got how much at what price, and as what."""
    return [
        (r.child_id, int(r.qty), f"{r.price:.2f}", r.liquidity)
        for r in reports
        if isinstance(r, ExecutionReport)
    ]


def states(reports: Iterable[Report]) -> list[tuple[str, ChildStatus, int, str | None]]:
    return [
        (r.child_id, r.status, int(r.filled), r.reason)
        for r in reports
        if isinstance(r, OrderReport)
    ]


async def known(broker: Broker, child_id: str) -> OrderReport:
    found = await broker.lookup(child_id)
    assert found is not None
    return found


class BrokerPromises:
    """Inherited by the tests of each broker, with a fixture `venue`."""

    @pytest.fixture
    def venue(self) -> CalmHarness:
        raise NotImplementedError

    async def test_says_how_it_behaves(self, venue: CalmHarness) -> None:
        capabilities = venue.open_calm().capabilities
        assert isinstance(capabilities.id_scope, IdScope)
        assert isinstance(capabilities.lookup, Lookup)
        assert capabilities.lookup_lag >= 0
        assert capabilities.executions_lookback > 0

    async def test_a_client_id_works_once(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        first = await acknowledged(broker, ticket("a", qty=50, limit="10.01"))
        await not_again(broker, ticket("a", qty=70, limit="10.01"))
        assert fills(await venue.hear(broker, 10)) == [("a", 50, "10.01", "taker")]
        # Nor after it is long over.
        await not_again(broker, ticket("a", moment=at(20)))
        found = await known(broker, "a")
        assert (found.broker_order_id, int(found.filled)) == (first.broker_order_id, 50)
        assert found.status is ChildStatus.FILLED

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            (ticket("a", symbol="NONE"), "unknown_symbol"),
            (ticket("a", qty=0), "bad_quantity"),
            (ticket("a", qty=-5), "bad_quantity"),
            (ticket("a", qty="1.5"), "bad_quantity"),
            (ticket("a", qty="NaN"), "bad_quantity"),
            (ticket("a", qty="1E+70"), "bad_quantity"),
            (ticket("a", limit="10.005"), "bad_price"),
            (ticket("a", limit="0"), "bad_price"),
        ],
    )
    async def test_refuses_with_a_code(self, venue: CalmHarness, wrong: Ticket, code: str) -> None:
        broker = venue.open_calm()
        assert await refused(broker, wrong) == code
        found = await known(broker, "a")
        assert (found.status, found.reason) == (ChildStatus.REJECTED, code)
        assert await venue.hear(broker, 990) == []
        await not_again(broker, ticket("a"))

    async def test_tells_the_terms_of_an_order(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        await acknowledged(broker, ticket("a", Side.SELL, qty=70, limit="10.02"))
        await acknowledged(broker, ticket("b", qty=50, limit="10.01"))
        await venue.hear(broker, 10)
        terms = Terms(SYMBOL, Side.SELL, Decimal(70), Decimal("10.02"))
        assert [(o.child_id, o.terms) for o in await broker.open_orders()] == [("a", terms)]
        assert (await known(broker, "a")).terms == terms
        # What is over, too: it may be a child that our journal lost.
        over = await known(broker, "b")
        assert (over.status, over.terms) == (
            ChildStatus.FILLED,
            Terms(SYMBOL, Side.BUY, Decimal(50), Decimal("10.01")),
        )

    async def test_an_ioc_within_the_touch_fills(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        await acknowledged(broker, ticket("a", qty=100, limit="10.05", time_in_force=IOC))
        await acknowledged(broker, ticket("b", Side.SELL, qty=30, limit="9.90", time_in_force=IOC))
        assert sorted(fills(await venue.hear(broker, 1))) == [
            ("a", 100, "10.01", "taker"),
            ("b", 30, "9.99", "taker"),
        ]
        assert await broker.positions() == {SYMBOL: Decimal(70)}

    async def test_an_ioc_beyond_the_touch_takes_nothing(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        order = ticket("a", Side.SELL, limit="10.00", time_in_force=IOC)
        await acknowledged(broker, order)
        reports = await venue.hear(broker, 1)
        assert fills(reports) == []
        assert [s[:3] for s in states(reports)] == [("a", ChildStatus.CANCELED, 0)]
        assert await broker.open_orders() == []
        assert await broker.positions() == {}

    async def test_a_cancel_ends_a_resting_order(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        await acknowledged(broker, ticket("a", limit="9.99"))
        await venue.hear(broker, 1)
        await broker.cancel("a", at(5))
        await broker.cancel("a", at(5))
        assert [s[:3] for s in states(await venue.hear(broker, 6))] == [
            ("a", ChildStatus.CANCELED, 0)
        ]
        assert await venue.hear(broker, 20) == []

    async def test_a_cancel_of_a_filled_order_changes_nothing(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        await acknowledged(broker, ticket("a", limit="10.01"))
        await venue.hear(broker, 1)
        await broker.cancel("a", at(2))
        await broker.cancel("nobody", at(2))
        assert await venue.hear(broker, 9) == []
        assert (await known(broker, "a")).status is ChildStatus.FILLED

    async def test_another_adapter_finds_everything(self, venue: CalmHarness) -> None:
        broker = venue.open_calm()
        rests = await acknowledged(broker, ticket("a", limit="9.98"))
        await acknowledged(broker, ticket("b", qty=30, limit="10.01"))
        await venue.hear(broker, 5)
        executions = await broker.executions(0)
        await self._finds(venue.crash(), rests, executions)
        await self._finds(await venue.reopen(), rests, executions)

    @staticmethod
    async def _finds(broker: Broker, rests: Acknowledged, executions: Sequence[Report]) -> None:
        (order,) = await broker.open_orders()
        assert (order.child_id, order.broker_order_id) == ("a", rests.broker_order_id)
        assert fills(executions) == [("b", 30, "10.01", "taker")]
        assert await broker.executions(0) == executions
        assert await broker.executions(executions[0].at + 1) == []
        assert await broker.lookup("nobody") is None
        await not_again(broker, ticket("b", moment=at(10)))


async def prompted(broker: Broker) -> list[Report]:
    """Sends an order that fills at once; what is told, asking only when the broker says so."""
    assert isinstance(broker, Prompting)
    news = asyncio.Event()
    broker.prompt(news.set)
    await acknowledged(broker, ticket("a", qty=100, limit="10.05", time_in_force=IOC))
    told: list[Report] = []
    async with asyncio.timeout(60):
        while not fills(told):
            await news.wait()
            news.clear()
            told += await broker.reports(0)
    return told
