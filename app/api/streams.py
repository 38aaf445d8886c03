"""What all open streams share: how patient they are, and the moment they all end."""

import asyncio
import time
from dataclasses import dataclass, field

from app.api.rates import RateRules, Rates
from app.domain.instant import rfc3339
from app.engine.access import Key, Keyring
from app.engine.reading import unreachable
from app.engine.subscription import Gap


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `send`: a reader slower than this is let go; `look`: how often a key is checked;
    `goodbye`: how long a blocked reader may take to hear why it was let go."""

    auth: float = 5.0
    heartbeat: float = 5.0
    look: float = 2.0
    send: float = 10.0
    goodbye: float = 60.0


@dataclass(frozen=True, slots=True)
class Streams:
    """The open streams of one app. `closing` ends them, so that the server can stop."""

    keyring: Keyring
    pace: Pace = Pace()
    rates: Rates = field(default_factory=lambda: Rates(RateRules()))
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def close(self) -> None:
        """End every stream: WebSockets with 1012, the others by their end."""
        self.closing.set()

    async def still_living(self, text: str, scope: str) -> bool:
        """Whether a key may still listen; when the database is away, nobody revoked it there."""
        try:
            key: Key | None = await self.keyring.find(text)
        except Exception as failure:
            if not unreachable(failure):
                raise
            return True
        return key is not None and key.may(scope)


def gap_answer(gap: Gap) -> dict[str, str]:
    """Told before the oldest event that is left: what lies before it is gone from the log."""
    return {"type": "gap", "oldest": str(gap.oldest)}


def machine_time() -> str:
    return rfc3339(time.time_ns() // 1_000)
