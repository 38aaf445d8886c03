"""Kill switches: thrown by whoever may cancel, released by whoever steers risk.

Each has two ways in: through the service, and straight to a database, for the moment in which
nothing of ours answers but PostgreSQL. The rows are the same, and so are the locks.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from app.domain.refusal import Forbidden, Missing, Refusal
from app.engine.causes import Released, causes_of, released_told
from app.engine.kill_progress import Thrown, fully_told, progress_of
from app.engine.service import Caller, Service
from app.failpoints import reach
from app.store import accounts, controls
from app.store.controls import EVERYTHING, Level, Scope, Switch, as_told
from app.store.database import Connection, Database
from app.store.doorbell import EVENTS, WORK, ring_once

log = structlog.get_logger()

__all__ = [
    "EVERYTHING",
    "Level",
    "Released",
    "Scope",
    "Switch",
    "Target",
    "Thrown",
    "as_told",
    "fully_told",
    "release",
    "release_directly",
    "released_told",
    "switches",
    "switches_directly",
    "throw",
    "throw_directly",
]


@dataclass(frozen=True, slots=True)
class Target:
    """What a switch bears on. The scope `all` has one name, `*`."""

    scope: Scope
    name: str


async def switches(service: Service, caller: Caller) -> list[Thrown]:
    """The switches in force that bear on the caller's accounts."""
    async with service.database.connection() as connection:
        found = await controls.thrown(connection, accounts=caller.accounts)
        return [await progress_of(connection, one, caller.accounts) for one in found]


async def throw(
    service: Service, caller: Caller, target: Target, level: Level, reason: str
) -> Thrown:
    """Throw a switch. On return no intent in its scope can be committed any more.

    Raises Forbidden for a key of some accounts or symbols that reaches for more than one of them
    and for one that may not flatten, Refusal for an account that is not there.
    """
    _check_reach(caller, target)
    _check_trades(caller, level)
    async with service.database.transaction() as connection:
        switch = await _throw(connection, target, level, reason, caller.key_id)
        reach("switch.written")
    reach("switch.committed")
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    return await _reported(service.database, switch, caller.accounts)


async def release(service: Service, caller: Caller, target: Target, reason: str) -> Released:
    """Release a switch: orders go on, those that a `cancel` ended stay ended. Whoever threw it for
    what still stands throws it again.

    Raises Forbidden like `throw`, Missing where no such switch is thrown.
    """
    _check_reach(caller, target)
    async with service.database.transaction() as connection:
        released = await _release(connection, target, reason, caller.key_id)
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    return released


async def switches_directly(url: str) -> list[Thrown]:
    """All switches in force in the database at `url`."""
    async with _opened(url) as database, database.connection() as connection:
        found = await controls.thrown(connection, accounts=None)
        return [await progress_of(connection, one, None) for one in found]


async def throw_directly(url: str, by: str, target: Target, level: Level, reason: str) -> Thrown:
    """Throw a switch in the database at `url`, whoever else may be dead. Raises Refusal."""
    async with _opened(url) as database:
        async with database.transaction() as connection:
            switch = await _throw(connection, target, level, reason, by)
        async with database.connection() as connection:
            await ring_once(connection, WORK, EVENTS)
        return await _reported(database, switch, None)


async def release_directly(url: str, by: str, target: Target, reason: str) -> Released:
    """Release a switch in the database at `url`. Raises Missing."""
    async with _opened(url) as database:
        async with database.transaction() as connection:
            released = await _release(connection, target, reason, by)
        async with database.connection() as connection:
            await ring_once(connection, WORK, EVENTS)
    return released


async def _throw(
    connection: Connection, target: Target, level: Level, reason: str, by: str
) -> Switch:
    switch = await controls.throw(
        connection, scope=target.scope, name=target.name, level=level, reason=reason, by=by
    )
    # After the lock, and still before the commit: a name with a slip in it stops nothing.
    known = target.scope is not Scope.ACCOUNT or await accounts.exists(connection, target.name)
    if not known:
        raise Refusal("unknown_account", f"no account {target.name!r}", field="name")
    return switch


async def _reported(database: Database, switch: Switch, seen: Sequence[str] | None) -> Thrown:
    """A switch that is thrown already, whatever its report says, and where there is none."""
    try:
        async with database.connection() as connection:
            return await progress_of(connection, switch, seen)
    except Exception as failure:
        log.error("a thrown switch cannot be reported", error=str(failure), exc_info=True)
        return Thrown(switch, open_orders=None)


async def _release(connection: Connection, target: Target, reason: str, by: str) -> Released:
    thrown = await controls.locked(connection, scope=target.scope, name=target.name)
    released = await controls.release(
        connection, scope=target.scope, name=target.name, reason=reason, by=by
    )
    if thrown is None or released is None:
        raise Missing(
            "unknown_kill_switch", f"no kill switch {target.scope.value}:{target.name} is thrown"
        )
    return Released(released, await causes_of(connection, thrown))


def _check_reach(caller: Caller, target: Target) -> None:
    _check_bound(caller.accounts, target, Scope.ACCOUNT)
    _check_bound(caller.symbols, target, Scope.SYMBOL)


def _check_bound(own: Collection[str] | None, target: Target, scope: Scope) -> None:
    if own is None or (target.scope is scope and target.name in own):
        return
    raise Forbidden(
        f"{scope.value}_not_allowed",
        f"your key is bound to {scope.value}s, and this kill switch reaches beyond them",
        field="name" if target.scope is scope else "scope",
    )


def _check_trades(caller: Caller, level: Level) -> None:
    """Closing positions is trading: it takes a key that may, and for every symbol."""
    if level is not Level.FLATTEN:
        return
    if not caller.may_flatten:
        raise Forbidden(
            "scope_missing", "to flatten takes the scope 'trade' or 'risk'", field="level"
        )
    if caller.symbols is not None:
        raise Forbidden(
            "symbol_not_allowed",
            "your key is bound to symbols: it may halt and cancel in them, and flatten nothing",
            field="level",
        )


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url, connections=1)
    try:
        yield database
    finally:
        await database.close()
