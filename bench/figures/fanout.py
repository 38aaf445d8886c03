"""Events to 1,000 subscribers, against a bare loop that sends the same bytes."""

import asyncio
import urllib.request
from contextlib import AsyncExitStack
from typing import Any

from bench.figure import Figure, Goal, Measured, Rounds, Setting
from bench.listeners import Listeners, listeners, write_events, writing
from bench.servers import Server, reference, slipstream

SUBSCRIBERS = 1_000
EVENTS = 100
WAIT_SECONDS = 60.0


async def measure(setting: Setting) -> Measured:
    rounds, subscribers = Rounds(), setting.many(SUBSCRIBERS)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        house = await enter(slipstream(setting.folder / "fanout", SPEED="1"))
        loop = await enter(reference(setting.folder, "loop"))
        blast = await enter(reference(setting.folder, "blast"))
        ours = await enter(listeners(house, subscribers))
        theirs = await enter(listeners(loop, subscribers))
        ceiling = await enter(listeners(blast, subscribers))
        database = await enter(writing(house))
        for _ in range(setting.rounds):
            asked = ours.ask(EVENTS * subscribers, WAIT_SECONDS)
            for _ in range(EVENTS):
                await write_events(database, 1)
            told = await asked
            rounds.add(ours=rate(told), busy=told["busy_seconds"] / seconds(told))
            asked = ours.ask(EVENTS * subscribers, WAIT_SECONDS)
            await write_events(database, EVENTS)
            rounds.add(burst=rate(await asked))
            rounds.add(loop=rate(await sent(loop, theirs, subscribers, told["sample"])))
            rounds.add(blast=rate(await sent(blast, ceiling, subscribers, told["sample"])))
    return Measured(
        [
            rounds.ratio("messages/s of the bare loop", "ours", "loop", Goal("≥", 0.5)),
            rounds.ratio("the same, committed at once", "burst", "loop", Goal("≥", 0.5)),
            rounds.reading("the stream", "ours", "/s"),
            rounds.reading("the stream, committed at once", "burst", "/s"),
            rounds.reading("the bare loop", "loop", "/s"),
            rounds.reading("the client's ceiling", "blast", "/s"),
            rounds.reading("client busy at ours", "busy", "cores"),
        ],
        (
            f"{subscribers} subscribers, {EVENTS} events, each in a transaction of its own,"
            f" {len(told['sample'])} bytes each; from the first message to the last",
            "of a burst the stream writes to each socket what fits 16 KiB at a time",
            "ours reads the events from the database, filters and frames them; the loop has"
            " its text in hand",
        ),
    )


async def sent(server: Server, clients: Listeners, subscribers: int, text: str) -> dict[str, Any]:
    """What the clients of a reference were told when it was asked to send."""
    asked = clients.ask(EVENTS * subscribers, WAIT_SECONDS)
    url = f"http://127.0.0.1:{server.port}/send?times={EVENTS}"
    await asyncio.to_thread(_post, url, text.encode())
    return await asked


def _post(url: str, body: bytes) -> None:
    with urllib.request.urlopen(url, body, timeout=WAIT_SECONDS) as answer:
        answer.read()


def seconds(told: dict[str, Any]) -> float:
    return max(float(told["last"] - told["first"]), 1e-6)


def rate(told: dict[str, Any]) -> float:
    return float(told["messages"]) / seconds(told)


FIGURE = Figure("fanout", "Events to 1,000 subscribers", measure)
