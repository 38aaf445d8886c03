"""Thousands of parents over many days and symbols, on every core, the same for the same seed.

A market (one symbol's tape over some sessions) is opened once, by the process that works all its
parents. Parents are alone in it: none sees another's fills.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Generic, TypeVar

from app.domain.instant import Instant
from app.domain.task import Task
from app.research.result import Run
from app.research.run import Scene, run

Result = TypeVar("Result")

AT_ONCE = 250
"""Parents of one market that one process takes at a time: so that no core waits for the last."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A task on a market; `market` is a name that `Study.open` knows."""

    market: str
    task: Task
    begins: Instant | None = None


@dataclass(frozen=True, slots=True)
class Study(Generic[Result]):
    """`open` makes a market's scene from its name, `measure` what is kept of a run; both are sent
    to other processes, so they are functions of a module (or partials of one).

    `seed` moves what the venue draws; what the parents draw is in their tasks.
    """

    open: Callable[[str], Scene]
    measure: Callable[[Parent, Run], Result]
    seed: str = ""


Progress = Callable[[int, int], None]
"""Called with how many parents are done, and how many there are."""


def run_all(
    study: Study[Result],
    parents: Sequence[Parent],
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Every parent worked and measured, in the order given, however many processes there are.

    `processes`: one a core unless told; with 1 nothing leaves this process. What a worker raises
    is raised here, and the others are stopped.
    """
    results: dict[int, Result] = {}
    for done in _parts_done(study, parents, processes or os.cpu_count() or 1):
        results.update(done)
        if progress is not None:
            progress(len(results), len(parents))
    return [results[number] for number in range(len(parents))]


def _parts_done(
    study: Study[Result], parents: Sequence[Parent], processes: int
) -> Iterator[Mapping[int, Result]]:
    parts = list(_parts(parents))
    if processes == 1 or len(parts) < 2:
        yield from (_work(study, part) for part in parts)
        return
    # Forked, a child would hold the locks of threads that it does not have.
    context = get_context("spawn")
    workers = min(processes, len(parts))
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        running: list[Future[dict[int, Result]]] = [
            pool.submit(_work, study, part) for part in parts
        ]
        try:
            for part in as_completed(running):
                yield part.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


Part = Sequence[tuple[int, Parent]]


def _parts(parents: Sequence[Parent]) -> Iterator[Part]:
    by_market: dict[str, list[tuple[int, Parent]]] = {}
    for number, parent in enumerate(parents):
        by_market.setdefault(parent.market, []).append((number, parent))
    for part in by_market.values():
        yield from (part[first : first + AT_ONCE] for first in range(0, len(part), AT_ONCE))


def _work(study: Study[Result], part: Part) -> dict[int, Result]:
    scene = study.open(part[0][1].market)
    return {
        number: study.measure(
            parent,
            run(
                parent.task,
                scene,
                seed=f"{study.seed}:{parent.task.order_id}",
                begins=parent.begins,
            ),
        )
        for number, parent in part
    }
