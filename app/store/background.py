"""A loop that lives as long as its owner; its death is never silent."""

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """One task of a long-lived object. `task` ends early only by a mistake of ours: whoever runs
    the process waits on it too, and ends with its exception."""

    def __init__(self, work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
        self._work = work
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name=self._name)

    @property
    def task(self) -> "asyncio.Task[None]":
        assert self._task is not None, f"{self._name} was not started"
        return self._task

    def check(self) -> None:
        """Raise what ended the task, if something did."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def close(self) -> None:
        """End the task; nothing happens when it was never started."""
        if self._task is not None:
            self._task.cancel()
            # What ended it before is told by `check` and by whoever waits on `task`.
            await asyncio.gather(self._task, return_exceptions=True)
