"""`python -m bench.peers [--rounds n] [--quotes n]`: one execution of 50 slices, theirs and ours.

Round by round, interleaved: NautilusTrader's TWAP example in a process of its own, then each of
ours, on the same tape. Equal child times and equal fills are asserted, not assumed. Both use one
core; what they used of it counts, so that a busy machine falsifies less. The wall's is told too.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import SECOND
from app.domain.instrument import Instrument
from app.domain.parameters import PLACEMENT
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.domain.task import Policy, Task
from app.domain.volume import default_curve
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import Scene, run
from bench.machine import described
from bench.peers.market import SESSION, SLICES, made

THEIRS = Path(".venv/peers/bin/python")
RESULTS = Path(__file__).parent / "results.json"
QTY = 5_000
GOAL = 100
"""How many times faster; of TWAP and VWAP with any placement."""


@dataclass(slots=True)
class Case:
    """One way to work the order; `counts` says whether it has to reach the goal."""

    name: str
    task: Task
    counts: bool
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    last: Run | None = None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quotes", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="slipstream-peers-") as folder:
        path = Path(folder) / "tape.npz"
        columns = made(asked.quotes, asked.seed)
        columns.save(path)
        began = time.perf_counter()
        tape = columns.tape()
        prepared = time.perf_counter() - began
        theirs, cases = [], the_cases()
        for _ in range(asked.rounds):
            theirs.append(nautilus(path))
            for case in cases:
                timed(case, tape)
    compare(cases[0], theirs)
    told = report(cases, theirs, prepared, asked.quotes)
    asked.out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    missed = [case["name"] for case in told["ours"] if case["reached"] is False]
    if missed:
        print(f"below {GOAL} ×: {', '.join(missed)}")
    return 1 if missed else 0


def the_cases() -> list[Case]:
    cases = []
    for placement in PLACEMENT.choices:
        for algo in ("twap", "vwap"):
            params = {"slices": SLICES, "jitter": 0, "placement": placement}
            cases.append(Case(f"{algo} {placement}", _task(algo, params), counts=True))
    capped = _task("twap", {"slices": SLICES, "jitter": 0, "placement": "cross"}, cap="0.05")
    cases.append(Case("twap cross, at most 5 %", capped, counts=False))
    if "pov" in BY_NAME:
        for rate in ("0.01", "0.05"):
            pov = _task("pov", {"rate": rate}, qty=50_000)
            cases.append(Case(f"pov {rate}", pov, counts=False))
    return cases


def _task(algo: str, params: dict[str, Any], *, cap: str | None = None, qty: int = QTY) -> Task:
    return Task(
        order_id="01993c00-0000-7000-8000-000000000050",
        account="bench",
        instrument=Instrument("XYZ", Decimal("0.01"), Decimal(1), Decimal(1), "XNYS"),
        side=Side.BUY,
        qty=Decimal(qty),
        algo=algo,
        start=SESSION.opens_at,
        end=SESSION.closes_at,
        session=SESSION,
        curve=default_curve(SESSION),
        seed="peers",
        policy=Policy(60 * SECOND, Decimal("0.05")),
        max_participation=Decimal(cap) if cap is not None else None,
        params=complete(BY_NAME[algo], params),
    )


def timed(case: Case, tape: Tape) -> None:
    """One round of ours; without latency, as theirs."""
    scene = Scene(tape, (SESSION,), venue=VenueOptions(Latency(0)))
    began, used = time.perf_counter(), time.process_time()
    case.last = run(case.task, scene)
    case.seconds.append(time.perf_counter() - began)
    case.cpu.append(time.process_time() - used)


def nautilus(path: Path) -> dict[str, Any]:
    """One round of theirs."""
    length = SESSION.length // SECOND
    arguments = [path, SESSION.opens_at, QTY, length, SLICES]
    done = subprocess.run(
        [THEIRS, Path(__file__).parent / "nautilus.py", *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def compare(case: Case, theirs: list[dict[str, Any]]) -> None:
    """The same slices at the same moments, filled at the same prices."""
    assert case.last is not None
    wanted = [SESSION.opens_at + SESSION.length * k // SLICES for k in range(SLICES)]
    children = [(child.at, child.qty) for child in case.last.children]
    assert children == [(at, Decimal(QTY // SLICES)) for at in wanted], "our own slices"
    ours = [(fill.at, fill.price, fill.qty) for fill in case.last.fills]
    for found in theirs:
        filled = [(at, Decimal(price), Decimal(qty)) for at, price, qty in found["fills"]]
        assert filled == ours, "theirs and ours differ"


def report(
    cases: list[Case], theirs: list[dict[str, Any]], prepared: float, quotes: int
) -> dict[str, Any]:
    peer, wall = (median(found[what] for found in theirs) for what in ("cpu", "seconds"))
    version, making = theirs[0]["version"], median(found["prepared"] for found in theirs)
    print(
        f"NautilusTrader {version}, TWAP of {SLICES} over {quotes:,} quotes:"
        f" {peer:.2f} s of a core, {wall:.2f} s on the wall"
    )
    print(f"preparing the tape, once: theirs {making:.2f} s, ours {prepared:.2f} s")
    rows = []
    for case in cases:
        assert case.last is not None
        ours, times = median(case.cpu), peer / median(case.cpu)
        rows.append(
            {
                "name": case.name,
                "cpu": ours,
                "seconds": median(case.seconds),
                "rounds": case.cpu,
                "times": times,
                "children": len(case.last.children),
                "fills": len(case.last.fills),
                "filled": str(case.last.execution.filled),
                "decisions": case.last.looks,
                "reached": times >= GOAL if case.counts else None,
            }
        )
        on_wall = wall / median(case.seconds)
        print(
            f"  {case.name:24} {ours * 1e3:9.2f} ms  {times:6.0f} ×  ({on_wall:.0f} × on the wall)"
            f"  {case.last.looks:5} decisions  {len(case.last.children):4} children"
            f"  {len(case.last.fills):4} fills"
        )
    print("child times and fills of twap cross: the same as theirs")
    return {
        "machine": described(""),
        "peer": {"name": "NautilusTrader", "version": version, "cpu": peer, "seconds": wall},
        "prepared": {"theirs": making, "ours": prepared},
        "quotes": quotes,
        "ours": rows,
    }


if __name__ == "__main__":
    sys.exit(main())
