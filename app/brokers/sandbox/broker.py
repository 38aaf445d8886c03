"""The sandbox broker as the engine knows it: one account, in machine time.

`at` in reports is the venue's own time of what happened, not of its telling: however late, twice
or out of order it comes, an order's happenings can be put in the order in which they were.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import httpx
import structlog

from app.brokers.sandbox.line import Line
from app.brokers.sandbox.options import Options
from app.brokers.sandbox.profile import Profile
from app.brokers.sandbox.reading import Reader, moment, number, text, unreadable, words
from app.brokers.sandbox.stream import Stream
from app.domain.instant import Instant
from app.ports import (
    Acknowledged,
    Lookup,
    OrderReport,
    Outcome,
    Refused,
    Report,
    Ticket,
    Unclear,
)

log = structlog.get_logger()

REFUSALS = frozenset(
    {
        "unknown_symbol",
        "bad_quantity",
        "bad_price",
        "market_closed",
        "insufficient_funds",
        "too_late",
    }
)
"""Codes by which this venue says, for ever, that it did not take an order. No other answer does:
`duplicate_id` proves that the id came in before, `rate_limited` may come after the order did."""


class SandboxBroker:
    """A line to the venue and an ear on its stream."""

    def __init__(self, name: str, account: str, options: Options, profile: Profile) -> None:
        self.name = name
        self.capabilities = profile.capabilities
        self._reader = Reader(ids_per_symbol=profile.ids_per_symbol)
        self._line = Line(options, account)
        self._stream = Stream(self._line, self._reader, profile.head)

    async def submit(self, ticket: Ticket) -> Outcome:
        self._stream.start()
        try:
            answer = await self._line.submit(_order(ticket))
        except ConnectionError as error:
            # Even a line that could not be opened: nobody here saw what was written.
            return Unclear(str(error))
        return _outcome(answer)

    async def cancel(self, child_id: str, at: Instant) -> None:
        self._stream.start()
        try:
            await self._line.cancel(child_id)
        except ConnectionError:
            return  # Without evidence it is asked again.

    async def lookup(self, child_id: str) -> OrderReport | None:
        self._stream.start()
        if self.capabilities.lookup is Lookup.NONE:
            return None
        said = await self._line.ask("orders", child_id, absent=True)
        if said is None:
            return None
        try:
            return self._reader.order(said)
        except ValueError as wrong:
            # It is there, whatever it is: that is not the same as absent.
            log.error("look-up cannot be read", child_id=child_id, error=str(wrong))
            return unreadable(child_id, wrong)

    async def open_orders(self) -> Sequence[OrderReport]:
        self._stream.start()
        said = await self._line.ask("orders")
        read = [self._reader.told(order, order=True) for order in _list(said, "orders")]
        return [order for order in read if isinstance(order, OrderReport)]

    async def executions(self, since: Instant) -> Sequence[Report]:
        self._stream.start()
        said = await self._line.ask("executions", since=str(since))
        read = [self._reader.told(execution) for execution in _list(said, "executions")]
        return [report for report in read if report is not None]

    async def positions(self) -> dict[str, Decimal]:
        self._stream.start()
        said = await self._line.ask("positions")
        try:
            # A symbol that is no name is not ours; a quantity of ours must not be taken for none.
            return {symbol: number(qty) for symbol, qty in _named(said["positions"])}
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as wrong:
            raise ConnectionError(f"positions that cannot be read: {wrong!r}") from wrong

    async def reports(self, now: Instant) -> Sequence[Report]:
        self._stream.start()
        return self._stream.drain()

    def next_at(self, now: Instant) -> Instant | None:
        return None

    def prompt(self, news: Callable[[], None]) -> None:
        self._stream.news = news

    async def close(self) -> None:
        await self._stream.close()
        await self._line.close()


def _order(ticket: Ticket) -> dict[str, Any]:
    return {
        "client_id": ticket.child_id,
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "qty": str(ticket.qty),
        "limit_price": str(ticket.limit_price),
        "tif": ticket.time_in_force.value,
        "send_by": ticket.send_by,
    }


def _outcome(answer: httpx.Response) -> Outcome:
    """Taken, definitely refused, or neither."""
    status = answer.status_code
    try:
        said = answer.json()
        if status == 200:
            return Acknowledged(text(said["venue_id"]), moment(said["at"]))
        code = words(said["code"])
        if status == 422 and code in REFUSALS:
            return Refused(code, words(said["message"]), moment(said["at"]))
        return Unclear(f"the venue answered {status} {code}")
    except (ValueError, KeyError, TypeError) as wrong:
        return Unclear(f"the venue answered {status}, which cannot be read: {wrong!r}"[:500])


def _named(positions: Any) -> list[tuple[str, Any]]:
    found = []
    for symbol, qty in positions.items():
        try:
            found.append((text(symbol), qty))
        except ValueError as wrong:
            log.error("position cannot be read", error=str(wrong))
    return found


def _list(said: Any, name: str) -> list[Any]:
    found = said.get(name) if isinstance(said, dict) else None
    if not isinstance(found, list):
        raise ConnectionError(f"an answer without {name}")
    return found
