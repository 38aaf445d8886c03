"""What the venue tells by itself, without gaps: each poll asks from the last place it read."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from app.brokers.sandbox.line import Line
from app.brokers.sandbox.reading import Reader
from app.ports import Report, illegible

log = structlog.get_logger()

RETRY_SECONDS = (0.05, 1.0)
"""The first pause after a failure, and the longest."""

COMPLAIN_SECONDS = 1.0


class Stream:
    """A background task that fills a queue. Its place in the stream outlives any lost line."""

    def __init__(self, line: Line, reader: Reader, head: int) -> None:
        self._line, self._reader, self._place = line, reader, head
        self._untold: deque[Report] = deque()
        self.news: Callable[[], None] | None = None
        self._away: str | None = None
        self._complained = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, in the running loop; once."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())

    def drain(self) -> Sequence[Report]:
        """What came since the last call. While the line is down and nothing is left to tell,
        raises ConnectionError, once a second at most; the gap is closed when it is up again."""
        told = list(self._untold)
        self._untold.clear()
        if not told and self._away is not None:
            now = time.monotonic()
            if now - self._complained >= COMPLAIN_SECONDS:
                self._complained = now
                raise ConnectionError(f"the stream is down: {self._away}")
        return told

    async def close(self) -> None:
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        pause, longest = RETRY_SECONDS
        while True:
            try:
                self._take(await self._line.news(self._place))
            except ConnectionError as away:
                if self._away is None:
                    log.warning("stream is down", error=str(away))
                self._away = str(away)
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
                continue
            if self._away is not None:
                log.info("stream is up again", place=self._place)
            self._away, pause = None, RETRY_SECONDS[0]

    def _take(self, said: Any) -> None:
        """Queue what was told and move on. Raises ConnectionError for an answer that is none."""
        try:
            told = [(int(report["seq"]), report) for report in said["reports"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ConnectionError(f"a stream that cannot be read: {error!r}") from error
        for place, report in told:
            if place <= self._place:
                continue
            read = self._reader.told(report)
            if read is not None and not illegible(read):
                # Else held against nothing: lists of orders and executions will tell it, or be
                # as illegible.
                self._untold.append(read)
            self._place = place
        if self._untold and self.news is not None:
            self.news()
