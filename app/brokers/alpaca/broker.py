"""Alpaca as the engine knows it: one account, live."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog

from app.brokers.alpaca.agreement import Agreement
from app.brokers.alpaca.client import Client
from app.brokers.alpaca.directory import Directory
from app.brokers.alpaca.line import Line, NotSent
from app.brokers.alpaca.listing import Listing
from app.brokers.alpaca.options import Options
from app.brokers.alpaca.outcomes import outcome_of
from app.brokers.alpaca.reading import (
    OPEN,
    Known,
    object_of,
    order_report,
    positions,
    text,
    told_by_stream,
)
from app.brokers.alpaca.stream import Stream
from app.brokers.alpaca.symbols import Symbols
from app.brokers.alpaca.twin import Unsaid, is_twin
from app.brokers.alpaca.twins import Twins
from app.domain.instant import DAY, MILLISECOND, SECOND, Instant
from app.ports import (
    Acknowledged,
    BustReport,
    Capabilities,
    ExecutionReport,
    IdScope,
    Lookup,
    OrderReport,
    Outcome,
    Report,
    Ticket,
    Unclear,
    Withheld,
)

log = structlog.get_logger()

EXECUTIONS = frozenset({"fill", "partial_fill", "trade_correct", "trade_bust"})

COMPLAIN_SECONDS = 1.0

SETTLED_SECONDS = 1.0
"""How long the first orders wait for the stream."""

LISTED_SECONDS = (0.1, 5.0)
"""How soon an execution of the stream is looked for in the list, and the longest pause."""


def capabilities_of(options: Options) -> Capabilities:
    """A client order id is refused for ever once an order was taken under it, canceled ones too;
    look-ups find orders that are over. A request whose answer was lost may still arrive, and
    Alpaca says neither for how long nor takes a deadline: the house's own quarantine holds.
    Replacing makes a second order under another id, which may be refused while the first trades
    on: children are canceled instead."""
    return Capabilities(
        id_scope=IdScope.EVER,
        lookup=Lookup.ALL,
        lookup_lag=options.lookup_lag_ms * MILLISECOND,
        executions_lookback=30 * DAY,
        cancels_per_second=max(1, options.requests_per_minute // 60 - 1),
        closing_auction=True,
        extended_hours=True,
        stops=options.brackets,
    )


class AlpacaBroker:
    """The calls, the list of executions and the ear on the stream, put together."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.capabilities = capabilities_of(options)
        self.client = Client(Line(options))
        self._directory = Directory()
        self._agreement = Agreement()
        self._symbols = Symbols(self.client, self._directory)
        self._twins = Twins(self.client, self._directory, self._tell, self._hear)
        self._listing = Listing(self.client, self._directory, self._agreement, self._twins)
        self._stream = Stream(options, self._hear, self._recover)
        self._untold: deque[Report] = deque()
        self._news: Callable[[], None] = _nobody
        self._complained = time.monotonic()
        self._looking: asyncio.Task[None] | None = None

    @property
    def connections(self) -> Mapping[str, str]:
        """The state of every connection: closed (it works), open (left alone) or half_open."""
        breakers = (*self.client.line.breakers, self._stream.breaker)
        return {breaker.name: str(breaker.state) for breaker in breakers}

    async def submit(self, ticket: Ticket) -> Outcome:
        self._stream.start()
        self._directory.sent(ticket.child_id)
        await self._stream.settled(SETTLED_SECONDS)
        try:
            answer = await self.client.submit(ticket)
        except NotSent as kept:
            return Withheld(kept.code, str(kept))
        except ConnectionError as error:
            return Unclear(str(error))
        outcome = outcome_of(answer, ticket.child_id, _now())
        if isinstance(outcome, Acknowledged):
            self._note(answer.json())
        return outcome

    async def cancel(self, child_id: str, at: Instant) -> None:
        self._stream.start()
        try:
            known = self._directory.child(child_id)
            if known is None:
                said = await self.client.order_by_client_id(child_id)
                if said is None:
                    return
                known = self._directory.note(said)
            answer = await self.client.cancel(known.order_id)
            if known.twin and answer.status_code in (404, 422):
                await self._cancel_legs(known)
            if answer.status_code in (404, 422) and not known.over:
                # Over, and nobody here has heard it: the evidence is asked for.
                await self._tell_state(child_id)
        except (ConnectionError, ValueError) as error:
            # Without evidence it is asked again.
            log.warning("cancel went unanswered", child_id=child_id, error=str(error))

    async def lookup(self, child_id: str) -> OrderReport | None:
        self._stream.start()
        said = await self.client.order_by_client_id(child_id)
        return None if said is None else await self._state(said)

    async def open_orders(self) -> Sequence[OrderReport]:
        self._stream.start()
        reports: dict[str, OrderReport] = {}
        for said in await self.client.open_orders():
            report = await self._listed(said)
            if report is not None:
                reports[report.broker_order_id] = report
        return list(reports.values())

    async def executions(self, since: Instant) -> Sequence[ExecutionReport | BustReport]:
        self._stream.start()
        told, released = await self._listing.since(since)
        self._tell(released)
        return told

    async def positions(self) -> dict[str, Decimal]:
        self._stream.start()
        rows = await self.client.positions()
        try:
            for row in rows:
                await self._symbols.learn(object_of(row))
            return positions(rows, self._symbols.of)
        except ValueError as wrong:
            raise ConnectionError(f"positions that cannot be read: {wrong}") from wrong

    async def reports(self, now: Instant) -> Sequence[Report]:
        """While updates are down and nothing is left to tell, raises ConnectionError, once a
        second at most; the gap is closed when they are up again."""
        self._stream.start()
        told = list(self._untold)
        self._untold.clear()
        if not told and self._stream.away is not None:
            moment = time.monotonic()
            if moment - self._complained >= COMPLAIN_SECONDS:
                self._complained = moment
                raise ConnectionError(f"trade updates are down: {self._stream.away}")
        return told

    def next_at(self, now: Instant) -> Instant | None:
        return None

    def prompt(self, news: Callable[[], None]) -> None:
        self._news = news

    async def close(self) -> None:
        await self._stream.close()
        await self._twins.close()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.client.line.close()

    def _hear(self, data: Any) -> None:
        """An update. One that cannot be read is asked for instead, unless it is somebody else's."""
        theirs = isinstance(data, dict) and self._directory.is_theirs(data.get("order"))
        try:
            said = object_of(data)
            event, order = text(said.get("event")), said.get("order")
            if self._twins.is_stray(order):
                self._twins.place(said)
                return
            known = self._directory.note(order)
            if event in EXECUTIONS:
                self._tell(self._agreement.heard(told_by_stream(event, said, known)))
                self._look_soon()
            if known.twin:
                self._twins.doubt(known.head)
            elif event not in EXECUTIONS:
                self._tell([order_report(order)])
        except ValueError as wrong:
            if not theirs:
                log.error("trade update cannot be read", error=str(wrong))
                self._stream.doubt()

    def _tell(self, reports: Sequence[Report]) -> None:
        self._untold.extend(reports)
        if reports:
            self._news()

    def _look_soon(self) -> None:
        """Have the list confirm what only the stream told."""
        if self._agreement.waiting and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        pause, longest = LISTED_SECONDS
        while waiting := self._agreement.waiting:
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
            try:
                await self._list(min(told.report.at for told in waiting) - SECOND)
            except ConnectionError as error:
                log.warning("executions cannot be listed", error=str(error))

    async def _recover(self, since: Instant) -> None:
        """Ask for everything that was not told since then. Raises ConnectionError."""
        still_open = self._directory.ours_open()
        listed = {report.child_id for report in await self._tell_open()}
        for known in still_open:
            try:
                if known.child_id not in listed:
                    await self._tell_state(known.child_id)
            except Unsaid:  # Holds up no other.
                self._twins.doubt(known.head)
        await self._list(max(since, 0))

    async def _tell_open(self) -> Sequence[OrderReport]:
        reports = await self.open_orders()
        self._tell(reports)
        return reports

    async def _tell_state(self, child_id: str) -> None:
        report = await self.lookup(child_id)
        if report is not None:
            self._tell([report])

    async def _list(self, since: Instant) -> None:
        told, released = await self._listing.since(since)
        self._tell([*told, *released])

    async def _listed(self, said: Any) -> OrderReport | None:
        """The state of an order that is listed as open; None: somebody else's, that cannot be read.
        Raises ConnectionError."""
        try:
            return await self._state(said)
        except ConnectionError as wrong:
            return self._twins.instead(said, wrong)

    async def _state(self, said: Any) -> OrderReport:
        """Raises ConnectionError."""
        return await self._twins.state(said) if is_twin(said) else self._order(said)

    async def _cancel_legs(self, known: Known) -> None:
        """The head is over; what took its place, or the stop, may not be."""
        for order in await self._twins.members(known):
            if order["id"] != known.order_id and order["status"] in OPEN:
                await self.client.cancel(order["id"])

    def _order(self, said: Any) -> OrderReport:
        try:
            self._directory.note(said)
            return order_report(said)
        except ValueError as wrong:
            raise ConnectionError(f"an order that cannot be read: {wrong}") from wrong

    def _note(self, said: Any) -> None:
        try:
            self._directory.note(said)
        except ValueError as wrong:
            # It was taken all the same; what is not remembered is asked for.
            log.warning("order cannot be remembered", error=str(wrong))


def _nobody() -> None:
    """Who asks at every turn need not be called."""


def _now() -> Instant:
    return time.time_ns() // 1_000
