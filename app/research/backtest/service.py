"""The API's side of backtests: they are asked for here, and run in processes of their own."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from app.domain.refusal import Conflict, Missing, Refusal, Unavailable
from app.ports import FeedError
from app.research.backtest.plan import Plan, check
from app.research.backtest.plan_json import plan_to_json
from app.research.backtest.source import NoTape, Source
from app.store import backtests
from app.store.background import Background
from app.store.backtests import Claimed
from app.store.database import Database, unreachable

log = structlog.get_logger()

LOOK_SECONDS = 2.0
WAITING_MAX = 20
GOODBYE_SECONDS = 5.0
STOPPED = "the server was stopped; start it again for the same result"


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be asked, and how much of the machine it may take."""

    at_once: int
    parents_max: int
    what_if_seconds: float


@dataclass(frozen=True, slots=True)
class Command:
    """What starts a process for a backtest (`work ID`) or a replay (`replay`)."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


Opened = Callable[[str], Source]
"""The source of a tape's name."""


class Backtests:
    """Starts what was asked for, at most `at_once` at a time, and says what became of it."""

    def __init__(self, database: Database, terms: Terms, command: Command, opened: Opened) -> None:
        self.loop = Background(self._run, "backtests")
        self.terms = terms
        self._database, self._command, self._opened = database, command, opened
        self._running: dict[str, asyncio.Task[None]] = {}
        self._poked = asyncio.Event()
        self._replaying = asyncio.Lock()

    async def ask(self, id: str, key_id: str, plan: Plan) -> None:
        """Queue a backtest. Raises Refusal for what cannot be run, Unavailable where too many
        wait already."""
        self._check_size(check(plan))
        await asyncio.to_thread(_check_tape, self._opened, plan)
        async with self._database.transaction() as connection:
            if await backtests.count_open(connection) >= WAITING_MAX:
                raise Unavailable("too_many_backtests", f"{WAITING_MAX} backtests wait already")
            await backtests.add(
                connection, id=id, key_id=key_id, plan=plan_to_json(plan), total=plan.parents
            )
        self._poked.set()

    async def cancel(self, id: str) -> None:
        """Cancel one that is not over, forget one that is. Raises Missing."""
        async with self._database.transaction() as connection:
            if not await backtests.cancel(connection, id) and not await backtests.remove(
                connection, id
            ):
                raise Missing("unknown_backtest", "no such backtest")

    async def restart(self, id: str) -> None:
        """Queue one again that ended without a result. Raises Conflict for any other."""
        self._check_on()
        async with self._database.transaction() as connection:
            if not await backtests.restart(connection, id):
                raise Conflict("backtest_not_over", "it waits, runs, or has its result")
        self._poked.set()

    async def what_if(self, order_id: str, changes: Mapping[str, str], tape: str) -> Any:
        """An order in virtual time. Raises Refusal as the replay does, Unavailable where it takes
        too long."""
        asked = json.dumps({"order_id": order_id, "set": dict(changes), "tape": tape})
        try:
            async with asyncio.timeout(self.terms.what_if_seconds), self._replaying:
                told = await self._replay(asked)
        except TimeoutError:
            raise Unavailable(
                "what_if_too_slow", f"no answer in {self.terms.what_if_seconds:g} seconds"
            ) from None
        if "refused" in told:
            kinds = {"Missing": Missing, "Conflict": Conflict, "Unavailable": Unavailable}
            refused = told["refused"]
            kind = kinds.get(refused["kind"], Refusal)
            raise kind(refused["code"], refused["message"], field=refused["field"])
        return told["answer"]

    async def close(self) -> None:
        """Stop what runs; it stands as `interrupted`."""
        await self.loop.close()
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _check_size(self, plan: Plan) -> None:
        self._check_on()
        if plan.parents > self.terms.parents_max:
            raise Refusal("too_large", f"at most {self.terms.parents_max} parents", field="parents")
        if len(plan.algos) > 8:
            raise Refusal("too_large", "at most 8 algorithms", field="algos")

    def _check_on(self) -> None:
        if self.terms.at_once == 0:
            raise Conflict("no_backtests", "this server runs no backtests")

    async def _run(self) -> None:
        while True:
            self._poked.clear()
            try:
                await self._look()
            except Exception as failure:
                # Beside everything else: it may not end the API, and the next look tries again.
                if not unreachable(failure):
                    log.error("backtests", exc_info=failure)
            with suppress(TimeoutError):
                # Not `wait_for`: before Python 3.12 it may swallow that we are to end.
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._poked.wait()

    async def _look(self) -> None:
        self._running = {id: task for id, task in self._running.items() if not task.done()}
        async with self._database.connection() as connection:
            for id in await backtests.interrupt_silent(connection):
                log.warning("backtest interrupted", id=id)
            while len(self._running) < self.terms.at_once:
                claimed = await backtests.claim(connection)
                if claimed is None:
                    return
                self._running[claimed.id] = asyncio.create_task(self._one(claimed))

    async def _one(self, of: Claimed) -> None:
        process = await self._start("work", of.id)
        try:
            code = await process.wait()
            reason = f"its process was ended by {_name(code)}; start it again for the same result"
        except asyncio.CancelledError:
            await _end(process)
            code, reason = 1, STOPPED
        if code != 0:
            async with self._database.connection() as connection:
                await backtests.stop(connection, of, "interrupted", reason)
        self._poked.set()

    async def _replay(self, asked: str) -> Any:
        process = await self._start("replay", pipe=asyncio.subprocess.PIPE)
        try:
            out, _ = await process.communicate(asked.encode())
        finally:
            await _end(process)
        if process.returncode != 0:
            raise RuntimeError(f"a replay ended with {process.returncode}")
        return json.loads(out)

    async def _start(self, *arguments: str, pipe: int | None = None) -> Process:
        # Its own session: Ctrl-C is for the server, which tells us in its turn.
        return await asyncio.create_subprocess_exec(
            *self._command.arguments,
            *arguments,
            env=dict(self._command.environment),
            start_new_session=True,
            stdin=pipe or asyncio.subprocess.DEVNULL,
            stdout=pipe or sys.stderr,
        )


def _check_tape(opened: Opened, plan: Plan) -> None:
    try:
        source = opened(plan.tape)
        missing = [symbol for symbol in plan.symbols if source.instrument(symbol) is None]
    except (NoTape, FeedError, OSError) as wrong:
        raise Refusal("no_tape", str(wrong), field="tape") from None
    if missing:
        known = ", ".join(source.symbols()) or "none"
        words = f"no symbol {missing[0]!r} on this tape; there are: {known}"
        raise Refusal("no_tape", words, field="symbols")


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
