"""`python -m tests.failpoints [--rounds N] [--seed S] [--frozen]`: kills at every place.

Each round kills at every place once and at every hot place at a later pass, drawn from the seed.
`--frozen` measures instead what a worker does that was frozen before the socket, as a table.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from app.failpoints import PLACES
from app.store.migrate import migrate
from tests.databases import run_sql, with_database
from tests.ending import ended
from tests.failpoints.campaign import kill_everywhere
from tests.failpoints.frozen import CASES, HEAD, measure, row
from tests.failpoints.places import GROUPS
from tests.postgres import start_server


async def kill(server: str, folder: Path, rounds: int, seed: int) -> int:
    """0 when every place was killed and survived; coverage is printed."""
    begun, passes, killed = time.monotonic(), 0, set[str]()
    for number in range(rounds):
        for group in GROUPS:
            name = f"kills_{number}_{group}"
            url = await _fresh(server, name)
            done = await kill_everywhere(group, folder / name, url, seed=seed + number, share=1.0)
            killed.update(done.first)
            passes += len(done.first) + len(done.later)
            say(f"round {number + 1}, {group}: {len(done.first)} places, {len(done.later)} again")
    say(
        f"{len(killed)} of {len(PLACES)} places killed, {passes} kills in {rounds} rounds,"
        f" seed {seed}, {time.monotonic() - begun:.0f} s"
    )
    return 0 if killed == set(PLACES) else 1


async def freeze(server: str, folder: Path) -> int:
    """The table of what remains."""
    say(HEAD)
    for number, case in enumerate(CASES):
        url = await _fresh(server, f"frozen_{number}")
        say(row(await measure(case, folder / f"frozen_{number}", url)))
    return 0


async def _fresh(server: str, name: str) -> str:
    await run_sql(server, f"CREATE DATABASE {name}")
    url = with_database(server, name)
    await migrate(url)
    return url


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.failpoints", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frozen", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slipstream-failpoints-") as name:
        folder = Path(name)
        server = start_server(folder)
        try:
            if given.frozen:
                return asyncio.run(freeze(server.url, folder))
            return asyncio.run(kill(server.url, folder, given.rounds, given.seed))
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(ended(main))
