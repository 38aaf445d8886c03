"""Who is hit on a chain: the front's worker, the back in parts or as a whole, or the line."""

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING

from tests.chain.wire import Way
from tests.chaos.killer import Killer
from tests.chaos.owners import Owners
from tests.chaos.subscriber import Subscriber
from tests.chaos.trader import Trader

if TYPE_CHECKING:
    from tests.chaos.chain import Chain

VICTIMS = {
    "worker": 0.32,
    "back worker": 0.12,
    "back api": 0.12,
    "whole back": 0.1,
    "line": 0.34,
}
LINE = {
    "cut": 0.25,
    "reset": 0.1,
    "answers lost": 0.25,
    "stalled": 0.05,
    "answers stalled": 0.1,
    "orders stalled": 0.25,
}
"""`reset` breaks what there is and takes new connections at once."""

LOST_SECONDS = (0.2, 2.0)

CUT_SECONDS = ((0.0, 0.3), (0.3, 5.0))
STALL_SECONDS = ((0.1, 2.0), (4.0, None))
"""A short one, or a long one: past an answer's time, or even that of a ping, as terms allow."""

_STALLS = {"stalled": Way.ALL, "answers stalled": Way.ANSWERS, "orders stalled": Way.ORDERS}

LEFT_ALONE = 0.7
"""So often nothing else is hit until news came over the line again."""

NEWS = frozenset({"child.sent", "child.working", "fill.booked"})
NEWS_SECONDS = 60.0


class LineKiller(Killer):
    """Kills and cuts count alike; nobody is frozen: a stalled line is what that looks like."""

    def __init__(
        self, house: "Chain", owners: Owners, subscriber: Subscriber, trader: Trader
    ) -> None:
        super().__init__(house, owners, subscriber, trader)
        self._chain = house
        self._line_hit = False

    async def _strike(self, account: str | None) -> None:
        match self._draw(VICTIMS):
            case "worker":
                chosen = self._choose("worker", account)
                if chosen is not None:
                    self._note_desks(chosen)
                    self._owners.struck(chosen)
                    self._kill(chosen)
            case "line":
                await self._hit_line()
            case "whole back":
                self._hit_back("whole back", ("worker", "api"))
            case victim:
                self._hit_back(victim, (victim.removeprefix("back "),))

    def _hit_back(self, victim: str, roles: tuple[str, ...]) -> None:
        there = [process for role in roles for process in self._chain.back.living(role)]
        for process in there:
            process.kill()
        if there:
            self.killed += 1
            self.blows[f"{victim}: killed"] += 1

    async def _hit_line(self) -> None:
        if self._line_hit:
            return
        self._line_hit = True
        how = self._draw(LINE)
        self.killed += 1
        self.blows[f"line: {how}"] += 1
        match how:
            case "answers lost":
                blow = self._lose()
            case "stalled" | "answers stalled" | "orders stalled":
                blow = self._stall(how)
            case _:
                blow = self._cut(how)
        if self._random.random() < LEFT_ALONE:
            await blow
        else:
            self._keep(blow)

    async def _lose(self) -> None:
        self._chain.wire.losing = True
        await asyncio.sleep(self._random.uniform(*LOST_SECONDS))
        self._chain.wire.losing = self._line_hit = False

    async def _stall(self, how: str) -> None:
        least, most = self._random.choice(STALL_SECONDS)
        seconds = self._random.uniform(least, most or self._chain.terms.stall)
        self._chain.wire.stall(_STALLS[how])
        await asyncio.sleep(seconds)
        self._chain.wire.flow()
        self._line_hit = False

    async def _cut(self, how: str) -> None:
        before, begun = self.killed, time.time()
        seconds = self._random.uniform(*self._random.choice(CUT_SECONDS))
        if how == "cut":
            self._chain.wire.cut()
            await asyncio.sleep(seconds)
            await self._chain.wire.mend()
        else:
            self._chain.wire.reset()
        mended = time.time()
        self._line_hit = False
        if how != "cut":
            return  # What had arrived before would look like news.
        at = await self._news_after(mended)
        if at is None:
            return
        if self.killed != before:
            self.line_back_disturbed.append(at - begun)
            return
        self.line_back.append(at - begun)
        self.line_mended.append(at - mended)

    async def _news_after(self, moment: float) -> float | None:
        """When something is known of the back that happened after a moment."""
        until = time.time() + NEWS_SECONDS
        while time.time() < until:
            frame = await self._heard(NEWS, 1.0)
            if frame is not None:
                at = datetime.fromisoformat(frame["ts"]).timestamp()
                if at > moment:
                    return at
        return None
