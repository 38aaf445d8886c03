"""A kill switch over 10,000 open children: when the last child left, and the last cancel."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from app.domain.instant import SECOND
from app.store.database import Database
from bench.audited import faults
from bench.figure import Figure, Goal, Measured, Reading, Rounds, Setting
from bench.figures.latency import call
from bench.ledger import Ledger, watched
from bench.resting import VARIABLES, rested, said, until
from bench.servers import Server, slipstream

SEND_SECONDS = 1.0
CANCEL_SECONDS = 5.0
DEATH_SECONDS = 0.3
"""How long after the answer to the throw the worker dies: its cancels are under way."""

QUIET_SECONDS = 2.0
"""Looked at for so long after everything is over: a child that leaves later would be seen."""

REASON = "bench"

_OPEN = "SELECT count(*) FROM orders WHERE status NOT IN ('filled','canceled','expired','rejected')"

Throw = Callable[[Server, Path], Awaitable[None]]


async def measure(setting: Setting) -> Measured:
    rounds = Rounds()
    for number in range(setting.rounds):
        for way, throw in (("api", by_api), ("cli", by_command), ("death", by_api_then_death)):
            found = await killed(setting, setting.folder / f"kill-{way}{number}", throw)
            rounds.add(**{f"{way}_{name}": value for name, value in found.items()})
    return Measured(
        [
            *_readings(rounds, "api", "through the API"),
            *_readings(rounds, "cli", "API dead"),
            *_readings(rounds, "death", "worker killed in the midst"),
            rounds.reading("API dead: command typed → committed", "cli_typed", "s"),
        ],
        (
            said(setting),
            "from the switch's own time in the database, taken under its lock and before its"
            " commit; a child or a cancel has left when another process first finds it in the"
            " paper venue's ledger, looked at every 5 ms",
            "the paper broker states no rate for cancels, so the goal is 5 s whatever is open",
            "worker killed in the midst: with SIGKILL, 0.3 s after the answer to the throw;"
            " its supervisor frees its leases and puts its spare process in its place, which asks"
            " for the rest",
            "API dead: killed, with its supervisor stopped so that nobody starts it again;"
            " `slipstream kill --direct` writes the switch into the database",
        ),
    )


def _readings(rounds: Rounds, way: str, how: str) -> list[Reading]:
    def one(label: str, name: str, unit: str = "", goal: Goal | None = None) -> Reading:
        return rounds.reading(f"{how}: {label}", f"{way}_{name}", unit, goal)

    return [
        one("last child left after", "last_send", "s", Goal("≤", SEND_SECONDS)),
        one("last cancel left after", "last_cancel", "s", Goal("≤", CANCEL_SECONDS)),
        one("intents committed after it", "intents", "", Goal("≤", 0)),
        one("faults that the audit finds", "faults", "", Goal("≤", 0)),
        one("open children", "open"),
        one("first cancel left after", "first_cancel", "s"),
        one("cancels", "rate", "/s"),
        one("last child over at the venue after", "venue_over", "s"),
        one("last order over in the journal after", "journal_over", "s"),
        one("children a second before", "flow", "/s"),
    ]


async def killed(setting: Setting, folder: Path, throw: Throw) -> dict[str, float]:
    """One house, one switch."""
    async with (
        slipstream(folder, **VARIABLES) as house,
        opened(house) as database,
        watched(folder / "paper.sqlite3") as ledger,
    ):
        resting = await rested(setting, house, ledger, database)
        flow = await _flow(ledger, setting.seconds)
        typed = time.time()
        await throw(house, folder)
        committed = await _committed(database)
        await until(lambda: ledger.open() == 0)
        await _all_over(database)
        await asyncio.sleep(min(QUIET_SECONDS, setting.seconds))
        return {
            "open": resting,
            "flow": flow,
            "typed": committed - typed,
            **_told_by(ledger, committed),
            "intents": await _intents_after(database),
            "faults": await faults(house, ledger.path, settled=True),
            "journal_over": await _journal_over(database) - committed,
        }


async def by_api(house: Server, folder: Path) -> None:
    body = {"scope": "all", "level": "cancel", "reason": REASON}
    await asyncio.to_thread(call, house, "POST", "/risk/kill-switches", body)


async def by_api_then_death(house: Server, folder: Path) -> None:
    """Who carries the switch out is killed while it does; its supervisor starts another."""
    await by_api(house, folder)
    await asyncio.sleep(DEATH_SECONDS)
    os.kill(house.pids["worker"], signal.SIGKILL)


async def by_command(house: Server, folder: Path) -> None:
    """With nothing of ours alive but the worker and PostgreSQL. Raises CalledProcessError."""
    supervisor = int(json.loads((folder / "server.json").read_text())["pid"])
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(house.pids["api"], signal.SIGKILL)
        command = ["-m", "app.cli", "kill", "--level", "cancel", "--reason", REASON]
        command += ["--direct", "--database", house.database_url]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.DEVNULL
        )
        if await process.wait():
            raise ValueError("the command line did not throw the switch")
    finally:
        os.kill(supervisor, signal.SIGCONT)


@asynccontextmanager
async def opened(house: Server) -> AsyncIterator[Database]:
    database = await Database.open(house.database_url, connections=2)
    try:
        yield database
    finally:
        await database.close()


async def _flow(ledger: Ledger, seconds: float) -> float:
    before = ledger.look()
    await asyncio.sleep(seconds)
    after = ledger.look()
    return (after.order - before.order) / (after.at - before.at)


def _told_by(ledger: Ledger, committed: float) -> dict[str, float]:
    """What the ledger says of when things left, in seconds after the commit."""
    cancels = [ledger.cancel_came(number) - committed for number in ledger.first_cancels()]
    before = [look.order for look in ledger.looks if look.at <= committed]
    sent = [ledger.order_came(number) - committed for number in ledger.orders_after(before[-1])]
    first, last = min(cancels), max(cancels)
    return {
        "last_send": max(sent, default=0.0),
        "first_cancel": first,
        "last_cancel": last,
        "rate": len(cancels) / max(last - first, 1e-3),
        "venue_over": ledger.last_outcome() - committed,
    }


async def _committed(database: Database) -> float:
    async with database.connection() as connection:
        at: int = await connection.fetchval("SELECT changed_at FROM controls WHERE halted")
    return at / SECOND


async def _intents_after(database: Database) -> int:
    async with database.connection() as connection:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM events WHERE type = 'child.intended' AND recorded_at >"
            " (SELECT changed_at FROM controls WHERE halted)"
        )
    return found


async def _journal_over(database: Database) -> float:
    async with database.connection() as connection:
        at: int = await connection.fetchval(
            "SELECT max(recorded_at) FROM events WHERE type = 'order.canceled'"
        )
    return at / SECOND


async def _all_over(database: Database) -> None:
    async with asyncio.timeout(120), database.connection() as connection:
        while await connection.fetchval(_OPEN):
            await asyncio.sleep(0.1)


FIGURE = Figure("kill", "A kill switch over 10,000 open children", measure)
