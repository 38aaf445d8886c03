"""1,000 subscribers that never read, beside 100 that do."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bench.deaf import connections, deafened, heard, in_use, megabytes, resumed
from bench.figure import Figure, Goal, Measured, Rounds, Setting, percentile
from bench.listeners import Listeners, listeners, write_events, writing
from bench.servers import Server, slipstream
from bench.settled import settled

READERS = 100
DEAF = 1_000
RATE = 50
FILL = 1_500
"""Events at once, half a kilobyte each: more than the buffers of a socket hold."""

SETTLE_SECONDS = 1.0
LONG = 3
"""How many measurements' lengths the readers are measured: until after the deaf were ended."""

END_TIMES = 12
SAMPLE = 20


async def measure(setting: Setting) -> Measured:
    rounds, readers, deaf = Rounds(), setting.many(READERS), setting.many(DEAF)
    for number in range(setting.rounds):
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            house = await enter(slipstream(setting.folder / f"deaf{number}", SPEED="1"))
            await settled(house, setting)
            reading = await enter(listeners(house, readers, dated=True))
            database = await enter(writing(house))
            rounds.add(**await one(setting, house, reading, database, readers, deaf))
    return Measured(
        [
            rounds.reading("process and kernel, at most", "memory", "MB", Goal("≤", 400)),
            rounds.ratio("readers' p99, of alone", "p99_beside", "p99_alone", Goal("≤", 1.25)),
            rounds.reading("deaf that were ended", "ended", "of all", Goal("≥", 1)),
            rounds.reading("complete after resuming", "complete", "of all", Goal("≥", 1)),
            rounds.reading("the process alone", "resident", "MB"),
            rounds.reading("the kernel's buffers", "kernel", "MB"),
            rounds.reading("p99 alone", "p99_alone", "ms"),
            rounds.reading("p99 beside the deaf", "p99_beside", "ms"),
            rounds.reading("p99 of the worst second, alone", "worst_alone", "ms"),
            rounds.reading("p99 of the worst second, beside", "worst_beside", "ms"),
            rounds.reading("until all were ended", "ended_after", "s"),
        ],
        (
            f"{readers} readers, {deaf} deaf, {RATE} events/s; steady: after {FILL} events at once"
            " have filled the buffers of the deaf, until after they were ended",
            "the deaf keep next to nothing themselves: what the kernel holds is the server's",
            f"completeness is checked on {SAMPLE} of the deaf: what lay unread and what came"
            " after resuming are all events, each once",
        ),
    )


async def one(
    setting: Setting, house: Server, reading: Listeners, database: Any, readers: int, deaf: int
) -> dict[str, float]:
    alone, worst_alone = await delays(setting, reading, database, readers)
    before, open_before = connections(house.port), in_use()
    sockets = await asyncio.to_thread(deafened, house, deaf)
    while connections(house.port) < before + deaf:
        await asyncio.sleep(0.05)
    async with peaks(house.pids["api"]) as peak:
        filled = reading.ask(FILL * readers, 30)
        await write_events(database, FILL)
        await filled
        ending = asyncio.create_task(ended(open_before + deaf, END_TIMES * setting.seconds))
        await asyncio.sleep(SETTLE_SECONDS)
        beside, worst = await delays(setting, reading, database, readers)
        ended_after = await ending
    left = connections(house.port) - before
    total = FILL + int(RATE * LONG * setting.seconds)
    complete = await asyncio.to_thread(completeness, house, sockets[: setting.many(SAMPLE)], total)
    for one_socket in sockets:
        one_socket.close()
    return {
        "memory": max(a + b for a, b in peak),
        "resident": max(a for a, _ in peak),
        "kernel": max(b for _, b in peak),
        "p99_alone": alone,
        "p99_beside": beside,
        "worst_alone": worst_alone,
        "worst_beside": worst,
        "ended": 1 - left / deaf,
        "ended_after": ended_after,
        "complete": complete,
    }


async def ended(open_then: int, at_most: float) -> float:
    """Seconds until no more sockets were open than without the server's ends of the deaf lines;
    theirs stay. Asked of the kernel's own count: a list of them all takes it as long as an event
    takes to a hundred readers."""
    began = time.monotonic()
    while in_use() > open_then and time.monotonic() < began + at_most:
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def delays(
    setting: Setting, reading: Listeners, database: Any, readers: int
) -> tuple[float, float]:
    """The readers' p99 in milliseconds, from before an event is written until it is there; that
    of all, and of the second that was worst."""
    events = int(RATE * LONG * setting.seconds)
    asked = reading.ask(events * readers, LONG * setting.seconds + 20)
    began = time.monotonic()
    for number in range(events):
        await asyncio.sleep(max(began + number / RATE - time.monotonic(), 0))
        await write_events(database, 1)
    told = (await asked)["delays"]
    second = RATE * readers
    seconds = [told[begin : begin + second] for begin in range(0, len(told), second)]
    worst = max(percentile(one, 0.99) for one in seconds)
    return percentile(told, 0.99) * 1000, worst * 1000


@asynccontextmanager
async def peaks(pid: int) -> AsyncIterator[list[tuple[float, float]]]:
    """Samples of memory while the block runs."""
    seen = [megabytes(pid)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.1)
            seen.append(megabytes(pid))

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


def completeness(house: Server, sockets: list[Any], total: int) -> float:
    """The share of these sockets that lost nothing and were told nothing twice."""
    complete = 0
    for connection in sockets:
        unread = heard(connection, 2, total)
        rest = resumed(house, unread[-1], 5, total - len(unread)) if unread else []
        told = unread + rest
        complete += len(told) == len(set(told)) == total
    return complete / len(sockets)


FIGURE = Figure("deaf", "1,000 sockets that never read, beside 100 that do", measure)
