"""POST /orders, committed before the answer, against a bare endpoint and a session a request."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.figure import Figure, Goal, Measured, Rounds, Setting
from bench.servers import Server, reference, slipstream

CONNECTIONS = 32


async def measure(setting: Setting) -> Measured:
    rounds = Rounds()
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(
            slipstream(setting.folder / "accept", SPEED="1", SYMBOLS="ACME")
        )
        folder = setting.folder
        others = {
            "bare": await stack.enter_async_context(reference(folder, "bare")),
            "orm": await stack.enter_async_context(
                reference(folder, "orm", await new_database(house.database_url))
            ),
            "trivial": await stack.enter_async_context(reference(folder, "trivial")),
        }
        for number in range(setting.rounds):
            for name, server in {"ours": house, **others}.items():
                seen = await posted(setting, server, f"{name}{number}")
                rounds.add(**{f"{name}_{what}": value for what, value in seen.items()})
            await clear(house)
    return Measured(
        [
            rounds.ratio("throughput of bare", "ours_rate", "bare_rate", Goal("≥", 0.5)),
            rounds.ratio("p99 over bare's", "ours_p99_ms", "bare_p99_ms", Goal("≤", 4)),
            rounds.ratio("throughput of a session each", "ours_rate", "orm_rate", Goal("≥", 2)),
            rounds.reading("POST /orders", "ours_rate", "/s"),
            rounds.reading("POST /orders p50", "ours_p50_ms", "ms"),
            rounds.reading("POST /orders p99", "ours_p99_ms", "ms"),
            rounds.reading("bare FastAPI", "bare_rate", "/s"),
            rounds.reading("bare FastAPI p99", "bare_p99_ms", "ms"),
            rounds.reading("SQLAlchemy session each", "orm_rate", "/s"),
            rounds.reading("SQLAlchemy session each p99", "orm_p99_ms", "ms"),
            rounds.reading("the generator's ceiling", "trivial_rate", "/s"),
            rounds.reading("generator busy at ours", "ours_generator_busy", "cores"),
        ],
        (
            f"{CONNECTIONS} connections; server, PostgreSQL and generator share the cores",
            "the worker runs and tells the market; it schedules the orders, which start on the"
            " next market day, so that none is worked",
        ),
    )


async def posted(setting: Setting, server: Server, run: str) -> dict[str, float]:
    """One measurement by a generator of its own. Raises ValueError for an answer that is none."""
    command = [sys.executable, "-m", "bench.load", str(server.port), "--key", server.key]
    command += ["--run", run, "--connections", str(CONNECTIONS)]
    command += ["--seconds", str(setting.seconds), "--warm", str(min(setting.seconds / 4, 1))]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    seen: dict[str, Any] = json.loads(output)
    statuses = seen.pop("statuses")
    if set(statuses) - {"202", "200"}:
        raise ValueError(f"answers other than 202: {statuses}")
    return seen


async def new_database(url: str) -> str:
    """An empty database on the same server, for the reference."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE reference")
    await connection.close()
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path="/reference"))


async def clear(house: Server) -> None:
    """Every round finds the same tables: empty, and the worker with nothing to schedule."""
    connection = await asyncpg.connect(house.database_url)
    while await connection.fetchval("SELECT count(*) FROM orders WHERE attention"):
        await asyncio.sleep(0.1)
    await connection.close()


FIGURE = Figure("accept", "POST /orders, committed before the answer", measure)
