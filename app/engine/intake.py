"""Group commit without a timer: what arrives during a commit forms the next batch.

Of many that wait only half leave: clients that are answered all at once ask again all at once, and
this process and the database would work in turns, each waiting for the other. What came in one
request stays together.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.store.arrival import Arrival, Verdict
from app.store.background import Background
from app.store.database import Database, KeptConnection, unreachable
from app.store.intake import insert

_BATCH_MAX = 1_000

_WORTH_HALVING = 16
"""A statement has a price of its own; for fewer orders it is most of it."""


class _Waiting(NamedTuple):
    """An arrival and who waits for its verdict; `more`: the next one came with it."""

    arrival: Arrival
    answer: "asyncio.Future[Verdict]"
    more: bool = False


class Intake:
    """One writer of accepted orders. A caller that goes away changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = KeptConnection(database)
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self.loop = Background(self._run, "intake")

    def start(self) -> None:
        self.loop.start()

    async def close(self) -> None:
        """Stop; arrivals that still wait are told."""
        await self.loop.close()
        _fail(self._waiting, ConnectionError("the server is stopping"))
        self._waiting.clear()

    def put(self, arrival: Arrival) -> "asyncio.Future[Verdict]":
        """What will be the committed verdict on one arrival. A caller that is canceled cancels it,
        never the commit that answers it."""
        waiting = _Waiting(arrival, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return waiting.answer

    def add_all(self, arrivals: Sequence[Arrival]) -> "list[asyncio.Future[Verdict]]":
        """The same of many that travel together."""
        loop = asyncio.get_running_loop()
        added = [
            _Waiting(arrival, loop.create_future(), more=number < len(arrivals))
            for number, arrival in enumerate(arrivals, 1)
        ]
        self._waiting.extend(added)
        self._arrived.set()
        return [one.answer for one in added]

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                while self._waiting:
                    await self._commit(self._next_batch())
            finally:
                await self._kept.rest()

    def _next_batch(self) -> list[_Waiting]:
        """Waiting arrivals in order, up to half of them, or the first that shares a key with one
        before it."""
        batch: list[_Waiting] = []
        keys: set[tuple[object, ...]] = set()
        half = max(len(self._waiting) // 2, _WORTH_HALVING)
        while self._waiting and len(batch) < _BATCH_MAX:
            following = bool(batch) and batch[-1].more
            if len(batch) >= half and not following:
                break
            own = self._waiting[0].arrival.keys
            if not keys.isdisjoint(own):
                break
            batch.append(self._waiting.popleft())
            keys.update(own)
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        placed: set[int] = set()

        def tell(place: int, verdict: Verdict) -> None:
            placed.add(place)
            answer = batch[place].answer
            if not answer.done():
                answer.set_result(verdict)

        try:
            await insert(self._database, [one.arrival for one in batch], tell, self._kept)
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


def _fail(batch: Iterable[_Waiting], failure: Exception) -> None:
    for one in batch:
        if not one.answer.done():
            one.answer.set_exception(failure)
