"""The live stream, resumed after every break from the last cursor seen."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.cli.exits import Exit, Failure
from app.cli.place import Place

CHANNELS = ("orders", "children", "fills", "alerts", "signals", "controls")
_TRIES = 20
_WAIT_SECONDS = 0.5
_NOT_ALLOWED = frozenset({4401, 4403})

Frame = dict[str, Any]


@dataclass(slots=True)
class Stream:
    """A subscription. `begun` is set once nothing that happens from then on is missed."""

    place: Place
    channels: Sequence[str] = CHANNELS
    orders: Sequence[str] | None = None
    cursor: str | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def frames(self) -> AsyncIterator[Frame]:
        """Events, each once and in order, for ever; frames without a cursor are left out.

        Raises Failure when the server refuses, or does not come back.
        """
        from websockets.exceptions import ConnectionClosed, InvalidHandshake

        tries = 0
        while True:
            try:
                async for frame in self._connection():
                    tries = 0
                    if "data" in frame:
                        self.cursor = frame["cursor"]
                        yield frame
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as error:
                tries += 1
                self._give_up(error, tries)
            await asyncio.sleep(_WAIT_SECONDS)

    async def _connection(self) -> AsyncIterator[Frame]:
        from websockets.asyncio.client import connect

        address = "ws" + self.place.url.removeprefix("http") + "/stream"
        headers = {"Authorization": f"Bearer {self.place.key}"}
        async with connect(
            address, additional_headers=headers, max_size=None, proxy=None, compression=None
        ) as socket:
            await socket.send(json.dumps(self._wish()))
            async for text in socket:
                frame: Frame = json.loads(text)
                if frame["type"] == "error":
                    raise Failure(Exit.REFUSED, f"{frame['message']} ({frame['code']})")
                if frame["type"] == "subscribed":
                    # Before the first event a break is mended from here.
                    self.cursor = self.cursor or frame["head"]
                    self.begun.set()
                yield frame

    def _wish(self) -> dict[str, Any]:
        wish: dict[str, Any] = {"action": "subscribe", "channels": list(self.channels)}
        if self.orders is not None:
            wish["orders"] = list(self.orders)
        return wish | ({"after": self.cursor} if self.cursor else {})

    def _give_up(self, error: Exception, tries: int) -> None:
        close = getattr(error, "rcvd", None)
        if close is not None and close.code in _NOT_ALLOWED:
            raise Failure(Exit.REFUSED, f"the stream was refused: {close.reason}") from None
        if not self.begun.is_set() or tries >= _TRIES:
            why = str(error) or type(error).__name__
            raise Failure(Exit.UNREACHABLE, f"no stream from {self.place.url}: {why}") from None
