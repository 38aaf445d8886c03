"""Virtual time jumps; the oracles step through every row. They must come to the same."""

import os
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.calendars import ExchangeCalendars
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.desk import Desk
from app.domain.fact import Filled, Intended
from app.domain.instant import MILLISECOND, MINUTE, SECOND, Instant
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.domain.tape_search import Integers, after
from app.domain.task import Policy, Task
from app.domain.volume import VolumeCurve, curve_from_history, default_curve
from app.research.impact import Impact
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import Scene, _Runner, run
from app.tapes.reading.lean import LeanRecords
from tests.research.parents import Parent, parents
from tests.research.ticks import Ticks

START: Instant = 1_760_000_000 * SECOND
SESSION = Session(START, START + 600 * SECOND)
INSTRUMENT = Instrument("XYZ", Decimal("0.01"), Decimal(1), Decimal(1), "XNYS")
LATENCIES = st.sampled_from([0, 0, 700, 5 * MILLISECOND, 40 * MILLISECOND, 3 * SECOND])

CASES, MANY, MOVED, RECORDED = {"ci": (80, 250, 83, 25), "deep": (80, 5_000, 1_666, 400)}[
    os.environ.get("HYPOTHESIS_PROFILE", "ci")
]
"""Random cases on made-up tapes, in campaigns, where our fills move the market, and on recorded
ticks where they are."""

Rows = list[tuple[Any, ...]]


def a_curve() -> VolumeCurve:
    """A short session's, from days of which no two are alike: an order may follow it."""
    days = [[100 + 40 * ((bin_ * 7 + day * 3) % 5) for bin_ in range(10)] for day in range(8)]
    curve = curve_from_history(days, bin_length=MINUTE, periodic=False)
    assert curve is not None
    return curve


def cases(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def restless(seed: int) -> Tape:
    """A tape that holds every trouble: rows of one moment, locked and crossed books, silence,
    prints outside the touch, sizes from one share up."""
    random = np.random.default_rng(seed)
    count = int(random.integers(20, 400))
    grain = int(random.choice([SECOND, SECOND // 4, 1_000]))
    at = START + np.sort(random.integers(0, 500 * SECOND, count)) // grain * grain
    if random.random() < 0.3:
        at[count // 2 :] += 70 * SECOND  # Silent for longer than a quote is trusted.
    middle = 1_000 + np.cumsum(random.choice([-1, 0, 0, 0, 0, 1], count))
    spread = random.choice([1, 1, 1, 2, 3, 0, -1] if seed % 3 else [1, 2], count)
    trades = np.sort(random.integers(0, count, count // 2))
    reach = random.choice([0, 0, 1, 1, 2, -1, -4], len(trades))
    return build_tape(
        "XYZ",
        price_scale=100,
        size_scale=1,
        since=START,
        until=SESSION.closes_at,
        quotes=Quotes(
            at, middle, middle + spread, random.integers(1, 300, count), _sizes(random, count)
        ),
        trades=Trades(
            np.maximum.accumulate(at[trades] + random.choice([0, 0, 1, 300_000], len(trades))),
            middle[trades] + reach,
            random.integers(1, 400, len(trades)),
        ),
    )


def _sizes(random: np.random.Generator, count: int) -> Integers:
    return np.repeat(random.integers(1, 300, count // 3 + 1), 3)[:count]


def a_task(
    parent: Parent,
    instrument: Instrument,
    session: Session,
    start: Instant,
    tape: Tape,
    shown: float,
) -> Task:
    algorithm = BY_NAME[parent.algo]
    quote = tape.quote(start) or tape.quote(tape.until)
    assert quote is not None
    params = complete(algorithm, parent.asked(quote.mid, instrument.tick))
    return Task(
        order_id="01993c00-0000-7000-8000-00000000abcd",
        account="main",
        instrument=instrument,
        side=parent.side,
        qty=parent.qty(shown, instrument.lot),
        algo=parent.algo,
        start=start,
        end=min(start + parent.length, session.closes_at),
        session=session,
        curve=a_curve() if session is SESSION else default_curve(session),
        seed=str(params.get("seed", "0")),
        policy=Policy(60 * SECOND, Decimal("0.05")),
        limit_price=parent.limit_price(quote.mid, instrument.tick),
        max_participation=Decimal(parent.cap) if parent.cap is not None else None,
        urgency=parent.urgency,
        params=params,
    )


def the_same(task: Task, tape: Tape, session: Session, latency: int) -> Run:
    scene = Scene(tape, [session], venue=VenueOptions(Latency(latency)))
    jumped = run(task, scene)
    for every in (False, True):
        stepped = Ticks(task, tape, session, latency, every=every)
        stepped.run()
        assert _children(jumped.children) == _children(stepped.children), every
        assert _fills(jumped.fills) == _fills(stepped.fills), every
        assert jumped.execution.status is stepped.execution.status, every
    return jumped


def _children(children: Sequence[Intended]) -> Rows:
    return [
        (c.number, c.child_id, c.at, c.qty, c.price, c.purpose, c.time_in_force, c.quote_at)
        for c in children
    ]


def _fills(fills: Sequence[Filled]) -> Rows:
    return sorted((f.at, f.child_id, f.qty, f.price, f.liquidity) for f in fills)


@cases(CASES)
@given(
    parent=parents("XYZ", 8 * MINUTE),
    latency=LATENCIES,
    seed=st.integers(0, 1 << 30),
    late=st.integers(0, 100),
)
def test_on_restless_tapes(parent: Parent, latency: int, seed: int, late: int) -> None:
    on_a_restless_tape(parent, latency, seed, late)


@pytest.mark.campaign
@cases(MANY)
@given(
    parent=parents("XYZ", 8 * MINUTE),
    latency=LATENCIES,
    seed=st.integers(0, 1 << 30),
    late=st.integers(0, 100),
)
@pytest.mark.timeout(3_600)
def test_on_many_restless_tapes(parent: Parent, latency: int, seed: int, late: int) -> None:
    on_a_restless_tape(parent, latency, seed, late)


def on_a_restless_tape(parent: Parent, latency: int, seed: int, late: int) -> None:
    tape = restless(seed)
    task = a_task(parent, INSTRUMENT, SESSION, START + late * SECOND, tape, 150)
    the_same(task, tape, SESSION, latency)


class Restless(_Runner):
    """Looks at every row as well, whatever it waits for."""

    now: Instant = 0

    def _next_at(self) -> Instant | None:
        upcoming = (super()._next_at(), self._line.tape.next_event(self.now))
        return min((at for at in upcoming if at is not None), default=None)

    def _settle(self, now: Instant) -> None:
        self.now = self._look_at = now
        super()._settle(now)


@cases(MOVED)
@given(
    parent=parents("XYZ", 8 * MINUTE),
    seed=st.integers(0, 1 << 30),
    permanent=st.sampled_from([0.0, 0.5]),
    temporary=st.sampled_from([0.0, 0.1]),
    latency=st.builds(
        Latency, st.sampled_from([0, 40 * MILLISECOND]), st.sampled_from([0, 2 * SECOND])
    ),
)
def test_nothing_is_slept_through_when_our_fills_move_the_market(
    parent: Parent, seed: int, permanent: float, temporary: float, latency: Latency
) -> None:
    tape = restless(seed)
    task = a_task(parent, INSTRUMENT, SESSION, START + 5 * SECOND, tape, 150)
    impact = Impact(Decimal(20_000), permanent, temporary, half_life=MINUTE)
    scene = Scene(tape, [SESSION], venue=VenueOptions(latency, impact=impact))
    jumped = run(task, scene, seed="s")
    stepped = Restless(task, scene, "s", Desk(), explain=False).run(task.start)
    assert _children(jumped.children) == _children(stepped.children)
    assert _fills(jumped.fills) == _fills(stepped.fills)


@lru_cache(maxsize=2)
def recorded(lean: Path, symbol: str) -> tuple[Tape, Session, Instrument]:
    records = LeanRecords(lean, ExchangeCalendars())
    session, instrument = records.stretches(symbol)[0], records.instrument(symbol)
    assert instrument is not None
    return records.tape(symbol, session), session, instrument


def stretch(tape: Tape, start: Instant, end: Instant) -> Tape:
    """A few minutes of a day: what went before is the quote and the last trade that held."""
    rows = {name: getattr(tape, name)[: after(tape.quote_at, end)] for name in QUOTE_COLUMNS}
    sums = after(tape.trade_at, end)
    rows |= {name: getattr(tape, name)[:sums] for name in TRADE_COLUMNS}
    rows |= {name: getattr(tape, name)[: sums + 1] for name in ("cum_volume", "cum_notional")}
    return replace(tape, **rows, until=end).trimmed(start)


@pytest.mark.campaign
@pytest.mark.data
@cases(RECORDED)
@given(
    parent=st.sampled_from(["IBM", "BAC"]).flatmap(lambda symbol: parents(symbol, 3 * MINUTE)),
    latency=LATENCIES,
    minute=st.integers(1, 380),
)
@pytest.mark.timeout(3_600)
def test_on_recorded_ticks(data_sets: Path, parent: Parent, latency: int, minute: int) -> None:
    tape, session, instrument = recorded(data_sets / "lean", parent.symbol)
    start = session.opens_at + minute * MINUTE
    part = stretch(tape, start - 5 * SECOND, start + 4 * MINUTE)
    shown = {"IBM": 200, "BAC": 20_000}[parent.symbol]
    task = a_task(parent, instrument, session, start, part, shown)
    the_same(task, part, session, latency)
