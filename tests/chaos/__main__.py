"""The campaign; the package's own words say how it is called."""

import argparse
import asyncio
import math
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from tests.chaos.books import rows_at_fault
from tests.chaos.chain import CHAIN, ChainTerms
from tests.chaos.home import prepare
from tests.chaos.result import Result
from tests.chaos.round import ALONE, play
from tests.chaos.terms import Terms
from tests.databases import run_sql
from tests.ending import ended
from tests.postgres import PostgresServer, start_server

ROUND_KILLS = 200
SLOW_EVERY = 5
"""Every so many rounds leases are as long as by default, and there are fewer kills."""

SLOW_KILLS, SLOW_LEASE, DENSE_LEASE = 60, 5.0, 1.0


CHAIN_KILLS, SLOW_CHAIN_KILLS = 50, 30


def terms_of(given: argparse.Namespace, number: int, left: int) -> Terms:
    slow = number % SLOW_EVERY == 0 if given.lease is None else given.lease >= SLOW_LEASE
    lease = given.lease if given.lease is not None else (SLOW_LEASE if slow else DENSE_LEASE)
    seed = f"{given.seed}:{number}"
    if given.chain:
        return ChainTerms(seed, min(SLOW_CHAIN_KILLS if slow else CHAIN_KILLS, left), lease)
    kills = min(SLOW_KILLS if slow else ROUND_KILLS, left)
    return Terms(seed, kills, lease, gap=0.8 if slow else 0.15)


class Campaign:
    """Rounds, some side by side, until enough were killed, time is over, or something is wrong."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.result = Result(given.seed, "chain" if given.chain else "chaos")
        self._given, self._folder = given, folder
        self._until = time.monotonic() + given.minutes * 60
        self._numbers = count(1) if given.round is None else iter([given.round])
        self._planned = 0

    async def run(self) -> None:
        with ExitStack() as stopping:
            servers = []
            # One after the other: the package that starts them is not made for more at a time.
            for number in range(self._given.houses):
                server = start_server(self._folder / f"lane{number}")
                stopping.callback(server.stop)
                servers.append(server)
                await prepare(server)
            async with asyncio.TaskGroup() as group:
                for server in servers:
                    group.create_task(self._lane(server))

    async def _lane(self, server: PostgresServer) -> None:
        """One house after the other, on one PostgreSQL that is killed with them."""
        while (number := self._next()) is not None:
            share = math.ceil(self._given.kills / self._given.houses)
            left = min(self._given.kills - self._planned, share)
            terms = terms_of(self._given, number, left)
            self._planned += terms.kills
            await self._round(number, server.folder / f"round{number}", server, terms)

    def _next(self) -> int | None:
        over = self._planned >= self._given.kills or time.monotonic() > self._until
        return None if over or not self.result.ok else next(self._numbers, None)

    async def _round(self, number: int, place: Path, server: PostgresServer, terms: Terms) -> None:
        outcome = await play(place, server, terms, CHAIN if self._given.chain else ALONE)
        self.result.add(outcome)
        self.result.write()
        say(self.result.line(number, outcome))
        if outcome.faults:
            say(f"seed {self._given.seed}, round {number}, kept in {place}")
            say(rows_at_fault(outcome.faults))
            return
        for name in (place.name, f"{place.name}-back"):
            await run_sql(server.url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(place)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos")
    arguments.add_argument("--kills", type=int, required=True)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--houses", type=int, default=1, help="so many rounds at a time")
    arguments.add_argument(
        "--chain", action="store_true", help="a server that has another for broker"
    )
    arguments.add_argument("--round", type=int, help="only this one")
    arguments.add_argument("--minutes", type=float, default=24 * 60)
    arguments.add_argument("--lease", type=float, help="seconds; default: 1, and 5 in some rounds")
    arguments.add_argument("--keep", type=Path, help="where databases, ledgers and logs lie")
    given = arguments.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="slipstream-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    say(f"seed {given.seed}, in {folder}")
    campaign = Campaign(given, folder.resolve())
    asyncio.run(campaign.run())
    result = campaign.result
    say(result.table())
    if result.ok and given.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if result.ok else 1


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(ended(main))
