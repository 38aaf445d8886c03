"""`python -m tests.planted [names…]`: plants wrong versions of the product, and has each caught.

Each fault is a patch to a fresh copy of the tree, and the tests that have to fail on it. One that
survives fails the run, and so does a patch that no longer fits, or a test that fails in a copy with
nothing planted.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planted.fault import Fault, Rotten, plant
from tests.planted.faults import FAULTS

ROOT = Path(__file__).parents[2]
TREE = ("app", "tests", "migrations", "pyproject.toml", "alembic.ini")
LIMIT_SECONDS = 240
CONTROL_SECONDS = 1_800
AT_ONCE = 2

FAILED = 1
"""What pytest ends with when tests failed; 2 and more are errors that catch nothing."""

SLIPS = ("SyntaxError", "ImportError", "NameError", "UnboundLocalError", "AttributeError")
"""What a patch that is wrong in itself ends in: that would be caught by anything."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault. `by` is the first test that failed."""

    fault: Fault
    caught: bool
    by: str
    seconds: float


def hunt(fault: Fault) -> Outcome:
    """Plant one fault and run its tests. Raises Rotten."""
    begun = time.monotonic()
    with copied() as tree:
        plant(fault, tree)
        try:
            told = run(tree, "-x", "-n", "0", *fault.tests, seconds=LIMIT_SECONDS)
            code, said = told.returncode, told.stdout + told.stderr
        except subprocess.TimeoutExpired:
            code, said = -1, "no test failed in time"
    caught, by = judged(code, said)
    return Outcome(fault, caught, by, time.monotonic() - begun)


def control(faults: Iterable[Fault]) -> list[str]:
    """The tests of these that fail with nothing planted: what they catch they would have caught
    anyway."""
    tests = dict.fromkeys(test for fault in faults for test in fault.tests)
    with copied() as tree:
        options = ("-n", str(2 * AT_ONCE), "--dist", "loadfile")
        told = run(tree, *options, *tests, seconds=CONTROL_SECONDS)
    if told.returncode == 0:
        return []
    lines = (told.stdout + told.stderr).splitlines()
    return [line for line in lines if line.startswith(("FAILED ", "ERROR "))] or lines[-3:]


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the tree, for as long as it is looked at."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder)
        for name in TREE:
            there = ROOT / name
            (shutil.copytree if there.is_dir() else shutil.copy2)(there, tree / name)
        yield tree


def run(tree: Path, *arguments: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    """Run tests there. Raises TimeoutExpired."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", "-rfE"]
    return subprocess.run(
        [*command, *arguments],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def judged(code: int, said: str) -> tuple[bool, str]:
    """Whether tests failed for what they look at, and the first of them."""
    # Of the summary: a log that a failing test is shown with says ERROR as well.
    named = ("FAILED tests/", "ERROR tests/")
    failed = [line for line in said.splitlines() if line.startswith(named)]
    if slips := [slip for slip in SLIPS if f"{slip}:" in said]:
        return False, f"the patch itself is wrong: {', '.join(slips)}"
    if code != FAILED or not failed or not failed[0].startswith("FAILED"):
        return False, (failed or said.strip().splitlines() or ["nothing said"])[-1]
    return True, failed[0]


def tell(outcome: Outcome) -> None:
    word = "caught" if outcome.caught else "SURVIVED"
    line = f"{word:8}  {outcome.seconds:5.1f} s  {outcome.fault.name:36}  {outcome.by[:110]}\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every fault was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these")
    names = parser.parse_args(arguments).names
    unknown = sorted(set(names) - {fault.name for fault in FAULTS})
    if unknown:
        parser.error(f"there is no fault {unknown[0]!r}")
    chosen = [fault for fault in FAULTS if not names or fault.name in names]
    if failed := control(chosen):
        sys.stdout.write("\n".join(["with nothing planted:", *failed, ""]))
        return 2
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for outcome in pool.map(hunt, chosen):
                tell(outcome)
                outcomes.append(outcome)
        except Rotten as rotten:
            sys.stdout.write(f"{rotten}\n")
            return 2
    caught = sum(outcome.caught for outcome in outcomes)
    sys.stdout.write(f"caught {caught} of {len(outcomes)}\n")
    return 0 if caught == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
