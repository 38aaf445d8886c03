"""Group commit without a timer: what arrives during a commit forms the next batch."""

import asyncio
from collections import deque

from app.store.arrival import Arrival, Verdict
from app.store.background import Background
from app.store.database import Database, unreachable
from app.store.intake import insert

_BATCH_MAX = 1_000


class Intake:
    """One writer of accepted orders. A caller that goes away changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[Arrival, asyncio.Future[Verdict]]] = deque()
        self._arrived = asyncio.Event()
        self.loop = Background(self._run, "intake")

    def start(self) -> None:
        self.loop.start()

    async def close(self) -> None:
        """Stop; arrivals that still wait are told."""
        await self.loop.close()
        _fail(list(self._waiting), ConnectionError("the server is stopping"))
        self._waiting.clear()

    async def put(self, arrival: Arrival) -> Verdict:
        """The committed verdict on one arrival."""
        # A caller that is canceled cancels its future, never the commit that answers it.
        return await self.add(arrival)

    def add(self, arrival: Arrival) -> "asyncio.Future[Verdict]":
        """What will be the committed verdict on one arrival; what is added without waiting in
        between travels together."""
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, answer))
        self._arrived.set()
        return answer

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._commit(self._next_batch())

    def _next_batch(self) -> list[tuple[Arrival, "asyncio.Future[Verdict]"]]:
        """Waiting arrivals in order, up to the first that shares a key with one before it."""
        batch: list[tuple[Arrival, asyncio.Future[Verdict]]] = []
        keys: set[tuple[object, ...]] = set()
        while self._waiting and len(batch) < _BATCH_MAX:
            if not keys.isdisjoint(self._waiting[0][0].keys):
                break
            batch.append(self._waiting.popleft())
            keys.update(batch[-1][0].keys)
        return batch

    async def _commit(self, batch: list[tuple[Arrival, "asyncio.Future[Verdict]"]]) -> None:
        placed: set[int] = set()

        def tell(place: int, verdict: Verdict) -> None:
            placed.add(place)
            answer = batch[place][1]
            if not answer.done():
                answer.set_result(verdict)

        try:
            await insert(self._database, [arrival for arrival, _ in batch], tell)
        except asyncio.CancelledError:
            _fail(batch, ConnectionError("the server is stopping"))
            raise
        except Exception as failure:
            # Not by who has an answer: a caller that went away has its own, and no verdict.
            left = [one for place, one in enumerate(batch) if place not in placed]
            if len(left) > 1 and not unreachable(failure):
                # A row the database refuses must not fail its neighbours: each for itself.
                for one in left:
                    await self._commit([one])
                return
            # The caller must know. Nothing of theirs was committed, unless the answer to the
            # commit itself was lost: asking again is safe by its key.
            _fail(left, failure)


def _fail(batch: list[tuple[Arrival, "asyncio.Future[Verdict]"]], failure: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(failure)
