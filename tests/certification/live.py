"""A real paper account at Alpaca, certified as far as a venue that behaves can be.

It places a few orders of one share: some rest at half the price and are canceled, and while the
market is open one is bought and sold again. Nothing else of the account is touched.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.brokers.alpaca import open_broker
from app.brokers.alpaca.broker import AlpacaBroker
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.domain.quantity import Side
from app.ports import (
    Acknowledged,
    ExecutionReport,
    OrderReport,
    Outcome,
    Refused,
    Report,
    Ticket,
    Unclear,
)

CENT = Decimal("0.01")
TIMEOUTS_MS = (3, 10, 30, 100)
"""Of submits whose answer nobody waits for."""

Condition = Callable[[Report], bool]


class Failed(Exception):
    """What was seen instead."""


class Unprovoked(Exception):
    """It did not come to it."""


@dataclass(slots=True)
class Session:
    """One run: the account's options, what is traded, and what was placed."""

    options: dict[str, Any]
    symbol: str
    price: Decimal
    token: str = field(default_factory=lambda: secrets.token_hex(4))
    placed: list[str] = field(default_factory=list)
    patience: float = 15.0

    @asynccontextmanager
    async def broker(self, **more: Any) -> AsyncIterator[AlpacaBroker]:
        broker = open_broker("certified", lambda symbol: {}[symbol], self.options | more)
        assert isinstance(broker, AlpacaBroker)
        broker._stream.start()
        try:
            await broker._stream.settled(self.patience)
            yield broker
        finally:
            await broker.close()

    def ticket(self, side: Side = Side.BUY, *, rests: bool, **more: Any) -> Ticket:
        name = f"cert-{self.token}-{len(self.placed)}"
        self.placed.append(name)
        factor = Decimal("0.5") if rests else Decimal("1.02" if side is Side.BUY else "0.98")
        told = {
            "child_id": name,
            "symbol": self.symbol,
            "side": side,
            "qty": Decimal(1),
            "limit_price": (self.price * factor).quantize(CENT, ROUND_HALF_UP),
            "time_in_force": TimeInForce.DAY if rests else TimeInForce.IOC,
            "purpose": Purpose.REST if rests else Purpose.CROSS,
            "at": now(),
        }
        return Ticket(**(told | more))

    async def hear(self, broker: AlpacaBroker, condition: Condition, what: str) -> Report:
        """The first report that fits. Raises Failed when none comes in time."""
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            try:
                told = await broker.reports(0)
            except ConnectionError as away:
                raise Failed(str(away)) from away
            for report in told:
                if condition(report):
                    return report
            await asyncio.sleep(0.02)
        raise Failed(f"{what} was not told within {self.patience:.0f} s")

    async def found(self, broker: AlpacaBroker, child_id: str) -> tuple[OrderReport | None, float]:
        """What a look-up finds in the end, and after how long it did."""
        begun = time.monotonic()
        while time.monotonic() - begun < self.patience / 3:
            report = await broker.lookup(child_id)
            if report is not None:
                return report, time.monotonic() - begun
            await asyncio.sleep(0.2)
        return None, time.monotonic() - begun


def now() -> Instant:
    return time.time_ns() // 1_000


def require(truth: bool, otherwise: object) -> None:
    if not truth:
        raise Failed(str(otherwise))


async def acknowledged(broker: AlpacaBroker, ticket: Ticket) -> float:
    """How many seconds the answer took. Raises Failed for another answer."""
    begun = time.monotonic()
    outcome = await broker.submit(ticket)
    require(isinstance(outcome, Acknowledged), outcome)
    return time.monotonic() - begun


async def reject(session: Session) -> str:
    async with session.broker() as broker:
        codes = []
        wrong = ({"symbol": "ZZZZZZ"}, {"limit_price": session.price + Decimal("0.005")})
        for more in wrong:
            outcome = await broker.submit(session.ticket(rests=True, **more))
            require(isinstance(outcome, Refused), outcome)
            assert isinstance(outcome, Refused)
            codes.append(outcome.code)
    return f"codes {' and '.join(codes)}"


async def same_id_twice(session: Session) -> str:
    async with session.broker() as broker:
        ticket = session.ticket(rests=True)
        took = await acknowledged(broker, ticket)
        first, _ = await session.found(broker, ticket.child_id)
        again = await broker.submit(ticket)
        require(_is_the_same(again, first), again)
        mine = [o for o in await broker.open_orders() if o.child_id == ticket.child_id]
        require(len(mine) == 1, f"{len(mine)} open orders under one id")
        await broker.cancel(ticket.child_id, now())
        await session.hear(broker, lambda r: _over(r, ticket), "the cancel")
        after = await broker.submit(ticket)
        require(_is_the_same(after, first), f"the id of a canceled order was taken again: {after}")
    return f"acknowledged in {took * 1000:.0f} ms; the id stays used up after the cancel"


async def look_up_lag(session: Session) -> str:
    async with session.broker() as broker:
        ticket = session.ticket(rests=True)
        await acknowledged(broker, ticket)
        report, took = await session.found(broker, ticket.child_id)
        require(report is not None, "never found")
        stated = broker.capabilities.lookup_lag / SECOND
        require(took <= stated, f"found after {took:.1f} s; {stated:.1f} s are stated")
        await broker.cancel(ticket.child_id, now())
        await session.hear(broker, lambda r: _over(r, ticket), "the cancel")
    return f"found after {took * 1000:.0f} ms; {stated:.1f} s are stated"


async def answer_lost(session: Session) -> str:
    unclear: list[str] = []
    for ms in TIMEOUTS_MS:
        async with session.broker(submit_timeout_ms=ms) as hasty:
            ticket = session.ticket(rests=True)
            outcome = await hasty.submit(ticket)
            if isinstance(outcome, Unclear):
                unclear.append(ticket.child_id)
    if not unclear:
        raise Unprovoked("every answer came sooner than it could be given up")
    async with session.broker() as broker:
        there = [name for name in unclear if (await session.found(broker, name))[0]]
        listed = [o.child_id for o in await broker.open_orders()]
        require(len(listed) == len(set(listed)), "an id is listed twice")
        require(set(there) <= set(listed), f"found but not listed: {set(there) - set(listed)}")
    return f"{len(unclear)} answers given up: {len(there)} orders had arrived, and were found"


async def cancel(session: Session) -> str:
    async with session.broker() as broker:
        ticket = session.ticket(rests=True)
        await acknowledged(broker, ticket)
        begun = time.monotonic()
        await broker.cancel(ticket.child_id, now())
        told = await session.hear(broker, lambda r: _over(r, ticket), "the cancel")
        took = time.monotonic() - begun
        require(isinstance(told, OrderReport) and told.status is ChildStatus.CANCELED, told)
        await broker.cancel(ticket.child_id, now())
    return f"evidence after {took * 1000:.0f} ms"


async def gap(session: Session) -> str:
    """An order ends while updates are away; it is told once they are back."""
    async with session.broker() as broker, session.broker() as other:
        ticket = session.ticket(rests=True)
        await acknowledged(broker, ticket)
        listening = broker._stream._listening
        assert listening is not None
        listening.cancel()
        await asyncio.wait({listening})
        await other.cancel(ticket.child_id, now())
        await session.hear(other, lambda r: _over(r, ticket), "the cancel, to another adapter")
        await broker.reports(0)
        broker._stream._listening = None
        broker._stream.start()
        await session.hear(broker, lambda r: _over(r, ticket), "what happened in the gap")
    return "a cancel while updates were away was told after"


async def another_adapter(session: Session) -> str:
    async with session.broker() as first:
        ticket = session.ticket(rests=True)
        await acknowledged(first, ticket)
    async with session.broker() as second:
        mine = [o for o in await second.open_orders() if o.child_id == ticket.child_id]
        require(len(mine) == 1 and mine[0].terms is not None, mine)
        positions = await second.positions()
        await second.cancel(ticket.child_id, now())
        await session.hear(second, lambda r: _over(r, ticket), "the cancel")
    return f"its open order, and {len(positions)} positions"


async def cancel_filled(session: Session) -> str:
    """One share is bought and sold; the stream's ids are compared with the list's."""
    async with session.broker() as broker:
        before = (await broker.positions()).get(session.symbol, Decimal(0))
        begun, took = now(), 0.0
        for side in (Side.BUY, Side.SELL):
            ticket = session.ticket(side, rests=False)
            sent = time.monotonic()
            await acknowledged(broker, ticket)
            await session.hear(broker, lambda r, t=ticket: _filled(r, t), "the fill")  # type: ignore[misc]
            took = max(took, time.monotonic() - sent)
            await broker.cancel(ticket.child_id, now())
            report, _ = await session.found(broker, ticket.child_id)
            require(report is not None and report.status is ChildStatus.FILLED, report)
        listed = [
            e for e in await broker.executions(begun - SECOND) if e.child_id in session.placed
        ]
        require(len(listed) >= 2, f"{len(listed)} executions are listed")
        after = (await broker.positions()).get(session.symbol, Decimal(0))
        require(after == before, f"the position was {before} and is {after}")
        same = broker._agreement._same.get("/" in session.symbol)
    ids = {True: "are the list's", False: "differ from the list's", None: "were not compared"}
    return f"told within {took:.1f} s; the stream's execution ids {ids[same]}"


async def stop_canceled(session: Session) -> str:
    """One share is bought, rests with its stop, is free again once both are canceled, and sold."""
    async with session.broker() as broker:
        await _trade(session, broker, Side.BUY)
        levels = {
            name: (session.price * Decimal(factor)).quantize(CENT, ROUND_HALF_UP)
            for name, factor in _LEVELS.items()
        }
        ticket = session.ticket(Side.SELL, rests=True, **levels)
        try:
            await acknowledged(broker, ticket)
            mine = [o for o in await broker.open_orders() if o.child_id == ticket.child_id]
            require(len(mine) == 1 and mine[0].terms is not None, mine)
            assert mine[0].terms is not None
            require(mine[0].terms.stop_price == ticket.stop_price, mine)
            begun = time.monotonic()
            await broker.cancel(ticket.child_id, now())
            told = await session.hear(broker, lambda r: _over(r, ticket), "the cancel of both")
            took = time.monotonic() - begun
            require(isinstance(told, OrderReport) and told.status is ChildStatus.CANCELED, told)
        finally:
            await _trade(session, broker, Side.SELL)
    return f"evidence about both after {took * 1000:.0f} ms"


_LEVELS = {"limit_price": "1.5", "stop_price": "0.6", "stop_limit_price": "0.55"}


async def _trade(session: Session, broker: AlpacaBroker, side: Side) -> None:
    ticket = session.ticket(side, rests=False)
    await acknowledged(broker, ticket)
    await session.hear(broker, lambda r: _filled(r, ticket), "the fill")


async def rate_limit(session: Session) -> str:
    async with session.broker() as broker:
        account = await broker.client.account()
        require(account.get("status") == "ACTIVE", f"the account is {account.get('status')}")
        left = broker.client.line.budget.tokens
    return f"not provoked; {left:.0f} requests could leave at once"


def _is_the_same(outcome: Outcome, first: OrderReport | None) -> bool:
    """Whether a second order under an id was told to be the first, one way or the other."""
    if isinstance(outcome, Acknowledged):
        return first is not None and outcome.broker_order_id == first.broker_order_id
    return isinstance(outcome, Unclear) and "unique" in outcome.why


def _over(report: Report, ticket: Ticket) -> bool:
    mine = isinstance(report, OrderReport) and report.child_id == ticket.child_id
    return mine and isinstance(report, OrderReport) and report.status in CHILD_DONE


def _filled(report: Report, ticket: Ticket) -> bool:
    return isinstance(report, ExecutionReport) and report.child_id == ticket.child_id
