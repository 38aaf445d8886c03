"""Keeps what the market showed at each fill, a while after it, and at each order's end.

Marks are taken from the watched tape in market time: late perhaps, but exactly as of their
moment. They are written beside the order path, in batches. What is due stands in the desk's memory
and can be found again in the journal: fills and ends without a mark.
"""

import asyncio
import heapq
import time
from collections.abc import Iterable, Sequence

import structlog

from app.domain.fact import Filled
from app.domain.instant import DAY, MINUTE, SECOND, Instant
from app.domain.tca.spread import HORIZONS, NOT_CAPTURED
from app.engine.market import MarketDesk
from app.store import marks
from app.store.database import Database, unreachable
from app.store.journal import Recorded
from app.store.marks import Due, Taken

log = structlog.get_logger()

AFTER_FILL = (0, *HORIZONS)
WRITE_SECONDS = 0.25
AT_ONCE = 500
LATE = SECOND
"""Live quotes may come this late: a moment is looked at when they are in."""

PATIENCE = MINUTE
"""So long a live tape that does not reach a moment is waited for."""

REMEMBERED = DAY
"""After a restart, fills and ends of this last stretch of market time are looked through."""

AFTER_CLOSE, NO_QUOTE = "after_close", "no_quote"


class Marking:
    """One desk's marks."""

    def __init__(self, database: Database, account: str, market: MarketDesk) -> None:
        self._database = database
        self._account = account
        self._market = market
        self._heap: list[tuple[Instant, Due]] = []
        """When to look, and at what."""
        self._ended: set[str] = set()
        self._writing: asyncio.Task[None] | None = None
        self._wrote_at = 0.0

    @property
    def pending(self) -> int:
        """How many moments are still to be looked at."""
        return len(self._heap) + len(self._ended)

    def note(self, recorded: Iterable[Recorded]) -> None:
        """Remember what came of these orders: fills to be judged, and ends."""
        for result in recorded:
            self._push(_after(result, result.booked))
            if result.execution.done and not result.stale:
                self._ended.add(result.order_id)

    async def recover(self, now: Instant) -> None:
        """Find in the journal what was due and not taken; have its symbols watched."""
        async with self._database.connection() as connection:
            found = await marks.missing(
                connection, account=self._account, since=now - REMEMBERED, after=AFTER_FILL
            )
        self._push(found)
        recent = {due.symbol: due.at for due in found if due.at > now - 10 * MINUTE}
        for symbol, since in recent.items():
            await self._market.need(symbol, since)

    def turn(self, now: Instant) -> None:
        """Have written what is due by now. Returns at once."""
        at = time.monotonic()
        if self._writing is not None and not self._writing.done():
            return
        if at - self._wrote_at < WRITE_SECONDS or not self._something(now):
            return
        self._wrote_at = at
        self._writing = asyncio.create_task(self._write(now), name=f"marks of {self._account}")

    async def close(self) -> None:
        """Stop; what is not written is found again by whoever opens the desk next."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _something(self, now: Instant) -> bool:
        return bool(self._ended) or bool(self._heap and self._heap[0][0] <= now - self._late)

    @property
    def _late(self) -> int:
        return 0 if self._market.clock.stepped else LATE

    async def _write(self, now: Instant) -> None:
        ended, due = list(self._ended), self._due(now)
        self._ended.clear()
        try:
            if ended:
                async with self._database.beside() as connection:
                    self._push(await marks.ends(connection, account=self._account, order_ids=ended))
                due += self._due(now)
            taken = self._take(due, now)
            if taken:
                async with self._database.beside() as connection:
                    await marks.keep(connection, account=self._account, taken=taken)
        except Exception as failure:
            # Beside the order path: whatever fails here must not end a desk.
            away = unreachable(failure)
            tell = log.warning if away else log.error
            tell("marks not written", account=self._account, exc_info=failure)
            if away:
                self._ended.update(ended)
                self._push(due)

    def _due(self, now: Instant) -> list[Due]:
        found: list[Due] = []
        until = now - self._late
        while self._heap and self._heap[0][0] <= until and len(found) < AT_ONCE:
            found.append(heapq.heappop(self._heap)[1])
        return found

    def _take(self, due: Sequence[Due], now: Instant) -> list[Taken]:
        taken = []
        for one in dict.fromkeys(due):
            seen = self._look(one, now)
            if seen is not None:
                taken.append(seen)
            else:
                heapq.heappush(self._heap, (now + SECOND, one))
        return taken

    def _look(self, due: Due, now: Instant) -> Taken | None:
        """What the market showed at its moment; None: the tape may still get there."""
        if due.at >= due.closes_at:
            return Taken(due.order_id, due.at, reason=AFTER_CLOSE)
        if due.symbol not in self._market.watched:
            return self._given_up(due, now)
        tape = self._market.feed.tape(due.symbol)
        if tape.since > due.at:
            return Taken(due.order_id, due.at, reason=NOT_CAPTURED)
        if tape.until < due.at:
            return self._given_up(due, now)
        quote = tape.quote(due.at)
        if quote is None or quote.bid <= 0 or quote.ask <= 0:
            return Taken(due.order_id, due.at, reason=NO_QUOTE)
        return Taken(due.order_id, due.at, quote.bid, quote.ask, quote.at)

    def _given_up(self, due: Due, now: Instant) -> Taken | None:
        if now - due.at < PATIENCE:
            return None
        return Taken(due.order_id, due.at, reason=NOT_CAPTURED)

    def _push(self, found: Iterable[Due]) -> None:
        for due in found:
            heapq.heappush(self._heap, (due.at, due))


def _after(result: Recorded, booked: Sequence[Filled]) -> list[Due]:
    task = result.execution.task
    moments = dict.fromkeys(fill.at + after for fill in booked for after in AFTER_FILL)
    return [
        Due(at, result.order_id, task.instrument.symbol, task.session.closes_at) for at in moments
    ]
