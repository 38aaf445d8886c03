"""`python -m bench.study [--parents n] [--sessions n] [--data folder]`: how long many parents take.

So many parents in each session, of every schedule and placement in turn, over SPY's minutes of
January 2011 where the data is, else over the made-up market. Everything counts: processes,
tapes, runs and their measures.
"""

import argparse
import os
import resource
import sys
import time
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path

from app.calendars import ExchangeCalendars
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.chance import unit
from app.domain.instant import MINUTE, SECOND
from app.domain.parameters import PLACEMENT
from app.domain.quantity import Side, floor_to
from app.domain.task import Policy, Task
from app.domain.volume import default_curve
from app.feeds.replay import Recorded
from app.feeds.synthetic import STARTS_AT, SYMBOLS, SyntheticMarket
from app.feeds.taped import Source
from app.research.batch import Parent, Study, run_all
from app.research.entering import order_id
from app.research.run import Scene
from app.research.summary import Summary, summarized
from app.tapes.reading.table import table_records

LAYOUT = Path("docs/layouts/spy-2011-minute.toml")
MINUTES = (30, 120)
SIZE = Decimal("0.002")
"""A parent is at most this share of what the session trades."""


@lru_cache(maxsize=1)
def source(data: Path | None) -> tuple[Source, str]:
    """Where tapes come from, and the symbol."""
    calendar = ExchangeCalendars()
    if data is None:
        return SyntheticMarket(calendar, 1, SYMBOLS, STARTS_AT), "ACME"
    return Recorded(table_records(LAYOUT, data, calendar)), "SPY"


@lru_cache(maxsize=1)
def opened(data: Path | None, market: str) -> Scene:
    tapes, symbol = source(data)
    session = tapes.stretches(symbol, 0 if data else STARTS_AT)[int(market)]
    return Scene(tapes.tape(symbol, session), (session,))


def drawn(data: Path | None, session: int, number: int, scene: Scene, slices: int) -> Parent:
    """A parent that its place alone decides."""
    tapes, symbol = source(data)
    (day,), place = scene.sessions, (session, number)
    instrument = tapes.instrument(symbol)
    assert instrument is not None
    length = MINUTES[0] + int(unit("length", *place) * (MINUTES[1] - MINUTES[0]))
    room = day.length - length * MINUTE - MINUTE
    start = day.opens_at + MINUTE + int(unit("start", *place) * room)
    volume = scene.tape.traded(day.opens_at, day.closes_at).volume
    qty = floor_to(volume * SIZE * Decimal(unit("qty", *place)), instrument.lot) + 100
    algo = ("twap", "vwap", "is")[number % 3]
    placement = PLACEMENT.choices[number // 3 % len(PLACEMENT.choices)]
    name = order_id("study", *place)
    return Parent(
        str(session),
        Task(
            order_id=name,
            account="research",
            instrument=instrument,
            side=list(Side)[number % 2],
            qty=qty,
            algo=algo,
            start=start,
            end=start + length * MINUTE,
            session=day,
            curve=default_curve(day),
            seed=name,
            policy=Policy(10 * MINUTE if data else 60 * SECOND, Decimal("0.05")),
            params=complete(BY_NAME[algo], {"slices": slices, "placement": placement}),
        ),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.study", description=__doc__)
    parser.add_argument("--parents", type=int, default=1_000, help="in each session")
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--slices", type=int, default=10)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--data", type=Path, help="the folder that holds spy_nt_2011")
    asked = parser.parse_args()
    parents = [
        drawn(asked.data, session, number, scene, asked.slices)
        for session in range(asked.sessions)
        for scene in [opened(asked.data, str(session))]
        for number in range(asked.parents)
    ]
    began = time.perf_counter()
    found = run_all(
        Study(partial(opened, asked.data), summarized),
        parents,
        processes=asked.processes,
        progress=lambda done, of: print(f"\r{done:,} of {of:,}", end="", file=sys.stderr),
    )
    took = time.perf_counter() - began
    print(file=sys.stderr)
    report(found, took, asked.processes)
    return 0


def report(found: list[Summary], took: float, processes: int) -> None:
    children, looks = sum(s.children for s in found), sum(s.looks for s in found)
    filled = sum(s.outcome.filled for s in found) / sum(s.qty for s in found)
    used = sum(
        time_used
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        for time_used in resource.getrusage(who)[:2]
    )
    print(
        f"{len(found):,} parents in {took:.1f} s on {processes} processes, {used:.1f} s of a core:"
        f" {len(found) / took:,.0f} a second, {children:,} children, {looks:,} decisions,"
        f" {100 * filled:.1f} % filled"
    )


if __name__ == "__main__":
    sys.exit(main())
