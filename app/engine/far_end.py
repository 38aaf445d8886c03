"""A broker whose outages carry its name: nobody takes them for the database's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

from app.domain.instant import Instant
from app.ports import Broker, Connected, OrderReport, Outcome, Prompting, Report, Ticket


class BrokerAway(ConnectionError):
    """The broker of one account cannot be asked now; the other accounts are not concerned."""


@contextmanager
def of_broker() -> Iterator[None]:
    """Whatever the line raises in here is the broker's. Raises BrokerAway."""
    try:
        yield
    except BrokerAway:
        raise
    except OSError as away:
        raise BrokerAway(f"{type(away).__name__}: {away}") from away


class FarEnd:
    """The broker itself, but every OSError of it is a BrokerAway. `news` is called when it has
    something to tell, by those that know; the others are asked at every turn."""

    def __init__(self, opens: Callable[[], Broker], news: Callable[[], None]) -> None:
        with of_broker():
            self._broker = opens()
        if isinstance(self._broker, Prompting):
            self._broker.prompt(news)
        self.name = self._broker.name
        self.capabilities = self._broker.capabilities

    @property
    def connections(self) -> Mapping[str, str]:
        """As `ports.Connected` has it; none where the broker is behind no connection."""
        return self._broker.connections if isinstance(self._broker, Connected) else {}

    async def submit(self, ticket: Ticket) -> Outcome:
        with of_broker():
            return await self._broker.submit(ticket)

    async def cancel(self, child_id: str, at: Instant) -> None:
        with of_broker():
            await self._broker.cancel(child_id, at)

    async def lookup(self, child_id: str) -> OrderReport | None:
        with of_broker():
            return await self._broker.lookup(child_id)

    async def open_orders(self) -> Sequence[OrderReport]:
        with of_broker():
            return await self._broker.open_orders()

    async def executions(self, since: Instant) -> Sequence[Report]:
        with of_broker():
            return await self._broker.executions(since)

    async def positions(self) -> dict[str, Decimal]:
        with of_broker():
            return await self._broker.positions()

    async def reports(self, now: Instant) -> Sequence[Report]:
        with of_broker():
            return await self._broker.reports(now)

    def next_at(self, now: Instant) -> Instant | None:
        with of_broker():
            return self._broker.next_at(now)

    async def close(self) -> None:
        with of_broker():
            await self._broker.close()
