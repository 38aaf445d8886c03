"""POST /orders, committed before the answer, against a bare endpoint and a session a request."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import permutations
from statistics import mean
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench.figure import Figure, Goal, Measured, Rounds, Setting
from bench.machine import cpu_seconds
from bench.servers import Server, execute, free_desk, own_desk_elsewhere, reference, slipstream
from bench.settled import settled

CONNECTIONS = 32
SCHEDULED_ROUNDS = 2


async def measure(setting: Setting) -> Measured:
    rounds, folder = Rounds(), setting.folder
    async with AsyncExitStack() as stack:
        await own_desk_elsewhere(folder / "accept")
        house = await stack.enter_async_context(
            slipstream(folder / "accept", SPEED="1", SYMBOLS="ACME")
        )
        bare = await stack.enter_async_context(reference(folder, "bare"))
        others = {
            "orm": await stack.enter_async_context(
                reference(folder, "orm", await new_database(house.database_url))
            ),
            "trivial": await stack.enter_async_context(reference(folder, "trivial")),
        }
        await settled(house, setting)
        for number in range(setting.rounds):
            taken = await in_turns(setting, {"ours": house, "bare": bare, "short": house}, number)
            for name, server in others.items():
                taken[name] = await posted(setting, server, f"{name}{number}")
            for name, seen in taken.items():
                rounds.add(**{f"{name}_{what}": value for what, value in seen.items()})
        await free_desk(house)
        for number in range(min(setting.rounds, SCHEDULED_ROUNDS)):
            seen = await posted(setting, house, f"scheduled{number}", allowed=("202", "503"))
            rounds.add(
                scheduled_rate=seen["rate"] * seen["accepted"],
                scheduled_p99=seen["p99_ms"],
                scheduled_refused=1 - seen["accepted"],
            )
    return Measured(
        [
            rounds.ratio("throughput of bare", "ours_rate", "bare_rate", Goal("≥", 0.5)),
            rounds.ratio("p99 over bare's", "ours_p99_ms", "bare_p99_ms", Goal("≤", 4)),
            rounds.ratio("throughput of a session each", "ours_rate", "orm_rate", Goal("≥", 2)),
            rounds.ratio("short answers: throughput of bare", "short_rate", "bare_rate"),
            rounds.reading("POST /orders", "ours_rate", "/s"),
            rounds.reading("POST /orders p50", "ours_p50_ms", "ms"),
            rounds.reading("POST /orders p99", "ours_p99_ms", "ms"),
            rounds.reading("the API's processor time each", "ours_cpu_us", "µs"),
            rounds.reading("short answers: processor time each", "short_cpu_us", "µs"),
            rounds.reading("bare FastAPI", "bare_rate", "/s"),
            rounds.reading("bare FastAPI's processor time each", "bare_cpu_us", "µs"),
            rounds.reading("a session's processor time each", "orm_cpu_us", "µs"),
            rounds.reading("bare FastAPI p99", "bare_p99_ms", "ms"),
            rounds.reading("SQLAlchemy session each", "orm_rate", "/s"),
            rounds.reading("SQLAlchemy session each p99", "orm_p99_ms", "ms"),
            rounds.reading("POST /orders while a worker takes them", "scheduled_rate", "/s"),
            rounds.reading("the same, p99", "scheduled_p99", "ms"),
            rounds.reading("refused: the worker fell silent", "scheduled_refused", "of all"),
            rounds.reading("the generator's ceiling", "trivial_rate", "/s"),
            rounds.reading("generator busy at ours", "ours_generator_busy", "cores"),
        ],
        (
            f"{CONNECTIONS} connections; server, PostgreSQL and generator share the cores",
            "ours, short and bare: six turns each a round, in every order; their means",
            "short answers: the client prefers return=minimal, and is told four fields; bare tells"
            " three",
            "the worker runs and tells the market; the desk's lease is held elsewhere, as by a"
            " worker on another host, and the orders start on the next market day: nobody works"
            " them. Everything begins with empty tables",
            "while a worker takes them: this server's own worker loads and schedules every order"
            " on the same cores",
        ),
    )


async def in_turns(
    setting: Setting, servers: Mapping[str, Server], number: int
) -> dict[str, dict[str, float]]:
    """What `posted` saw of each, means over its turns: one in every order in which they can follow
    each other, for the machine's speed changes from one second to the next. Each begins with empty
    tables, a moment after the one before, and is half as long as a measurement."""
    brief = replace(setting, seconds=setting.seconds / 2)
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    for turn, names in enumerate(permutations(servers)):
        for name in names:
            run, server = f"{name}{number}-{turn}", servers[name]
            await asyncio.sleep(setting.seconds / 4)
            seen[name].append(await posted(brief, server, run, short=name == "short"))
            if server.database_url:
                await execute(server.database_url, "TRUNCATE orders, events CASCADE")
    return {
        name: {what: mean(one[what] for one in all_) for what in all_[0]}
        for name, all_ in seen.items()
    }


async def posted(
    setting: Setting,
    server: Server,
    run: str,
    allowed: Sequence[str] = ("202", "200"),
    *,
    short: bool = False,
) -> dict[str, float]:
    """One measurement by a generator of its own. Raises ValueError for other answers."""
    command = [sys.executable, "-m", "bench.load", str(server.port), "--key", server.key]
    command += ["--run", run, "--connections", str(CONNECTIONS)]
    command += ["--seconds", str(setting.seconds), "--warm", str(min(setting.seconds / 4, 1))]
    command += ["--short"] if short else []
    serving = server.pids.get("api") or next(iter(server.pids.values()))
    used = cpu_seconds(serving)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    seen: dict[str, Any] = json.loads(output)
    seen["cpu_us"] = (cpu_seconds(serving) - used) / max(seen.pop("answers"), 1) * 1e6
    statuses = seen.pop("statuses")
    if not set(statuses) <= set(allowed):
        raise ValueError(f"answers other than {', '.join(allowed)}: {statuses}")
    return {**seen, "accepted": statuses.get("202", 0) / sum(statuses.values())}


async def new_database(url: str) -> str:
    """An empty database on the same server, for the reference."""
    await execute(url, "CREATE DATABASE reference")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path="/reference"))


FIGURE = Figure("accept", "POST /orders, committed before the answer", measure)
