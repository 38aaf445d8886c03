"""Processes of a house: started cold or from the nursery, killed, frozen, and waited for."""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Ended = Callable[["Process", int], None]


@dataclass(eq=False)
class Process:
    """One that was started. `doomed`: we killed it, or are about to."""

    name: str
    pid: int
    alive: bool = True
    frozen: bool = False
    doomed: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> None:
        self.doomed = True
        self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        self.frozen = True
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.frozen = False
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Nursery:
    """The forking process, and who came out of it."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._living: dict[int, Process] = {}
        self._awaited: deque[tuple[str, asyncio.Future[Process]]] = deque()
        self._forker: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Raises AssertionError when it does not start."""
        self._forker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.nursery",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        assert self._forker.stdout is not None
        assert await self._forker.stdout.readline() == b"ready\n", "the nursery does not start"
        self._reader = asyncio.create_task(self._listen(self._forker.stdout))

    async def warm(self, name: str, role: str, environment: dict[str, str], log: Path) -> Process:
        """Fork a process that has imported everything."""
        assert self._forker is not None, "it was opened"
        assert self._forker.stdin is not None, "it is a pipe"
        born: asyncio.Future[Process] = asyncio.get_running_loop().create_future()
        self._awaited.append((name, born))
        told = {"role": role, "environment": environment, "log": str(log)}
        self._forker.stdin.write(json.dumps(told).encode() + b"\n")
        return await born

    async def cold(self, name: str, role: str, environment: dict[str, str], log: Path) -> Process:
        """Start it as a supervisor does."""
        with log.open("ab") as file:
            started = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app.main", role, env=environment, stdout=file, stderr=file
            )
        process = Process(name, started.pid)
        task = asyncio.create_task(self._wait(process, started))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return process

    async def close(self) -> None:
        if self._forker is not None and self._forker.stdin is not None:
            self._forker.stdin.close()
            await self._forker.wait()
        if self._reader is not None:
            await self._reader

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            word, pid, *code = line.decode().split()
            if word == "started":
                name, born = self._awaited.popleft()
                self._living[int(pid)] = process = Process(name, int(pid))
                if born.cancelled():
                    # Whoever wanted it is gone: the house closes.
                    process.kill()
                else:
                    born.set_result(process)
            else:
                self._over(self._living.pop(int(pid)), int(code[0]))

    async def _wait(self, process: Process, started: asyncio.subprocess.Process) -> None:
        self._over(process, await started.wait())

    def _over(self, process: Process, code: int) -> None:
        process.alive = False
        process.ended.set()
        self._ended(process, code)
