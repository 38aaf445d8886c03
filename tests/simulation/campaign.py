"""Many days from one seed: counts, speed, and the first day that fails."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

from tests.simulation.bugs import NONE, Bugs
from tests.simulation.day import Failed, Summary, run, told
from tests.simulation.faults import PLACES

FEW = 10


@dataclass(slots=True)
class Total:
    """What many days did together."""

    days: int = 0
    parents: int = 0
    children: int = 0
    fills: int = 0
    steps: int = 0
    hash: int = 0
    cpu: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    fewest_faults: int = 10**9
    poor: int = 0
    """Days with fewer than `FEW` faults."""
    ends: Counter[str] = field(default_factory=Counter)

    def add(self, number: int, day: Summary) -> None:
        self.days += 1
        self.parents += day.parents
        self.children += day.children
        self.fills += day.fills
        self.steps += day.steps
        self.hash ^= crc32(f"{number}:{day.hash}".encode())
        self.faults.update(day.faults)
        self.fewest_faults = min(self.fewest_faults, day.faults.total())
        self.poor += day.faults.total() < FEW
        self.ends.update(day.ends)

    def merge(self, other: "Total") -> None:
        self.days += other.days
        self.parents += other.parents
        self.children += other.children
        self.fills += other.fills
        self.steps += other.steps
        self.hash ^= other.hash
        self.cpu += other.cpu
        self.faults.update(other.faults)
        self.fewest_faults = min(self.fewest_faults, other.fewest_faults)
        self.poor += other.poor
        self.ends.update(other.ends)


def days(seed: int, numbers: Iterable[int], bugs: Bugs = NONE) -> tuple[Total, Failed | None]:
    """Run days one after the other, up to the first that breaks an invariant."""
    total, began = Total(), time.process_time()
    for number in numbers:
        try:
            summary, _ = run(seed, number, bugs)
        except Failed as failed:
            return total, failed
        total.add(number, summary)
        total.cpu = time.process_time() - began
    return total, None


def _share(seed: int, numbers: range) -> tuple[Total, str | None]:
    total, failed = days(seed, numbers)
    return total, None if failed is None else str(failed)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 when a day failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--days", type=int, default=100, help="how many days (100)")
    parser.add_argument("--seed", type=int, default=1, help="which days (1)")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side (1)")
    parser.add_argument("--day", type=int, help="this day alone")
    parser.add_argument("--verbose", action="store_true", help="with --day: every step")
    given = parser.parse_args(arguments)
    if given.day is not None:
        return _one(given.seed, given.day, given.verbose)
    return _many(given.seed, given.days, given.jobs)


def _one(seed: int, day: int, verbose: bool) -> int:
    try:
        summary, house = run(seed, day, keep=10**6 if verbose else 60)
    except Failed as failed:
        _say(str(failed))
        return 1
    if verbose:
        _say("\n".join(map(told, house.last)))
    _say(f"seed {seed} day {day}: no violation, log hash {summary.hash:08x}")
    return 0


def _many(seed: int, count: int, jobs: int) -> int:
    began = time.perf_counter()
    shares = [range(k, count, jobs) for k in range(jobs)]
    if jobs == 1:
        found = [_share(seed, shares[0])]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            found = list(pool.map(partial(_share, seed), shares))
    total = Total()
    for one, _ in found:
        total.merge(one)
    failures = [failure for _, failure in found if failure is not None]
    _say(text(total, time.perf_counter() - began))
    for failure in failures:
        _say(failure)
    _say(f"seed {seed}: {len(failures)} violations, log hash {total.hash:08x}")
    return 1 if failures else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def text(total: Total, seconds: float) -> str:
    faults = Counter(total.faults)
    crashes = {place: faults.pop(place) for place in PLACES if place in faults}
    faults["crash"] = sum(crashes.values())
    lines = [
        f"{total.days} days in {seconds:.1f} s, {total.cpu:.1f} s of processor"
        f" ({1000 * total.cpu / max(total.days, 1):.1f} ms a day), {total.steps} steps",
        f"{total.parents} parents, {total.children} children, {total.fills} fills",
        "ended: " + _counts(total.ends),
        f"{faults.total()} faults, at least {total.fewest_faults} a day"
        f" (fewer than {FEW} on {total.poor} days): " + _counts(faults),
        "crashes at: " + _counts(Counter(crashes)),
    ]
    return "\n".join(lines)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
