"""The simulated data server, running: two real ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from app.api.listening import OPTIONS, listen
from app.feeds.alpaca.feed import AlpacaFeed
from app.feeds.alpaca.options import read_options
from tests.feeds.alpaca_data.faults import Faults
from tests.feeds.alpaca_data.market import Market, now
from tests.feeds.alpaca_data.rest import KEY, SECRET, create_rest
from tests.feeds.alpaca_data.stream import Stream


@dataclass
class Running:
    """`asked` has the path and query of every question."""

    market: Market
    faults: Faults
    stream: Stream
    asked: list[str]
    rest_url: str
    stream_url: str

    def options(self, **more: object) -> dict[str, object]:
        """For a feed that is quick to notice."""
        return {
            "key_id": KEY,
            "secret_key": SECRET,
            "data_url": self.rest_url,
            "trading_url": self.rest_url,
            "stream_url": self.stream_url,
            "source": "sip",
            "silent_ms": 1_000,
            "in_flight_ms": 300,
            "poll_ms": 300,
            "backoff_ms": 50,
            "backoff_most_ms": 400,
            "handshake_ms": 1_000,
            "request_ms": 1_000,
            "patience_ms": 4_000,
            **more,
        }

    @asynccontextmanager
    async def feed(self, **more: object) -> AsyncIterator["Driven"]:
        driven = Driven(AlpacaFeed(read_options(self.options(**more))))
        driving = asyncio.create_task(driven.drive())
        try:
            yield driven
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)
            await driven.feed.close()


class Driven:
    """A feed whose market time goes on, as the worker lets it."""

    def __init__(self, feed: AlpacaFeed) -> None:
        self.feed = feed
        self.updated: list[str] = []

    async def drive(self) -> None:
        while True:
            await self.step()
            await asyncio.sleep(0.02)

    async def step(self) -> None:
        assert await self.feed.advance(now()) == {}
        self.updated += self.feed.updated()


@asynccontextmanager
async def data_server(market: Market | None = None) -> AsyncIterator[Running]:
    market, faults, asked = market or Market(), Faults(), []
    await market.open()
    await market.advance()
    stream = Stream(market, faults)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_rest(market, faults, asked), **OPTIONS)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    sockets = await stream.start()
    pumping = asyncio.create_task(stream.pump())
    while not server.started:
        await asyncio.sleep(0.01)
    port = sockets.sockets[0].getsockname()[1]
    try:
        yield Running(
            market,
            faults,
            stream,
            asked,
            f"http://127.0.0.1:{listening.getsockname()[1]}",
            f"ws://127.0.0.1:{port}",
        )
    finally:
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
        sockets.close(close_connections=True)
        server.should_exit = True
        await serving
