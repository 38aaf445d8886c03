"""alpaca-py's TradingStream inside a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from alpaca.trading.stream import TradingStream

from tests.compat.conftest import House


@dataclass
class Heard:
    """What the client's handler was given."""

    stream: TradingStream
    updates: list[Any] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        return [str(getattr(u.event, "value", u.event)) for u in self.updates]

    def of(self, order_id: Any) -> list[Any]:
        return [u for u in self.updates if u.order.id == order_id]

    async def until(self, *events: str, seconds: float = 60) -> None:
        """Wait until each of these events was heard."""
        async with asyncio.timeout(seconds):
            while not set(events) <= set(self.events):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(house: House, key: str | None = None) -> AsyncIterator[Heard]:
    """A stream that is connected, authenticated and subscribed."""
    text = key or house.key
    stream = TradingStream(text.split("_")[1], text, url_override=house.stream_url)
    heard = Heard(stream)

    async def handle(update: Any) -> None:
        heard.updates.append(update)

    stream.subscribe_trade_updates(handle)
    dispatch, answered = stream._dispatch, asyncio.Event()

    async def told(message: dict[str, Any]) -> None:
        await dispatch(message)
        if message.get("stream") == "listening":
            answered.set()

    stream._dispatch = told
    running = asyncio.create_task(stream._run_forever())
    await asyncio.wait_for(answered.wait(), 30)
    try:
        yield heard
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await stream.close()
