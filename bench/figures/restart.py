"""A death with 10,000 open children: how long until its successor has reconciled and trades."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.instant import SECOND
from app.store.database import Database
from bench.audited import faults
from bench.figure import Figure, Goal, Measured, Reading, Rounds, Setting
from bench.figures.kill import opened
from bench.ledger import Ledger, watched
from bench.resting import VARIABLES, rested, said, until
from bench.servers import DESK, Server, slipstream

BACK_SECONDS = 30.0
PATIENCE_SECONDS = 180.0
LOOK_SECONDS = 0.02
FLOW_SHARE = 0.5
"""Trading: so much of the children a second before, over a second."""

_LEASE = "SELECT epoch, until, unattended_epoch FROM leases WHERE name = $1"


@dataclass(frozen=True, slots=True)
class Before:
    """What was true when the signal was sent: `at` of the machine's clock, in seconds."""

    at: float
    epoch: int
    lease_until: float
    order: int
    flow: float


async def measure(setting: Setting) -> Measured:
    rounds = Rounds()
    for number in range(setting.rounds):
        for name, died in (("worker", worker_killed), ("all", all_killed)):
            found = await died(setting, setting.folder / f"restart-{name}{number}")
            rounds.add(**{f"{name}_{what}": value for what, value in found.items()})
    return Measured(
        [
            *_readings(rounds, "worker", "worker killed"),
            *_readings(rounds, "all", "all killed"),
        ],
        (
            said(setting),
            "from SIGKILL. Worker: its supervisor frees its leases and puts its spare process in"
            " its place. All: supervisor, API, worker and PostgreSQL in one moment, and"
            " `slipstream serve` once PostgreSQL is gone",
            "reconciled: the desk's row in the database says that its owner, of a later epoch,"
            " has asked the broker and done what the absence asks for; before that it sends"
            " nothing. Trading: the paper venue's ledger, read by another process, has the first"
            " child of the successor",
            "all killed: the dead owner's lease has to run out first, for nobody is left who has"
            " seen it die: five seconds from its last renewal, which is at most one second before",
        ),
    )


def _readings(rounds: Rounds, way: str, how: str) -> list[Reading]:
    def one(label: str, name: str, unit: str = "s", goal: Goal | None = None) -> Reading:
        return rounds.reading(f"{how}: {label}", f"{way}_{name}", unit, goal)

    return [
        one("reconciled and trading after", "trading", goal=Goal("≤", BACK_SECONDS)),
        one("of it: until the old lease ran out", "lease"),
        one("desk claimed after", "claimed"),
        one("reconciled after", "reconciled"),
        one(f"children flow at {FLOW_SHARE:.0%} of before after", "flowing"),
        one("open children before", "open", ""),
        one("open children lost", "lost", "", Goal("≤", 0)),
        one("children sent twice", "twice", "", Goal("≤", 0)),
        one("faults that the audit finds", "faults", "", Goal("≤", 0)),
    ]


async def worker_killed(setting: Setting, folder: Path) -> dict[str, float]:
    async with (
        slipstream(folder, **VARIABLES) as house,
        opened(house) as database,
        watched(folder / "paper.sqlite3") as ledger,
    ):
        resting = await rested(setting, house, ledger, database)
        before = await _before(setting, ledger, database)
        os.kill(house.pids["worker"], signal.SIGKILL)
        return await _back(house, ledger, before, resting)


async def all_killed(setting: Setting, folder: Path) -> dict[str, float]:
    async with watched_house(folder) as (house, ledger):
        async with opened(house) as database:
            resting = await rested(setting, house, ledger, database)
            before = await _before(setting, ledger, database)
        told = json.loads((folder / "server.json").read_text())
        postmaster = (folder / "postgres" / "postmaster.pid").read_text().split()[0]
        for pid in (told["pid"], *house.pids.values(), int(postmaster)):
            os.kill(pid, signal.SIGKILL)
        # Started sooner, it would be given the address of the server that is just dying.
        await until(lambda: not Path(f"/proc/{postmaster}").exists())
        async with slipstream(folder, **VARIABLES) as successor:
            return await _back(successor, ledger, before, resting)


@asynccontextmanager
async def watched_house(folder: Path) -> AsyncIterator[tuple[Server, Ledger]]:
    async with (
        slipstream(folder, **VARIABLES) as house,
        watched(folder / "paper.sqlite3") as ledger,
    ):
        yield house, ledger


async def _before(setting: Setting, ledger: Ledger, database: Database) -> Before:
    first = ledger.look()
    await asyncio.sleep(setting.seconds)
    async with database.connection() as connection:
        lease = await connection.fetchrow(_LEASE, DESK)
    assert lease is not None, "the desk is somebody's"
    last = ledger.look()
    return Before(
        at=time.time(),
        epoch=lease["epoch"],
        lease_until=lease["until"] / SECOND,
        order=last.order,
        flow=(last.order - first.order) / (last.at - first.at),
    )


async def _back(house: Server, ledger: Ledger, before: Before, resting: int) -> dict[str, float]:
    async with opened(house) as database:
        claimed = await _when(database, lambda row: row["epoch"] > before.epoch)
        reconciled = await _when(database, lambda row: row["unattended_epoch"] is None)
    # A child that was on its way when the signal came is not the successor's.
    sent = await _sent_after(ledger, claimed)
    flowing = await _flowing(ledger, sent, before.flow)
    return {
        "lease": before.lease_until - before.at,
        "claimed": claimed - before.at,
        "reconciled": reconciled - before.at,
        "trading": max(sent, reconciled) - before.at,
        "flowing": flowing - before.at,
        "open": resting,
        "lost": resting - ledger.open(),
        "twice": ledger.repeats(),
        "faults": await faults(house, ledger.path, settled=False),
    }


async def _when(database: Database, holds: Callable[[Any], bool]) -> float:
    """When the desk's lease was first seen so."""
    async with asyncio.timeout(PATIENCE_SECONDS), database.connection() as connection:
        while True:
            at, row = time.time(), await connection.fetchrow(_LEASE, DESK)
            if row is not None and holds(row):
                return at
            await asyncio.sleep(LOOK_SECONDS)


async def _sent_after(ledger: Ledger, at: float) -> float:
    """When the first child after this moment was there."""
    number = max(look.order for look in ledger.looks if look.at <= at)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ledger.looks[-1].order <= number:
            await asyncio.sleep(LOOK_SECONDS)
    return ledger.order_came(number + 1)


async def _flowing(ledger: Ledger, since: float, flow: float) -> float:
    """When a second began, at or after `since`, in which enough children left."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            last = ledger.looks[-1]
            began = max(since, last.at - 1)
            then = next(look for look in ledger.looks if look.at >= began)
            if last.at >= since + 1 and last.order - then.order >= FLOW_SHARE * flow:
                return began
            await asyncio.sleep(LOOK_SECONDS)


FIGURE = Figure("restart", "Killed with 10,000 open children, and started again", measure)
