"""Kill switches: thrown by whoever may cancel, released by whoever steers risk.

Each has two ways in: through the service, and straight to a database, for the moment in which
nothing of ours answers but PostgreSQL. The rows are the same, and so are the locks.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.domain.refusal import Forbidden, Missing, Refusal
from app.engine.service import Caller, Service
from app.failpoints import reach
from app.store import accounts, controls
from app.store.controls import EVERYTHING, Level, Scope, Switch, as_told
from app.store.database import Connection, Database
from app.store.doorbell import EVENTS, WORK, ring_once

__all__ = [
    "EVERYTHING",
    "Level",
    "Scope",
    "Switch",
    "Target",
    "Thrown",
    "as_told",
    "release",
    "release_directly",
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


@dataclass(frozen=True, slots=True)
class Thrown:
    """A switch as it is now, and how many open orders it bears on."""

    switch: Switch
    open_orders: int


async def switches(service: Service, caller: Caller) -> tuple[Switch, ...]:
    """The switches in force that bear on the caller's accounts."""
    async with service.database.connection() as connection:
        return await controls.thrown(connection, accounts=caller.accounts)


async def throw(
    service: Service, caller: Caller, target: Target, level: Level, reason: str
) -> Thrown:
    """Throw a switch. On return no intent in its scope can be committed any more.

    Raises Forbidden for a key of some accounts that reaches for more than one of them, Refusal
    for an account that is not there.
    """
    _check_reach(caller, target)
    async with service.database.transaction() as connection:
        thrown = await _throw(connection, target, level, reason, caller.key_id)
        reach("switch.written")
    reach("switch.committed")
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    return thrown


async def release(service: Service, caller: Caller, target: Target, reason: str) -> Switch:
    """Release a switch: orders go on, those that a `cancel` ended stay ended.

    Raises Forbidden like `throw`, Missing where no such switch is thrown.
    """
    _check_reach(caller, target)
    async with service.database.transaction() as connection:
        released = await _release(connection, target, reason, caller.key_id)
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    return released


async def switches_directly(url: str) -> tuple[Switch, ...]:
    """All switches in force in the database at `url`."""
    async with _opened(url) as database, database.connection() as connection:
        return await controls.thrown(connection, accounts=None)


async def throw_directly(url: str, by: str, target: Target, level: Level, reason: str) -> Thrown:
    """Throw a switch in the database at `url`, whoever else may be dead. Raises Refusal."""
    async with _opened(url) as database:
        async with database.transaction() as connection:
            thrown = await _throw(connection, target, level, reason, by)
        async with database.connection() as connection:
            await ring_once(connection, WORK, EVENTS)
    return thrown


async def release_directly(url: str, by: str, target: Target, reason: str) -> Switch:
    """Release a switch in the database at `url`. Raises Missing."""
    async with _opened(url) as database:
        async with database.transaction() as connection:
            released = await _release(connection, target, reason, by)
        async with database.connection() as connection:
            await ring_once(connection, WORK, EVENTS)
    return released


async def _throw(
    connection: Connection, target: Target, level: Level, reason: str, by: str
) -> Thrown:
    switch = await controls.throw(
        connection, scope=target.scope, name=target.name, level=level, reason=reason, by=by
    )
    # After the lock, and still before the commit: a name with a slip in it stops nothing.
    known = target.scope is not Scope.ACCOUNT or await accounts.exists(connection, target.name)
    if not known:
        raise Refusal("unknown_account", f"no account {target.name!r}", field="name")
    return Thrown(switch, await controls.open_orders(connection, switch))


async def _release(connection: Connection, target: Target, reason: str, by: str) -> Switch:
    released = await controls.release(
        connection, scope=target.scope, name=target.name, reason=reason, by=by
    )
    if released is None:
        raise Missing(
            "unknown_kill_switch", f"no kill switch {target.scope.value}:{target.name} is thrown"
        )
    return released


def _check_reach(caller: Caller, target: Target) -> None:
    if caller.accounts is None:
        return
    if target.scope is not Scope.ACCOUNT or target.name not in caller.accounts:
        raise Forbidden(
            "account_not_allowed",
            "your key is bound to accounts, and this kill switch reaches beyond them",
            field="scope" if target.scope is not Scope.ACCOUNT else "name",
        )


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url, connections=1)
    try:
        yield database
    finally:
        await database.close()
