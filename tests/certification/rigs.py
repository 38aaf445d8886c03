"""How each broker is brought into each situation."""

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, ClassVar, Protocol

from app.ports import Broker, Report, Ticket
from tests.brokers.alpaca_rehearsal import AlpacaRehearsal
from tests.brokers.market import SYMBOL, at, market
from tests.brokers.rehearsal import CALM_MARKET, Rehearsal
from tests.brokers.test_paper import PaperHarness
from tests.certification.rows import ROWS
from tests.venue.running import RunningVenue

CALM_QUOTES = [(0, 999, 300, 1001, 200)]
RESTING_FILLS_SECONDS = 0.3

_NO_STOPS = dict.fromkeys([row for row in ROWS if row.startswith("stop_")], "it has none")

CANNOT: Mapping[str, Mapping[str, str]] = {
    "paper": {
        "order_lost": "it is a call, not a line",
        "fill_first": "the answer is the call's own",
        "told_twice": "it tells each thing once",
        "out_of_order": "it tells in order",
        "rate_limit": "it has none",
        "bust": "it voids nothing",
        "correction": "it corrects nothing",
        **_NO_STOPS,
    },
    "sandbox": _NO_STOPS,
    "alpaca": {},
}
"""Rows that do not exist at a broker, and why."""


class Situation(Enum):
    """SYMBOL stands at 9.99 bid and 10.01 offered in all of them, unless a price is made up."""

    CALM = auto()
    LOSES_ANSWERS = auto()
    LOSES_ORDERS = auto()
    FILLS_IN_PART = auto()
    FILLS_FIRST = auto()
    TELLS_TWICE = auto()
    TELLS_OUT_OF_ORDER = auto()
    FILLS_WHAT_RESTS = auto()
    LAGS = auto()
    LIMITS = auto()


class Rig(Protocol):
    """A broker's adapter in front of its venue. `cannot` says which rows do not exist here."""

    name: str
    cannot: Mapping[str, str]

    def open(self, situation: Situation) -> Broker: ...

    async def unanswered(self, broker: Broker, ticket: Ticket) -> Broker:
        """Send an order that is taken, and whose answer nobody gets; who asks about it after."""
        ...

    async def told(self, broker: Broker) -> Sequence[Report]:
        """What is told until nothing more is."""
        ...

    async def again(self) -> Broker:
        """The adapter of another process; the first one is gone without a word."""
        ...

    async def away(self, broker: Broker) -> Broker:
        """The line is gone for a while and is back, orders that rest having filled meanwhile; who
        listens after."""
        ...

    def taken(self, child_id: str) -> int:
        """How many orders the venue took under this id."""
        ...

    def happen(self, kind: str, child_id: str) -> None:
        """bust or correct."""
        ...

    def moves(self, bid: str, offer: str, **habits: Any) -> None:
        """SYMBOL stands elsewhere from here on, and the venue may behave otherwise."""
        ...

    async def close(self) -> None: ...


class VenueRig:
    """An adapter at the adversarial venue."""

    SITUATIONS: ClassVar[Mapping[Situation, tuple[tuple[str, ...], dict[str, Any]]]] = {
        Situation.CALM: ((), CALM_MARKET),
        Situation.LOSES_ANSWERS: (("cut_after",), CALM_MARKET),
        Situation.LOSES_ORDERS: (("cut_before",), CALM_MARKET),
        Situation.FILLS_IN_PART: ((), CALM_MARKET | {"partial": 1.0}),
        Situation.FILLS_FIRST: (("ack_reorder",), CALM_MARKET),
        Situation.TELLS_TWICE: (("report_duplicate",), {"partial": 0.6}),
        Situation.TELLS_OUT_OF_ORDER: ((), {"partial": 0.8}),
        Situation.FILLS_WHAT_RESTS: ((), {"rest_ms": (250, 300)}),
        Situation.LAGS: ((), {"lookup_lag_ms": 400, "work_ms": (0, 0)}),
        Situation.LIMITS: ((), {"misses": 1.0, "orders_per_second": 3}),
    }

    def __init__(self, house: Rehearsal) -> None:
        self.name = "alpaca" if isinstance(house, AlpacaRehearsal) else "sandbox"
        self.cannot = CANNOT[self.name]
        self._house = house

    def open(self, situation: Situation) -> Broker:
        chances, behaviour = self.SITUATIONS[situation]
        broker: Broker = self._house.open(*chances, **behaviour)
        if situation is Situation.LAGS and self.name == "alpaca":
            broker = self._house.crash(lookup_lag_ms=400)
        if situation is Situation.TELLS_OUT_OF_ORDER:
            self._house.venue.change(self._house.account, chances={"report_reorder": 0.5})
        return broker

    async def unanswered(self, broker: Broker, ticket: Ticket) -> Broker:
        await broker.submit(ticket)
        return broker

    async def told(self, broker: Broker) -> Sequence[Report]:
        if isinstance(self._house, AlpacaRehearsal):
            return await self._house.hear_all(broker)
        return await self._house.hear(broker)

    async def again(self) -> Broker:
        broker: Broker = self._house.crash()
        return broker

    async def away(self, broker: Broker) -> Broker:
        self._house.venue.kill()
        await asyncio.sleep(RESTING_FILLS_SECONDS)
        self._house.venue.start()
        resting = "code = 'accepted'"
        await self._house.until(
            lambda: self._house.count("ends") == self._house.count("orders", resting)
        )
        await asyncio.sleep(1.2)  # The longest pause between two tries.
        return broker

    def taken(self, child_id: str) -> int:
        query = "SELECT count(*) FROM orders WHERE account = ? AND client_id = ? AND code = ?"
        ((found,),) = self._house.venue.rows(query, self._house.account, child_id, "accepted")
        return int(found)

    def happen(self, kind: str, child_id: str) -> None:
        self._house.venue.happen(self._house.account, kind, child_id)

    def moves(self, bid: str, offer: str, **habits: Any) -> None:
        touch = {SYMBOL: [bid, offer]}
        self._house.venue.change(self._house.account, touch=touch, **habits)

    async def close(self) -> None:
        await self._house.close()


class PaperRig:
    """The paper venue: in our own process, so that there is no line to lose anything on."""

    name = "paper"

    def __init__(self, folder: Path) -> None:
        self.cannot = CANNOT[self.name]
        self._harness = PaperHarness(folder / "paper" / "ledger.db")
        self._clock = 1.0

    def open(self, situation: Situation) -> Broker:
        trades = [(5, 999, 5_000)] if situation is Situation.FILLS_WHAT_RESTS else []
        return self._harness.open(market(CALM_QUOTES, trades))

    async def unanswered(self, broker: Broker, ticket: Ticket) -> Broker:
        await broker.submit(ticket)
        return self._harness.crash()

    async def told(self, broker: Broker) -> Sequence[Report]:
        self._clock += 1
        return await broker.reports(at(self._clock))

    async def again(self) -> Broker:
        return self._harness.crash()

    async def away(self, broker: Broker) -> Broker:
        self._clock = 20.0
        return self._harness.crash()

    def taken(self, child_id: str) -> int:
        raise AssertionError("the paper ledger holds a client id once: its key")

    def happen(self, kind: str, child_id: str) -> None:
        raise AssertionError(self.cannot[{"bust": "bust", "correct": "correction"}[kind]])

    def moves(self, bid: str, offer: str, **habits: Any) -> None:
        raise AssertionError(self.cannot["stop_rests"])

    async def close(self) -> None:
        for broker in self._harness.opened:
            await broker.close()


def venue_rig(name: str, venue: RunningVenue) -> VenueRig:
    return VenueRig((AlpacaRehearsal if name == "alpaca" else Rehearsal)(venue))
