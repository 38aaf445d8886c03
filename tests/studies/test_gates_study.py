"""The study of gates: on real tapes, no ruling knows what comes after it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.flow.measure import Delta, delta, measure
from app.domain.gate import StrategyKind
from app.domain.instant import HOUR, MINUTE, SECOND, Instant
from app.domain.regime.follow import Followed, behind, follow
from app.domain.ruling import Outcome, choose
from app.domain.session import Session
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape
from bench.studies.gates import SPY, asked_of_flow, asked_of_regime, explained, flow_rows
from bench.studies.volumes import LEAN_TICKS, records
from tests.studies.made import HALF, SESSION, a_tape

pytestmark = pytest.mark.timeout(300)


def disturbed(tape: Tape, after: Instant, seed: int) -> Tape:
    """The same until `after`; from then on sizes are drawn anew, prices wander off, and the last
    row's moment stays where it was."""
    random = np.random.default_rng(seed)
    columns = {name: getattr(tape, name).copy() for name in (*QUOTE_COLUMNS, *TRADE_COLUMNS)}
    quotes = int(tape.quote_at.searchsorted(after, side="right"))
    trades = int(tape.trade_at.searchsorted(after, side="right"))
    step = random.choice([-1, 1], len(tape.quote_at) - quotes).cumsum() * (tape.price_scale // 100)
    for name in ("bid", "ask"):
        columns[name][quotes:] = np.maximum(columns[name][quotes:] + step, 1)
    for name, rows in (("bid_size", quotes), ("ask_size", quotes), ("trade_size", trades)):
        columns[name][rows:] = random.permutation(columns[name][rows:])
    columns["trade_price"][trades:] = random.permutation(columns["trade_price"][trades:])
    volume = np.concatenate(([0], columns["trade_size"].cumsum()))
    return replace(tape, **columns, cum_volume=volume)


@pytest.mark.data
@pytest.mark.parametrize("symbol", ["IBM", "BAC"])
def test_the_future_of_a_real_tape_changes_no_order_flow(data_sets: Path, symbol: str) -> None:
    kept = records(data_sets, LEAN_TICKS)
    session = kept.stretches(symbol)[0]
    tape = kept.tape(symbol, session)
    gate = choose("flow", {})
    for seed, hours in enumerate((1, 3, 5)):
        now = session.opens_at + hours * HOUR + 17 * SECOND
        other = disturbed(tape, now, seed)
        assert not np.array_equal(other.bid, tape.bid)
        start = Delta(session.opens_at, session.opens_at - 1)
        there = measure(tape, now, delta(tape, start, now))
        assert measure(other, now, delta(other, start, now)) == there
        early = Session(session.opens_at, now)
        mine, theirs = (asked_of_flow(symbol, t, early, gate) for t in (tape, other))
        assert [(s.outcome, s.votes) for s in mine] == [(s.outcome, s.votes) for s in theirs]
        assert {s.outcome for s in mine} == {Outcome.EXECUTE, Outcome.REJECT}


def followed(tape: Tape, session: Session, now: Instant) -> Followed:
    of = Followed()
    while behind(of, tape, now):
        of = follow(of, tape, session, now)
    return of


@pytest.mark.data
def test_the_future_of_a_real_tape_changes_no_regime(data_sets: Path) -> None:
    kept = records(data_sets, SPY)
    for seed, session in enumerate(kept.stretches("SPY")[:3]):
        tape = kept.tape("SPY", session)
        for hours in (3, 5):
            now = session.opens_at + hours * HOUR + 17 * SECOND
            there = followed(tape, session, now).regime()
            assert there is not None
            assert there.at <= now
            assert followed(disturbed(tape, now, seed), session, now).regime() == there


@pytest.mark.data
def test_order_flow_explains_the_same_ten_seconds_and_not_the_next(data_sets: Path) -> None:
    """Cont, Kukanov and Stoikov: 65 % by order flow, 32 % by trades, and next to nothing ahead."""
    kept = records(data_sets, LEAN_TICKS)
    session = kept.stretches("IBM")[0]
    shares = explained(kept.tape("IBM", session), session)
    assert shares["ofi"] > 0.6
    assert shares["ofi"] > 2 * shares["trades"]
    assert shares["ofi, the ten seconds before"] < 0.03


def test_a_market_that_leans_to_neither_side_confirms_nothing() -> None:
    """Every print in the middle of a quote that never changes: no aggressor can be told."""
    first = Session(SESSION.opens_at, HALF)
    signals = asked_of_flow("XYZ", a_tape(90, 90), first, choose("flow", {}))
    assert {s.outcome for s in signals} == {Outcome.REJECT}
    assert {vote for s in signals for vote in s.votes.values()} <= {"neutral", None}
    assert [row.what for row in flow_rows("XYZ", signals)] == ["does not"]


def test_without_a_regime_every_signal_is_caution() -> None:
    tape = a_tape(90, 90)
    minutes = (SESSION.closes_at - SESSION.opens_at) // MINUTE
    days = [(SESSION, tape, [None] * minutes)]
    signals = asked_of_regime(days, StrategyKind.MOMENTUM, choose("regime", {}))
    assert signals
    assert {s.outcome for s in signals} == {Outcome.REDUCE}
