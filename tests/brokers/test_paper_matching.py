"""The paper venue against random markets: an obvious matcher, and any way of cutting time."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.brokers.paper import open_broker
from app.domain.fact import TimeInForce
from app.domain.instrument import Instrument
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.ports import Acknowledged, Broker, ExecutionReport, OrderReport, Ticket
from tests.brokers.market import START, SYMBOL, market, ticket
from tests.brokers.oracle import CancelAt, Oracle, QuoteRow, TradeRow
from tests.brokers.test_paper import dump

CLOSES = 60
# Finer than the tape: a limit may lie between two of its prices.
OPEN = (ChildStatus.WORKING, ChildStatus.PARTIALLY_FILLED)
HALF = Decimal("0.005")
HALF_CENTS = Instrument(SYMBOL, HALF, Decimal(1), Decimal(1), "XNYS")


@dataclass(frozen=True)
class World:
    """Everything that happens to one venue; times in microseconds from START."""

    quotes: tuple[QuoteRow, ...]
    trades: tuple[TradeRow, ...]
    told: tuple[Ticket | CancelAt, ...]
    latency: int
    closes: int = CLOSES

    @property
    def session(self) -> Session:
        return Session(START, START + self.closes)

    def tape(self, until: int) -> Tape:
        """The tape as far as it is known at `until`."""
        return market(
            [q for q in self.quotes if q[0] <= until],
            [t for t in self.trades if t[0] <= until],
            unit=1,
            until=START + until,
        )


moments = st.integers(0, CLOSES - 1)
# Coarser, so that quotes, trades and arrivals often meet.
ticks_of_time = st.integers(0, CLOSES // 3 - 1).map(lambda n: 3 * n)
prices = st.integers(998, 1002)
sizes = st.integers(1, 6)


@st.composite
def quote_rows(draw: st.DrawFn) -> list[QuoteRow]:
    rows = []
    for moment in sorted(draw(st.lists(ticks_of_time, min_size=1, max_size=14))):
        bid = draw(prices)
        # Now and then locked or crossed, as real tapes are.
        ask = bid + draw(st.sampled_from([1, 1, 1, 2, 2, 3, 0, -1]))
        rows.append((moment, bid, draw(sizes), ask, draw(sizes)))
    return rows


@st.composite
def trade_rows(draw: st.DrawFn, quotes: list[QuoteRow]) -> list[TradeRow]:
    """Mostly at the touch of their moment, some anywhere."""
    rows = []
    for moment in sorted(draw(st.lists(ticks_of_time, max_size=25))):
        touches = [q for q in quotes if q[0] <= moment][-1:] or quotes[:1]
        price = draw(st.one_of(st.sampled_from([touches[0][1], touches[0][3]]), prices))
        rows.append((moment, price, draw(st.integers(1, 12))))
    return rows


@st.composite
def tickets(draw: st.DrawFn, number: int, sides: list[Side]) -> Ticket:
    limit = Decimal(draw(prices)) / 100 + draw(st.sampled_from([Decimal(0)] * 5 + [HALF]))
    return ticket(
        f"c{number}",
        draw(st.sampled_from(sides)),
        # Now and then one that is refused.
        draw(st.one_of(st.integers(1, 15), st.integers(0, 15))),
        str(limit),
        moment=draw(st.integers(0, 30)),
        time_in_force=draw(st.sampled_from([TimeInForce.DAY] * 3 + [TimeInForce.IOC])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    told: list[Ticket | CancelAt] = []
    sides = draw(st.sampled_from([[Side.BUY], [Side.SELL], [Side.BUY, Side.SELL]]))
    for number in range(draw(st.integers(1, 6))):
        order = draw(tickets(number, sides))
        told.append(order)
        if draw(st.integers(0, 2)) == 2:
            later = min(CLOSES - 1, order.at + draw(st.integers(0, 30)))
            told.append(CancelAt(order.child_id, later))
    quotes = draw(quote_rows())
    return World(
        tuple(quotes),
        tuple(draw(trade_rows(quotes))),
        tuple(sorted(told, key=lambda t: t.at)),
        draw(st.sampled_from([0, 1, 3])),
    )


class Line:
    """A broker that may be opened again at any time, in front of the same world."""

    def __init__(self, world: World, folder: Path, *, growing: bool = False) -> None:
        self.world, self.path, self.growing = world, folder / "ledger.db", growing
        self.now = 0
        self.whole = world.tape(world.closes)
        self.opened: list[Broker] = []
        self.broker = self.open()

    def tape(self, symbol: str) -> Tape:
        assert symbol == SYMBOL
        return self.world.tape(self.now) if self.growing else self.whole

    def open(self) -> Broker:
        self.broker = open_broker(
            "acc",
            self.tape,
            {
                "ledger_path": self.path,
                "latency_us": self.world.latency,
                "instrument": lambda _: HALF_CENTS,
                "sessions": lambda _: (self.world.session,),
                "fee_bps": 1,
                "min_fee": "0.01",
            },
        )
        self.opened.append(self.broker)
        return self.broker

    async def tell(self, told: Ticket | CancelAt) -> None:
        if isinstance(told, CancelAt):
            await self.broker.cancel(told.child_id, START + told.at)
            return
        outcome = await self.broker.submit(replace(told, at=START + told.at))
        in_time = told.at + self.world.latency < self.world.closes
        assert isinstance(outcome, Acknowledged) == (in_time and told.qty > 0)


Step = Callable[[Line, int], Any]


def play(world: World, step: Step, **how: Any) -> dict[str, list[tuple[Any, ...]]]:
    """The ledger after a day on which `step` was called at every moment."""
    with folder() as path:
        line = Line(world, path, **how)

        async def day() -> None:
            told = list(world.told)
            for now in range(world.closes):
                line.now = now
                while told and told[0].at == now:
                    await line.tell(told.pop(0))
                await step(line, now)
            line.now = world.closes
            await line.broker.reports(START + world.closes + world.latency)
            for broker in line.opened:
                await broker.close()

        asyncio.run(day())
        return dump(line.path)


async def idle(line: Line, now: int) -> None:
    """Nobody asks before the evening."""


async def ask_always(line: Line, now: int) -> None:
    await line.broker.reports(START + now)


@contextmanager
def folder() -> Iterator[Path]:
    # In memory where there is such a place: thousands of ledgers need not survive the machine.
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path)


# A print through the limit of a resting order, inside a crossed quote: nobody is ahead any more.
CROSSED = World(
    quotes=((0, 1000, 5, 1001, 5), (3, 1000, 5, 999, 5)),
    trades=((6, 999, 1), (9, 1000, 1)),
    told=(ticket("c0", qty=9, limit="10.00", moment=0),),
    latency=0,
)


# A queue shrinks at the very moment of a print: the print met the longer one.
TOGETHER = World(
    quotes=((0, 999, 5, 1001, 5), (6, 999, 1, 1001, 5)),
    trades=((6, 999, 3), (9, 999, 3)),
    told=(ticket("c0", qty=9, limit="9.99", moment=0),),
    latency=0,
)


@settings(max_examples=300, deadline=None)
@given(worlds())
@example(CROSSED)
def test_fills_like_the_obvious_matcher(world: World) -> None:
    assert story(play(world, idle)) == told_by_oracle(world)


@pytest.mark.parametrize("seed", range(4))
def test_long_days_fill_like_the_obvious_matcher(seed: int) -> None:
    """Thousands of rows: the search goes through them in growing steps."""
    rng, closes = Random(seed), 6_000
    quotes, trades, bid = [], [], 1000
    for moment in sorted(rng.sample(range(closes), 5_000)):
        bid = max(bid + rng.choice([-1, 0, 0, 0, 0, 0, 1]), 10)
        quotes.append((moment, bid, rng.randint(1, 9), bid + 1, rng.randint(1, 9)))
        if rng.random() < 0.6:
            trades.append((moment + rng.randint(0, 1), bid + rng.randint(0, 1), rng.randint(1, 3)))
    told: list[Ticket | CancelAt] = []
    for number in range(12):
        moment = rng.randrange(closes // 2)
        limit = str(Decimal(quotes[moment * 5 // 6][1] + rng.randint(-9, 9)) / 100)
        order = ticket(f"c{number}", rng.choice(list(Side)), rng.randint(5, 60), limit)
        told.append(replace(order, at=moment))
    told.sort(key=lambda t: t.at)
    world = World(tuple(quotes), tuple(t for t in trades if t[0] < closes), tuple(told), 2, closes)
    expected = told_by_oracle(world)
    assert sum(kind == "maker" for _, _, kind, _, _ in expected) > 20
    assert story(play(world, idle)) == expected


def test_the_search_steps_without_gaps() -> None:
    for before in range(250, 262):
        trades = [(n, 1001, 1) for n in range(1, before)] + [(before, 1000, 5)]
        told = (ticket("c0", qty=5, limit="10.00", moment=0),)
        world = World(((0, 999, 5, 1001, 5),), tuple(trades), told, 0, 400)
        assert (before, "c0", "maker", 5, Decimal("10.00")) in story(play(world, idle))


def told_by_oracle(world: World) -> list[tuple[int, str, str, int, Decimal]]:
    arrivals: dict[int, list[Ticket | CancelAt]] = {}
    for told in world.told:
        if isinstance(told, Ticket) and not told.qty:
            continue
        arrivals.setdefault(told.at + world.latency, []).append(told)
    oracle = Oracle(list(world.quotes), list(world.trades), world.closes)
    oracle.run(arrivals)
    return oracle.told


def story(ledger: dict[str, list[tuple[Any, ...]]]) -> list[tuple[int, str, str, int, Decimal]]:
    orders = {row[0]: (row[1], int(row[5])) for row in ledger["orders"]}
    rows = []
    for seq, _, number, qty, price, _, kind, at, _ in ledger["executions"]:
        rows.append((seq, at - START, orders[number][0], kind, int(qty), Decimal(price)))
    for seq, number, filled, at in ledger["rested"]:
        left = orders[number][1] - int(filled)
        rows.append((seq, at - START, orders[number][0], "rested", left, Decimal(0)))
    for seq, number, status, _, filled, at in ledger["outcomes"]:
        left = orders[number][1] - int(filled)
        if status in ("canceled", "expired"):
            rows.append((seq, at - START, orders[number][0], status, left, Decimal(0)))
    return [row[1:] for row in sorted(rows)]


def test_a_refusal_has_its_place_in_the_ledger() -> None:
    told = (ticket("c0", qty=9, limit="10.00", moment=0), ticket("c1", qty=0, moment=5))
    world = World(CROSSED.quotes, CROSSED.trades, told, 1)
    assert play(world, ask_always) == play(world, idle)


async def found_open(broker: Broker, world: World) -> list[OrderReport]:
    """What the broker should list, one look-up after the other."""
    ids = dict.fromkeys(told.child_id for told in world.told)
    found = [await broker.lookup(child_id) for child_id in ids]
    return [report for report in found if report is not None and report.status in OPEN]


@settings(max_examples=150, deadline=None)
@given(worlds(), st.data())
def test_any_cut_of_time_writes_the_same_ledger(world: World, data: st.DataObject) -> None:
    once = play(world, idle)
    assert play(world, ask_always) == once

    kinds = ["nothing", "reports", "lookup", "open", "executions", "next", "reopen", "second"]
    plan = data.draw(st.lists(st.sampled_from(kinds), min_size=CLOSES, max_size=CLOSES))

    async def anything(line: Line, now: int) -> None:
        match plan[now]:
            case "reports":
                await line.broker.reports(START + now)
            case "lookup":
                await line.broker.lookup("c0")
            case "open":
                assert await line.broker.open_orders() == await found_open(line.broker, world)
            case "executions":
                await line.broker.executions(0)
            case "next":
                line.broker.next_at(START + now)
            case "reopen" | "second":
                # Without closing: a crash, or a second line while the first is still there.
                before = line.broker
                await line.open().reports(START + now)
                line.broker = line.broker if plan[now] == "reopen" else before

    assert play(world, anything) == once


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_a_growing_tape_writes_the_same_ledger(world: World) -> None:
    assert play(world, ask_always, growing=True) == play(world, idle)


@settings(max_examples=150, deadline=None)
@given(worlds())
@example(TOGETHER)
def test_next_at_is_exact(world: World) -> None:
    """Nothing is told before it, and something is told at it."""
    expected: int | None = None

    async def check(line: Line, now: int) -> None:
        nonlocal expected
        heard = await line.broker.reports(START + now)
        if expected is not None and now <= expected - START:
            told_now = any(t.at == now for t in world.told)
            assert bool(heard) == (START + now == expected) or (told_now and not world.latency)
        expected = line.broker.next_at(START + now)
        assert expected is None or expected > START + now

    play(world, check)


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_tells_everything_once_within_the_quote(world: World) -> None:
    heard: list[ExecutionReport] = []
    tape = world.tape(CLOSES)

    async def listen(line: Line, now: int) -> None:
        news = await line.broker.reports(START + now)
        assert all(START + now >= r.at + world.latency for r in news)
        heard.extend(r for r in news if isinstance(r, ExecutionReport))

    ledger = play(world, listen)
    told = {e.execution_id for e in heard}
    assert len(told) == len(heard)
    due = [row for row in ledger["executions"] if row[7] + world.latency < START + CLOSES]
    assert told == {row[1] for row in due}
    limits = {t.child_id: t for t in world.told if isinstance(t, Ticket)}
    for e in heard:
        quote, own = tape.quote(e.at), limits[e.child_id]
        assert quote is not None
        assert min(quote.bid, quote.ask) <= e.price <= max(quote.bid, quote.ask)
        assert own.side.sign * (e.price - own.limit_price) <= 0
        assert e.qty > 0
    for own in limits.values():
        assert sum(e.qty for e in heard if e.child_id == own.child_id) <= own.qty
    assert sum(e.qty for e in heard if e.liquidity == "maker") <= sum(t[2] for t in world.trades)
