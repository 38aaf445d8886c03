"""One account at the adversarial venue with Alpaca's face, and the Alpaca broker in front of it."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from app.brokers.alpaca import open_broker
from app.brokers.alpaca.broker import AlpacaBroker
from app.ports import Report
from tests.brokers.rehearsal import CALM_MARKET, Rehearsal

QUICK = {
    "submit_timeout_ms": 800,
    "cancel_timeout_ms": 800,
    "question_timeout_ms": 1_500,
    "requests_per_minute": 60_000,
    "lookup_lag_ms": 1,
}


class AlpacaRehearsal(Rehearsal):
    """A fresh account with keys of its own."""

    def open(self, *chances: str, **behaviour: Any) -> Any:
        return super().open(*chances, **{"ids": "uuid", **behaviour})

    def open_calm(self) -> Any:
        return self.open(**CALM_MARKET)

    def crash(self, **options: Any) -> AlpacaBroker:
        broker = open_broker(self.account, lambda symbol: {}[symbol], self.options | options)
        assert isinstance(broker, AlpacaBroker)
        self.opened.append(broker)
        return broker

    @property
    def options(self) -> dict[str, Any]:
        return {
            "url": f"{self.venue.url}/alpaca/{self.account}",
            "key_id": f"key-{self.account}",
            "secret_key": f"secret-{self.account}",
            **QUICK,
        }

    async def listening(self, broker: Any) -> None:
        """Until updates are heard, and the gap before them is closed."""
        broker._stream.start()
        await self.until(lambda: broker._stream.away is None, seconds=15)

    async def hear(self, broker: Any, seconds: float = 0) -> Sequence[Report]:
        """What is told, each thing once: stream and questions may both tell it."""
        return list(dict.fromkeys(await self.hear_all(broker)))

    async def hear_all(self, broker: Any) -> Sequence[Report]:
        """Every time that it is told."""
        await self.listening(broker)
        return await super().hear(broker)

    async def hear_something(self, broker: Any) -> Sequence[Report]:
        """What is told next, within fifteen seconds, until nothing more is; a line that is down
        tells nothing until it is back."""
        told: Sequence[Report] = []
        until = time.monotonic() + 15
        while not told and time.monotonic() < until:
            with suppress(ConnectionError):
                told = await self.hear(broker)
        return told
