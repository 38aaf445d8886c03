"""`python -m bench.studies.gates --data ../shared/data`: which signals pass the gates?

Order flow: a buy and a sell each minute on the ticks of IBM and BAC (2013-10-07 and 08), asked as
they would have been then, and what the middle of the quote did afterwards. Regimes: the twenty
sessions of SPY in January 2011, a momentum and a mean-reversion signal each quarter of an hour,
asked of the matrix. Nothing was fitted to these data: the parameters are those the gates ship with.
Intervals resample half hours (order flow) and days (regimes).
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from app.domain.flow.measure import LENGTHS, Delta, delta, measure
from app.domain.flow.record import Flow
from app.domain.gate import Case, StrategyKind
from app.domain.instant import MINUTE, SECOND, Instant, Micros
from app.domain.quantity import ZERO, Side
from app.domain.regime.follow import Followed, behind, follow
from app.domain.regime.record import Label, Regime
from app.domain.ruling import Chosen, Outcome, choose, rule
from app.domain.session import Session
from app.domain.tape import Tape
from bench.studies.gate_plots import Marked, Stretch, flow_plot, regime_plot
from bench.studies.resampling import Interval, interval
from bench.studies.volumes import LEAN_TICKS, records

RESULTS = Path(__file__).parent / "gates.json"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SYMBOLS = ("BAC", "IBM")
SPY = "spy-2011-minute"
AFTER: tuple[Micros, ...] = (10 * SECOND, MINUTE, 5 * MINUTE)
QUARTER = 15 * MINUTE
WARM_UP = 10 * MINUTE
"""After the open: the longest timeframe has to be over."""

QTY = ZERO + 100


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that was asked about: what it was told, and what the price did in its direction
    afterwards, in basis points, after each of some lengths of time (None: the session was over)."""

    at: Instant
    side: Side
    outcome: Outcome
    factor: float
    cluster: str
    moved: tuple[float | None, ...]
    votes: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Row:
    """`moved` is the mean move in a signal's direction after each length, in basis points."""

    symbol: str
    what: str
    signals: int
    share: float
    moved: tuple[Interval, ...]


def flows(tape: Tape, session: Session) -> Iterator[Flow]:
    """Each minute's order flow, as the owner of the feed would have told it."""
    cumulative = Delta(session.opens_at, session.opens_at - 1)
    for now in range(session.opens_at + WARM_UP, session.closes_at, MINUTE):
        cumulative = delta(tape, cumulative, now)
        yield measure(tape, now, cumulative)


def asked_of_flow(symbol: str, tape: Tape, session: Session, gate: Chosen) -> list[Signal]:
    found = []
    for flow in flows(tape, session):
        now = flow.at
        for side in Side:
            asked = Case(side, QTY, now, at=now, flow=flow, quote=tape.quote(now))
            decision = rule(asked, [gate])
            heard = decision.rulings[0].inputs["witnesses"]
            moved = tuple(_moved(tape, session, side, now, after) for after in AFTER)
            found.append(
                Signal(
                    now,
                    side,
                    decision.outcome,
                    float(decision.factor),
                    f"{session.opens_at} {(now - session.opens_at) // (30 * MINUTE)}",
                    moved,
                    {name: said["vote"] for name, said in heard.items()},
                )
            )
    return found


def _moved(tape: Tape, session: Session, side: Side, now: Instant, after: Micros) -> float | None:
    here, there = _middle(tape, now), _middle(tape, now + after)
    if now + after > session.closes_at or here is None or there is None:
        return None
    return side.sign * (there / here - 1) * 1e4


def _middle(tape: Tape, at: Instant) -> float | None:
    quote = tape.quote(at)
    return float(quote.mid) if quote is not None and quote.uncrossed else None


def row(symbol: str, what: str, some: Sequence[Signal], of: int) -> Row:
    moved = []
    for place in range(len(some[0].moved)):
        known = [(s.moved[place], s.cluster) for s in some]
        values = [(value, cluster) for value, cluster in known if value is not None]
        moved.append(interval([v for v, _ in values], [c for _, c in values]))
    return Row(symbol, what, len(some), len(some) / of, tuple(moved))


def flow_rows(symbol: str, signals: Sequence[Signal]) -> list[Row]:
    """All signals move by nothing on average: each buy has its sell."""

    def votes_of(*names: str) -> Callable[[Signal], bool]:
        return lambda s: all(s.votes[name] == "for" for name in names)

    chosen: dict[str, Callable[[Signal], bool]] = {
        "passes": lambda s: s.outcome is Outcome.EXECUTE,
        "does not": lambda s: s.outcome is Outcome.REJECT,
        "the book is for it": votes_of("book"),
        "10 s are for it": votes_of("10 s"),
        "60 s are for it": votes_of("60 s"),
        "300 s are for it": votes_of("300 s"),
    }
    return [
        row(symbol, what, some, len(signals))
        for what, holds in chosen.items()
        if (some := [s for s in signals if holds(s)])
    ]


def explained(tape: Tape, session: Session) -> dict[str, float]:
    """R² of the middle's move over 10 s: by the order-flow imbalance and by the trade imbalance of
    the same ten seconds, and by those of the ten before."""
    moves, ofi, trades = [], [], []
    for now in range(session.opens_at + WARM_UP, session.closes_at, LENGTHS[0]):
        here, there = _middle(tape, now - LENGTHS[0]), _middle(tape, now)
        flow = measure(tape, now, Delta(now, now), LENGTHS[:1])
        if here is None or there is None or not flow.frames:
            continue
        moves.append(there / here - 1)
        ofi.append(flow.frames[0].ofi or 0.0)
        trades.append(float(flow.frames[0].bought - flow.frames[0].sold))
    return {
        "ofi": _r2(ofi, moves),
        "trades": _r2(trades, moves),
        "ofi, the ten seconds before": _r2(ofi[:-1], moves[1:]),
        "trades, the ten seconds before": _r2(trades[:-1], moves[1:]),
    }


def _r2(x: Sequence[float], y: Sequence[float]) -> float:
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def regimes(data: Path) -> list[tuple[Session, Tape, list[Regime | None]]]:
    """Each session of SPY with the regime at the end of each of its minutes, as known then."""
    kept = records(data, SPY)
    found, followed = [], Followed()
    for session in kept.stretches("SPY"):
        tape = kept.tape("SPY", session)
        labels = []
        for now in range(session.opens_at + MINUTE, session.closes_at + 1, MINUTE):
            while behind(followed, tape, now):
                followed = follow(followed, tape, session, now)
            labels.append(followed.regime())
        found.append((session, tape, labels))
    return found


def asked_of_regime(
    days: Sequence[tuple[Session, Tape, list[Regime | None]]], kind: StrategyKind, gate: Chosen
) -> list[Signal]:
    """A signal each quarter of an hour: with its move for momentum, against it for mean
    reversion."""
    found = []
    for session, tape, labels in days:
        for now in range(session.opens_at + QUARTER, session.closes_at - QUARTER + 1, QUARTER):
            before, here = _middle(tape, now - QUARTER), _middle(tape, now)
            if before is None or here is None or before == here:
                continue
            rising = (here > before) == (kind is StrategyKind.MOMENTUM)
            side = Side.BUY if rising else Side.SELL
            regime = labels[(now - session.opens_at) // MINUTE - 1]
            decision = rule(Case(side, QTY, now, kind=kind, regime=regime), [gate])
            label = regime.label.value if regime else None
            found.append(
                Signal(
                    now,
                    side,
                    decision.outcome,
                    float(decision.factor),
                    str(session.opens_at),
                    (_moved(tape, session, side, now, QUARTER),),
                    {"regime": label},
                )
            )
    return found


def told(found: Row) -> str:
    moves = "".join(f"{one.told():>24}" for one in found.moved)
    return f"{found.symbol:<6}{found.what:<34}{found.signals:>6}{found.share:>7.1%}{moves}"


def flow_study(data: Path, pictures: Path) -> dict[str, object]:
    gate = choose("flow", {})
    print(f"{'':<6}{'order flow':<34}{'n':>6}{'share':>7}{'10 s':>24}{'1 min':>24}{'5 min':>24}")
    rows, r2 = [], {}
    kept = records(data, LEAN_TICKS)
    for symbol in SYMBOLS:
        signals: list[Signal] = []
        for number, session in enumerate(kept.stretches(symbol)):
            tape = kept.tape(symbol, session)
            some = asked_of_flow(symbol, tape, session, gate)
            signals += some
            r2[f"{symbol} {number}"] = explained(tape, session)
            if symbol == "IBM" and number == 0:
                marks = [
                    Marked(s.at, s.side, _middle(tape, s.at) or 0.0)
                    for s in some
                    if s.outcome is Outcome.EXECUTE
                ]
                line = [
                    (at, _middle(tape, at) or 0.0)
                    for at in range(session.opens_at + WARM_UP, session.closes_at, MINUTE)
                ]
                flow_plot(line, marks, pictures / "gates-flow.svg")
        rows += flow_rows(symbol, signals)
    for one in rows:
        print(told(one))
    for name, shares in r2.items():
        print(name, {what: round(share, 3) for what, share in shares.items()})
    return {"rows": [asdict(one) for one in rows], "r2": r2}


def regime_study(data: Path, pictures: Path) -> dict[str, object]:
    gate = choose("regime", {})
    days = regimes(data)
    every = [of for _, _, labels in days for of in labels]
    known = [of for of in every if of is not None]
    flips = sum(a.label is not b.label for a, b in pairwise(known))
    shares = {label.value: sum(of.label is label for of in known) / len(known) for label in Label}
    print(f"minutes {len(every)}, with a label {len(known)}, changes {flips}")
    print({name: round(share, 3) for name, share in shares.items()})
    print(f"{'':<6}{'regime':<34}{'n':>6}{'share':>7}{'15 min':>24}")
    rows = []
    for kind in (StrategyKind.MOMENTUM, StrategyKind.MEAN_REVERSION):
        signals = asked_of_regime(days, kind, gate)
        for outcome in (Outcome.EXECUTE, Outcome.REDUCE, Outcome.REJECT):
            some = [s for s in signals if s.outcome is outcome]
            if some:
                rows.append(row("SPY", f"{kind.value}: {outcome.value}", some, len(signals)))
    for one in rows:
        print(told(one))
    regime_plot([_stretch(*day) for day in days], pictures / "gates-regimes.svg")
    return {
        "minutes": len(every),
        "labelled": len(known),
        "changes": flips,
        "shares": shares,
        "rows": [asdict(one) for one in rows],
    }


def _stretch(session: Session, tape: Tape, labels: Sequence[Regime | None]) -> Stretch:
    ends = range(session.opens_at + MINUTE, session.closes_at + 1, MINUTE)
    prices = [_middle(tape, at) for at in ends]
    return Stretch(session.opens_at, prices, [of.label if of else None for of in labels])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies.gates")
    parser.add_argument("--data", type=Path, required=True, help="where the market data is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    given = parser.parse_args()
    given.pictures.mkdir(parents=True, exist_ok=True)
    plain = {
        "flow": flow_study(given.data, given.pictures),
        "regime": regime_study(given.data, given.pictures),
    }
    given.out.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
