"""Who is hit, when, and how: drawn from the seed, mostly right after something happened."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from tests.chaos.house import House
from tests.chaos.owners import Owners
from tests.chaos.processes import Process
from tests.chaos.subscriber import Frame, Subscriber
from tests.chaos.terms import FREEZE_LEASES
from tests.chaos.trader import Trader

AFTER_SECONDS = 0.05
RARE_SECONDS = 0.4
"""How long the moment after a rarely hit kind of event is waited for."""

ANY_SECONDS = 4.0
"""And then after any event: where nothing happens there is nothing to break."""

REQUEST_SECONDS = 0.5

CALM_EVERY = 20
CALM_SECONDS = (2.0, 5.0)
"""Now and then the house is left alone: what takes time to prove must also be hit half-way."""

VICTIMS = {"worker": 0.76, "api": 0.18, "both workers": 0.04, "database": 0.02}
MOMENTS = {"after an event": 0.6, "after a request": 0.15, "any time": 0.25}


class Killer:
    """`blows` counts what was done, `moments` after what, `desks` whose owner was hit."""

    def __init__(
        self, house: House, owners: Owners, subscriber: Subscriber, trader: Trader
    ) -> None:
        self.blows: Counter[str] = Counter()
        self.moments: Counter[str] = Counter()
        self.desks: Counter[str] = Counter()
        self.killed = 0
        self.database_away: list[float] = []
        self.line_back: list[float] = []
        self.line_mended: list[float] = []
        self.line_back_disturbed: list[float] = []
        self._house, self._owners = house, owners
        self._subscriber, self._trader = subscriber, trader
        self._random: Random = house.terms.random("killer")
        self._lasting: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Hit until enough were killed mid-order."""
        terms = self._house.terms
        while self.killed < terms.kills:
            await asyncio.sleep(self._random.expovariate(1 / terms.gap))
            if self._random.random() < 1 / CALM_EVERY:
                await asyncio.sleep(self._random.uniform(*CALM_SECONDS))
            account = await self._moment()
            if self._subscriber.open_orders:
                await self._strike(account)
        await asyncio.gather(*self._lasting)

    async def _moment(self) -> str | None:
        """Wait for the moment; the account that it was about, if any."""
        kind, frame = self._draw(MOMENTS), None
        match kind:
            case "after an event":
                frame = await self._heard(self._rarely_hit(), RARE_SECONDS)
                if frame is None:
                    frame = await self._heard(frozenset(self._subscriber.kinds), ANY_SECONDS)
                kind = frame["type"] if frame is not None else "any time"
            case "after a request":
                self._trader.posting.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(REQUEST_SECONDS):
                        await self._trader.posting.wait()
        # Mostly at once: that is where things are half done.
        await asyncio.sleep(AFTER_SECONDS * self._random.random() ** 2)
        self.moments[kind] += 1
        return frame["account"] if frame is not None else None

    async def _heard(self, kinds: frozenset[str], seconds: float) -> Frame | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._subscriber.next(kinds)
        return None

    def _rarely_hit(self) -> frozenset[str]:
        """The kinds of events after which the fewest were hit: all get their turn."""
        kinds = sorted(self._subscriber.kinds, key=lambda kind: (self.moments[kind], kind))
        return frozenset(kinds[: len(kinds) // 2 + 1])

    async def _strike(self, account: str | None) -> None:
        match victim := self._draw(VICTIMS):
            case "database":
                self._owners.forget()
                self.blows["database: killed"] += 1
                self.killed += 1
                self.database_away.append(await self._house.kill_database())
                self._owners.forget()
            case "both workers":
                for process in self._house.living("worker"):
                    self._note_desks(process)
                    self._kill(process)
                self._owners.forget()
            case _:
                chosen = self._choose(victim, account)
                if chosen is not None:
                    self._hit(chosen)

    def _choose(self, role: str, account: str | None) -> Process | None:
        """Mostly the one that works the account."""
        there = self._house.living(role)
        pid = self._owners.of.get(account or "")
        owning = [p for p in there if p.pid == pid]
        if owning and self._random.random() < 0.85:
            return owning[0]
        return self._random.choice(there) if there else None

    def _hit(self, process: Process) -> None:
        how = self._random.random()
        if process.name.startswith("worker"):
            self._note_desks(process)
            self._owners.struck(process)
        if how < 0.82:
            self._kill(process)
            return
        process.freeze()
        seconds = self._random.uniform(*FREEZE_LEASES) * self._house.terms.lease
        self._keep(self._later(process, seconds, kill=how > 0.94))
        self.blows[f"{_role(process)}: frozen"] += 1

    async def _later(self, process: Process, seconds: float, *, kill: bool) -> None:
        await asyncio.sleep(seconds)
        if kill:
            self._kill(process, "killed while frozen")
        process.thaw()

    def _note_desks(self, process: Process) -> None:
        for account, pid in self._owners.of.items():
            self.desks[account] += pid == process.pid

    def _kill(self, process: Process, how: str = "killed") -> None:
        if process.alive and not process.doomed:
            process.kill()
            self.killed += 1
            self.blows[f"{_role(process)}: {how}"] += 1

    def _keep(self, blow: Coroutine[Any, Any, None]) -> None:
        """One that lasts; its end is waited for in the end."""
        task = asyncio.create_task(blow)
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)

    def _draw(self, chances: dict[str, float]) -> str:
        return self._random.choices(list(chances), list(chances.values()))[0]


def _role(process: Process) -> str:
    return process.name.partition("-")[0]
