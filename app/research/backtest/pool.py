"""The parts of a backtest on several processes, each told when it is done."""

import multiprocessing
import os
import signal
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from app.research.backtest.draw import Drawn, Market
from app.research.backtest.work import Part, Row, Setting, work

AT_ONCE = 10
"""Parents of a part: what is lost when it is broken off, and how fine the progress is."""

GENTLY = 10


def parts(parents: Sequence[Drawn]) -> list[Part]:
    """Parents by market, in the order in which markets come first."""
    of: dict[Market, list[Drawn]] = {}
    for drawn in parents:
        of.setdefault(drawn.market, []).append(drawn)
    return [
        Part(market, tuple(drawn[first : first + AT_ONCE]))
        for market, drawn in of.items()
        for first in range(0, len(drawn), AT_ONCE)
    ]


def rows_of(setting: Setting, of: Sequence[Part], jobs: int) -> Generator[list[Row]]:
    """The rows of each part, in whatever order they are done; what a part raises is raised here.

    Closing the iterator stops the processes at once.
    """
    if jobs <= 1 or len(of) < 2:
        yield from (work(setting, part) for part in of)
        return
    # Forked, a child would hold the locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(of)), mp_context=context, initializer=_quietly)
    try:
        running = [pool.submit(work, setting, part) for part in of]
        for done in as_completed(running):
            yield done.result()
    finally:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


def _quietly() -> None:
    """Ctrl-C goes to the whole group: who asked for us decides what becomes of us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(GENTLY)
