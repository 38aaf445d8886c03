"""What a simulated broker has to do beyond `promises`: fill as the tape says, and no better.

A broker's test module gives a harness: the adapter in front of a venue that plays a hand-made
tape. Times are market time; the harness says how long a line takes at most.
"""

from decimal import Decimal
from typing import Protocol

import pytest

from app.domain.instant import Instant, Micros
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.ports import Broker, ExecutionReport, Report
from tests.brokers.market import SESSION, SYMBOL, at, market, ticket
from tests.brokers.promises import (
    CALM,
    IOC,
    BrokerPromises,
    CalmHarness,
    acknowledged,
    fills,
    not_again,
    refused,
    states,
)


class Harness(CalmHarness, Protocol):
    """A venue under test. `line` is the longest way from us to the venue and back."""

    line: Micros

    def open(self, tape: Tape) -> Broker:
        """The adapter, in front of a venue that plays this tape of SYMBOL."""
        ...


class BrokerContract(BrokerPromises):
    """Inherited by the tests of each simulated broker, with a fixture `venue`."""

    @pytest.fixture
    def venue(self) -> Harness:
        raise NotImplementedError

    @pytest.mark.parametrize("moment", [at(-100), SESSION.closes_at])
    async def test_refuses_outside_the_session(self, venue: Harness, moment: Instant) -> None:
        broker = venue.open(market(CALM))
        assert await refused(broker, ticket("a", moment=moment)) == "market_closed"
        assert await broker.reports(SESSION.closes_at + venue.line) == []
        await not_again(broker, ticket("a"))

    async def test_an_ioc_takes_what_is_displayed_and_ends(self, venue: Harness) -> None:
        broker = venue.open(market(CALM))
        await acknowledged(broker, ticket("a", qty=500, limit="10.05", time_in_force=IOC))
        reports = await broker.reports(at(1))
        assert fills(reports) == [("a", 200, "10.01", "taker")]
        assert [s[:3] for s in states(reports)] == [("a", ChildStatus.CANCELED, 200)]
        assert await broker.open_orders() == []
        assert await broker.positions() == {SYMBOL: Decimal(200)}

    async def test_displayed_size_is_taken_once(self, venue: Harness) -> None:
        quotes = [*CALM, (10, 999, 300, 1001, 150), (20, 998, 300, 1001, 150)]
        broker = venue.open(market(quotes))
        for n, (moment, qty) in enumerate([(1, 120), (2, 120), (3, 10), (11, 100), (21, 100)]):
            order = ticket(f"c{n}", qty=qty, limit="10.01", moment=at(moment), time_in_force=IOC)
            await acknowledged(broker, order)
            if n == 1:
                broker = venue.crash()
        got = {e.child_id: int(e.qty) for e in await self._all(broker, venue)}
        # The bid's update at 20 says nothing of the offer.
        assert got == {"c0": 120, "c1": 80, "c3": 100, "c4": 50}

    async def test_rests_behind_what_is_displayed(self, venue: Harness) -> None:
        trades = [(1, 1000, 400), (2, 999, 250), (3, 999, 100), (4, 999, 30), (5, 999, 500)]
        broker = venue.open(market(CALM, trades))
        await acknowledged(broker, ticket("a", qty=100, limit="9.99"))
        assert fills(await broker.reports(at(2.5))) == []
        assert fills(await broker.reports(at(3.5))) == [("a", 50, "9.99", "maker")]
        assert [o.status for o in await broker.open_orders()] == [ChildStatus.PARTIALLY_FILLED]
        assert fills(await broker.reports(at(4.5))) == [("a", 30, "9.99", "maker")]
        assert fills(await broker.reports(at(9))) == [("a", 20, "9.99", "maker")]

    async def test_a_better_price_has_nobody_ahead(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(1, 1001, 50), (2, 1000, 60)]))
        await acknowledged(broker, ticket("a", Side.SELL, qty=100, limit="10.00"))
        assert fills(await broker.reports(at(9))) == [
            ("a", 50, "10.00", "maker"),
            ("a", 50, "10.00", "maker"),
        ]

    async def test_a_print_through_the_limit_fills(self, venue: Harness) -> None:
        quotes = [*CALM, (5, 997, 100, 1001, 200)]
        broker = venue.open(market(quotes, [(5, 998, 70)]))
        await acknowledged(broker, ticket("a", qty=100, limit="9.99"))
        assert fills(await broker.reports(at(9))) == [("a", 70, "9.99", "maker")]

    async def test_a_print_outside_the_quote_fills_nobody(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(1, 990, 5000), (2, 1009, 5000)]))
        await acknowledged(broker, ticket("a", qty=100, limit="9.99"))
        await acknowledged(broker, ticket("b", Side.SELL, qty=100, limit="10.01"))
        assert fills(await broker.reports(at(9))) == []

    async def test_a_limit_beyond_the_far_touch_fills_at_the_touch(self, venue: Harness) -> None:
        quotes = [*CALM, (5, 995, 100, 997, 200)]
        broker = venue.open(market(quotes, [(6, 997, 70)]))
        await acknowledged(broker, ticket("a", qty=100, limit="9.99"))
        assert fills(await broker.reports(at(9))) == [("a", 70, "9.97", "maker")]

    async def test_a_print_is_used_once(self, venue: Harness) -> None:
        broker = venue.open(market([(0, 998, 300, 1001, 200)], [(5, 999, 100)]))
        await acknowledged(broker, ticket("late", qty=80, limit="9.99", moment=at(2)))
        await acknowledged(broker, ticket("later", qty=80, limit="9.99", moment=at(3)))
        await acknowledged(broker, ticket("best", qty=80, limit="10.00", moment=at(4)))
        assert fills(await broker.reports(at(9))) == [
            ("best", 80, "10.00", "maker"),
            ("late", 20, "9.99", "maker"),
        ]

    async def test_a_day_order_takes_again_when_the_side_updates(self, venue: Harness) -> None:
        quotes = [*CALM, (3, 998, 300, 1001, 200), (5, 998, 300, 1000, 60), (7, 998, 1, 1002, 60)]
        broker = venue.open(market([*quotes, (9, 998, 300, 1001, 90)], [(6, 1000, 50)]))
        await acknowledged(broker, ticket("a", qty=500, limit="10.01"))
        assert fills(await broker.reports(at(20))) == [
            ("a", 200, "10.01", "taker"),
            ("a", 60, "10.00", "taker"),
        ]

    async def test_a_day_order_ends_with_the_day(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(1000, 999, 5000)]))
        await acknowledged(broker, ticket("a", limit="9.99"))
        reports = await broker.reports(SESSION.closes_at + venue.line)
        assert fills(reports) == []
        assert states(reports)[-1] == ("a", ChildStatus.EXPIRED, 0, "day_ended")

    async def test_a_fill_before_the_cancel_arrives_wins(self, venue: Harness) -> None:
        moment = at(5)
        tape = market(CALM, [(5, 999, 340), (6, 999, 5000)])
        broker = venue.open(tape)
        await acknowledged(broker, ticket("a", limit="9.99"))
        await broker.cancel("a", moment - venue.line // 4)
        reports = await broker.reports(at(9))
        assert fills(reports) == [("a", 40, "9.99", "maker")]
        assert [s[:3] for s in states(reports)][-1] == ("a", ChildStatus.CANCELED, 40)

    async def test_nothing_is_lost_by_closing(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(5, 999, 340), (8, 999, 20)]))
        sent = await acknowledged(broker, ticket("a", limit="9.99"))
        await broker.reports(at(6))
        broker = await venue.reopen()
        known = await broker.lookup("a")
        assert known is not None
        assert (known.broker_order_id, int(known.filled)) == (sent.broker_order_id, 40)
        assert fills(await broker.reports(at(9))) == [("a", 20, "9.99", "maker")]
        assert await broker.lookup("b") is None

    async def test_nothing_acknowledged_is_lost_by_a_crash(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(5, 999, 340), (8, 999, 20)]))
        await acknowledged(broker, ticket("a", limit="9.99"))
        await acknowledged(broker, ticket("b", Side.SELL, qty=30, limit="9.99"))
        broker = venue.crash()
        assert [o.child_id for o in await broker.open_orders()] == ["a", "b"]
        assert fills(await broker.reports(at(6))) == [
            ("b", 30, "9.99", "taker"),
            ("a", 40, "9.99", "maker"),
        ]
        broker = venue.crash()
        assert fills(await broker.executions(at(0))) == [
            ("b", 30, "9.99", "taker"),
            ("a", 40, "9.99", "maker"),
        ]
        assert fills(await broker.reports(at(9))) == [("a", 20, "9.99", "maker")]
        await not_again(broker, ticket("b", moment=at(10)))

    async def test_executions_since(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(n, 999, 300) for n in range(1, 6)]))
        await acknowledged(broker, ticket("a", qty=1000, limit="9.99"))
        await broker.reports(at(9))
        everything = await broker.executions(at(0))
        assert [e.at for e in everything] == [at(n) for n in range(2, 6)]
        assert await broker.executions(at(3)) == everything[1:]
        assert len({e.execution_id for e in everything}) == len(everything)
        assert await broker.executions(at(5) + 1) == []

    async def test_simulated_venues_say_when_to_look(self, venue: Harness) -> None:
        broker = venue.open(market(CALM, [(5, 999, 340), (8, 999, 20)]))
        assert broker.next_at(at(0)) is None
        await acknowledged(broker, ticket("a", limit="9.99"))
        now: Instant | None = at(0)
        told: list[Report] = []
        while now is not None and (now := broker.next_at(now)) is not None:
            news = await broker.reports(now)
            assert news, "woken for nothing"
            told += news
        assert len(fills(told)) == 2
        assert states(told)[-1][1] is ChildStatus.EXPIRED

    @staticmethod
    async def _all(broker: Broker, venue: Harness) -> list[ExecutionReport]:
        await broker.reports(SESSION.closes_at + venue.line)
        return list(await broker.executions(0))
