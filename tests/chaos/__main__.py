"""The campaign; the package's own words say how it is called."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from app.store.embedded import Embedded
from tests.chaos.books import rows_at_fault
from tests.chaos.result import Result
from tests.chaos.round import play
from tests.chaos.terms import Terms
from tests.conftest import run_sql

ROUND_KILLS = 200
SLOW_EVERY = 5
"""Every so many rounds leases are as long as by default, and there are fewer kills."""

SLOW_KILLS, SLOW_LEASE, DENSE_LEASE = 60, 5.0, 1.0


def terms_of(seed: int, number: int, left: int, lease: float | None) -> Terms:
    slow = number % SLOW_EVERY == 0 if lease is None else lease >= SLOW_LEASE
    length = lease if lease is not None else (SLOW_LEASE if slow else DENSE_LEASE)
    kills = min(SLOW_KILLS if slow else ROUND_KILLS, left)
    return Terms(f"{seed}:{number}", kills, length, gap=0.8 if slow else 0.15)


async def campaign(given: argparse.Namespace, folder: Path) -> Result:
    """Rounds until enough were killed, time is over, or something is wrong."""
    playing = asyncio.current_task()
    assert playing is not None, "this is a coroutine"
    # Whoever ends a campaign should find nothing of it still running.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    server = Embedded(folder)
    # A power cut is not what is rehearsed here; a postmaster that is killed loses nothing by it.
    for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
        await run_sql(server.url, statement)
    result = Result(given.seed)
    until = time.monotonic() + given.minutes * 60
    number = given.round or 1
    try:
        while result.kills < given.kills and time.monotonic() < until:
            terms = terms_of(given.seed, number, given.kills - result.kills, given.lease)
            place = folder / f"round{number}"
            outcome = await play(place, server, terms)
            result.add(outcome)
            result.write()
            say(result.line(number, outcome))
            if outcome.faults:
                say(f"seed {given.seed}, round {number}, kept in {place}")
                say(rows_at_fault(outcome.faults))
                break
            await run_sql(server.url, f'DROP DATABASE "{place.name}" WITH (FORCE)')
            shutil.rmtree(place)
            number += 1
            if given.round:
                break
    finally:
        server.stop()
    return result


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos")
    arguments.add_argument("--kills", type=int, required=True)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--round", type=int, help="only this one")
    arguments.add_argument("--minutes", type=float, default=24 * 60)
    arguments.add_argument("--lease", type=float, help="seconds; default: 1, and 5 in some rounds")
    arguments.add_argument("--keep", type=Path, help="where databases, ledgers and logs lie")
    given = arguments.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="slipstream-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    say(f"seed {given.seed}, in {folder}")
    result = asyncio.run(campaign(given, folder.resolve()))
    say(result.table())
    if result.ok and given.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if result.ok else 1)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
