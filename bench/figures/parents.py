"""Ten thousand working parents in one worker: how late it decides, how soon an intent is safe."""

import asyncio
import json
import time
import urllib.request
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domain.algos import BY_NAME
from app.store import journal
from app.store.database import Database
from bench.figure import Figure, Goal, Measured, Rounds, Setting, percentile
from bench.servers import Server, slipstream

PARENTS = 10_000
SLICES_A_SECOND = 200
SLICES = 72
BATCH = 500
CATCH_UP_SECONDS = 180.0
NOT_LATE_MS = 50.0
LOTS = {"GLOBEX": Decimal(1), "COINX": Decimal("0.001")}
"""Symbols that show two thousand of these on average: what waits for the market to show more is
woken all at once, and is not what this measures. ACME shows five hundred, of which 67 a second were
taken: several times in 40 s dozens of its orders waited for up to two seconds."""
SYMBOLS = ",".join(LOTS)


async def measure(setting: Setting) -> Measured:
    rounds = Rounds()
    parents = setting.many(PARENTS)
    for number in range(setting.rounds):
        timer = await idle_timer(setting.seconds)
        folder = setting.folder / f"parents{number}"
        async with slipstream(
            folder, FEED="synthetic-live", SYMBOLS=SYMBOLS, PAPER_LATENCY_MS="0"
        ) as house:
            found = await worked(house, parents, max(10 * setting.seconds, 3.0))
        rounds.add(timer_p99=percentile(timer, 0.99) * 1000, **found)
    return Measured(
        [
            rounds.reading("decided after its slice was due, p50", "late_p50", "ms"),
            rounds.reading("decided after its slice was due, p99", "late_p99", "ms", Goal("≤", 25)),
            rounds.reading("intent written after the decision, p50", "intent_p50", "ms"),
            rounds.reading(
                "intent written after the decision, p99", "intent_p99", "ms", Goal("≤", 50)
            ),
            rounds.reading(
                "slices meanwhile", "rate", "/s", Goal("≥", 0.9 * SLICES_A_SECOND * setting.size)
            ),
            rounds.reading("worker's memory", "memory", "MB", Goal("≤", 500)),
            rounds.reading("worker's processor time", "cpu", "of a core"),
            rounds.reading("an idle timer's lateness here, p99", "timer_p99", "ms"),
            rounds.ratio("p99 over the idle timer's", "late_p99", "timer_p99"),
        ],
        (
            f"{parents} TWAP orders that cross, {SLICES} slices each, in two symbols of the live"
            " made-up market, at the paper broker with its ledger on the same disk",
            "due: the slice's own moment in the order's plan, computed again from its seed by the"
            " bench, for the first child of a slice; decided: the time that the intent carries;"
            " written: the database's clock in the intent's transaction, just before its commit",
        ),
    )


async def idle_timer(seconds: float) -> list[float]:
    """How late a timer of five milliseconds fires in a process that does nothing else."""
    late, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - began - 0.005)
    return late


async def worked(house: Server, parents: int, seconds: float) -> dict[str, float]:
    """Enter the orders, wait until they are spread, and read what one window brought."""
    span = SLICES * parents / (SLICES_A_SECOND * parents / PARENTS)
    symbols = list(LOTS)
    orders = [
        {
            "symbol": symbols[number % len(symbols)],
            "side": "buy",
            "qty": str(SLICES * LOTS[symbols[number % len(symbols)]]),
            "algo": "twap",
            "duration": f"{round(span)}s",
            "params": {"slices": SLICES, "placement": "cross"},
        }
        for number in range(parents)
    ]
    for first in range(0, parents, BATCH):
        await asyncio.to_thread(enter, house, orders[first : first + BATCH])
    database = await Database.open(house.database_url, connections=2)
    try:
        # Every order works, and what their arrival had put off is done.
        await all_working(database, parents)
        await caught_up(database)
        return await window(database, house, seconds)
    finally:
        await database.close()


def enter(house: Server, orders: list[dict[str, Any]]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.port}/orders/batch",
        json.dumps({"orders": orders}).encode(),
        {"Authorization": f"Bearer {house.key}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        results = json.loads(answer.read())["results"]
    refused = [one for one in results if one["status"] != 202]
    assert not refused, refused[0]


async def all_working(database: Database, parents: int) -> None:
    async with asyncio.timeout(180):
        while True:
            async with database.connection() as connection:
                begun = await connection.fetchval(
                    "SELECT count(*) FROM orders WHERE status NOT IN ('accepted', 'scheduled')"
                )
            if begun >= parents:
                return
            await asyncio.sleep(0.2)


async def caught_up(database: Database) -> None:
    """Ten thousand orders that arrive at once are late at first: wait until they are not."""
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while True:
            now = time.time_ns() // 1_000
            await asyncio.sleep(2)
            late, _ = await intents(database, now, now + 2_000_000)
            if late and percentile(late, 0.9) < NOT_LATE_MS:
                return


async def intents(database: Database, since: int, until: int) -> tuple[list[float], list[float]]:
    """Of the intents decided in between: how late each was, and how soon it was written."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT order_id, at, recorded_at FROM events WHERE type = 'child.intended'"
            " AND at BETWEEN $1 AND $2 ORDER BY at",
            since,
            until,
        )
        ids = sorted({row["order_id"] for row in rows})
        loaded = await journal.load(connection, account="main", order_ids=ids)
    plans = {
        order_id: BY_NAME[e.task.algo].plan(e.task, e.anchor) for order_id, (e, _) in loaded.items()
    }
    firsts: dict[tuple[str, int], int] = {}
    for row in rows:
        due = due_before(plans[row["order_id"]].must_at, row["at"])
        # What comes after the first child of a slice is for what that one did not fill.
        if due is not None and due >= since:
            firsts.setdefault((row["order_id"], due), row["at"])
    late = [(at - due) / 1_000 for (_, due), at in firsts.items()]
    return late, [(row["recorded_at"] - row["at"]) / 1_000 for row in rows]


async def window(database: Database, house: Server, seconds: float) -> dict[str, float]:
    pid = house.pids["worker"]
    cpu, began = used(pid), time.time_ns() // 1_000
    await asyncio.sleep(seconds)
    cpu, ended = used(pid) - cpu, time.time_ns() // 1_000
    memory = resident(pid)
    late, written = await intents(database, began, ended)
    return {
        "late_p50": percentile(late, 0.5),
        "late_p99": percentile(late, 0.99),
        "intent_p50": percentile(written, 0.5),
        "intent_p99": percentile(written, 0.99),
        "rate": len(written) / seconds,
        "memory": memory,
        "cpu": cpu / seconds,
    }


def due_before(steps: Sequence[int], at: int) -> int | None:
    """The last slice that was due at a moment."""
    last = bisect_right(steps, at)
    return steps[last - 1] if last else None


def resident(pid: int) -> float:
    """Megabytes of memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def used(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


FIGURE = Figure("parents", "10,000 working parents in one worker", measure)
