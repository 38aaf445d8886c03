"""The second stage: requests recombined out of what schemathesis made, many at once, in a process
of its own."""

import asyncio
import queue
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.queues import Queue
from random import Random
from urllib.parse import urlsplit

import httpx

from tests.fuzz.answered import Answered
from tests.fuzz.keeping import EVERY, tidy
from tests.fuzz.known import Known
from tests.fuzz.line import Line, NoAnswer, header_lines
from tests.fuzz.pages import Pages
from tests.fuzz.recombine import Recombiner
from tests.fuzz.shots import Shot, as_curl, headers_of, target_of
from tests.fuzz.tally import Tally
from tests.fuzz.weights import Weights

AT_ONCE = 8
_PAUSE = 60.0
_WORDS_EVERY = 20.0


@dataclass(frozen=True)
class Orders:
    """What a storm is told to do; `until` is a moment of the monotonic clock."""

    url: str
    key: str
    seed: int
    requests: int
    until: float = float("inf")


def rage(orders: Orders, cases: "Queue[Shot]", results: "Queue[Tally]") -> None:
    """A process's whole life: draw cases, ask, tell the tally."""
    results.put(asyncio.run(Storm(orders, cases).run()))


class Storm:
    def __init__(self, orders: Orders, cases: "Queue[Shot]") -> None:
        self._orders, self._cases = orders, cases
        self._chance = Random(orders.seed)
        self._headers = {"Authorization": f"Bearer {orders.key}"}
        self.tally = Tally(orders.requests, "storm")
        self._out = 0
        self._said = time.monotonic()

    async def run(self) -> Tally:
        """Until the tally is full, or the time is over."""
        orders = self._orders
        with httpx.Client(base_url=orders.url, headers=self._headers, timeout=_PAUSE) as keeper:
            self._pages = Pages.of(keeper)
            self._weights = Weights(self._pages.labels, self._chance)
            bound = _bound_key(keeper)
            spared = frozenset(key.split("_")[1] for key in (orders.key, bound))
            self._known = Known(self._chance, spared)
            operations = self._pages.operations
            self._made = Recombiner(operations, self._known, self._chance, bound)
            await asyncio.gather(self._keep(keeper), *(self._ask_on() for _ in range(AT_ONCE)))
            tidy(keeper)
        return self.tally

    @property
    def _over(self) -> bool:
        return self._out >= self._orders.requests or time.monotonic() > self._orders.until

    async def _keep(self, keeper: httpx.Client) -> None:
        """The caretaker's rounds, beside the storm."""
        while not self._over:
            tidied = self._out
            await asyncio.to_thread(tidy, keeper)
            while self._out < tidied + EVERY and not self._over:
                await asyncio.sleep(0.02)

    async def _ask_on(self) -> None:
        url = urlsplit(self._orders.url)
        line = Line(str(url.hostname), int(url.port or 80), _PAUSE)
        while not self._over:
            self._out += 1
            self._draw()
            await self._ask(line)
            self._say()
        line.close()

    async def _ask(self, line: Line) -> None:
        shot = self._made.make(self._weights.choose())
        operation = self._pages.operation(shot.label)
        target = target_of(shot, operation.path)
        headers = header_lines(headers_of(shot, self._orders.key))
        try:
            answered = await line.ask(operation.method, target, headers, shot.content)
        except NoAnswer as failure:
            self.tally.took(shot.label, 0, 0.0)
            self._wrong(shot, operation.method, target, "no answer", str(failure))
            return
        self.tally.took(shot.label, answered.status, answered.seconds)
        self._weights.took(shot.label, answered.seconds)
        for kind, detail in self._faults(shot, answered):
            self._wrong(shot, operation.method, target, kind, detail)
        self._known.learn(shot.label, answered)

    def _faults(self, shot: Shot, answered: Answered) -> Iterator[tuple[str, str]]:
        yield from self._pages.faults(shot.label, answered)
        if shot.refused and answered.status < 400:
            yield "took what is wrong", f"{answered.status} {answered.start}"
        # After many wrong keys, 429: who guesses has to wait.
        if shot.locked and answered.status not in (401, 429):
            yield "open without a key", f"{answered.status} {answered.start}"

    def _wrong(self, shot: Shot, method: str, target: str, kind: str, detail: str) -> None:
        orders = self._orders
        curl = as_curl(shot, method, orders.url + target, orders.key)
        self.tally.wrong(shot.label, kind, detail, curl)

    def _draw(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._made.add(self._cases.get_nowait())

    def _say(self) -> None:
        if time.monotonic() > self._said + _WORDS_EVERY:
            self._said = time.monotonic()
            print(
                f"storm: {self.tally.asked} requests, {len(self.tally.faults)} faults", flush=True
            )


def _bound_key(keeper: httpx.Client) -> str:
    body = {"name": "bound", "scopes": ["read"], "accounts": ["alpha"]}
    key: str = keeper.post("/keys", json=body).raise_for_status().json()["key"]
    return key
