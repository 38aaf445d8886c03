"""When twins are asked for again: each for itself, so that one that cannot be answered holds up no
other."""

import asyncio
from collections.abc import Awaitable, Callable

AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""When twins are asked for again of which one is over; then reconciliation asks."""

RETRY_SECONDS = (0.5, 30.0)
TRIES = 10
"""How often it is asked whose leg an update is about, and for what is somebody else's."""


class Again:
    """`ask` is handed a head and how often it was asked for since something happened; whether it
    was answered. `is_theirs`: a head that is asked for only so often."""

    def __init__(
        self, ask: Callable[[str, int], Awaitable[bool]], is_theirs: Callable[[str], bool]
    ) -> None:
        self._ask, self._is_theirs = ask, is_theirs
        self._doubted: dict[str, int] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    def begin(self, head_id: str, times: int) -> None:
        """Ask for it as soon as can be."""
        self._doubted[head_id] = min(times, self._doubted.get(head_id, times))
        if head_id not in self._asking:
            self._asking[head_id] = asyncio.create_task(self._look(head_id))

    def later(self, head_id: str, times: int) -> bool:
        """Ask for it again after a while; False: it was asked for often enough."""
        if times >= len(AGAIN_SECONDS):
            return False
        loop = asyncio.get_running_loop()
        loop.call_later(AGAIN_SECONDS[times], self.begin, head_id, times + 1)
        return True

    async def close(self) -> None:
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _look(self, head_id: str) -> None:
        pause, longest = RETRY_SECONDS
        failed = 0
        try:
            while head_id in self._doubted:
                # What happens while it is asked for is asked for again.
                times = self._doubted.pop(head_id)
                if await self._ask(head_id, times):
                    continue
                failed += 1
                if failed > TRIES and self._is_theirs(head_id):
                    return
                self._doubted.setdefault(head_id, times)
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
        finally:
            self._asking.pop(head_id, None)
