"""A limit that was broken by what is already under way: everything it counts is halted."""

import structlog

from app.domain.risk.bound import Bound
from app.engine import incidents
from app.store import controls, event_log
from app.store.alerts import raise_alerts
from app.store.controls import Level, Scope, Switch, concerned
from app.store.database import Database
from app.store.doorbell import EVENTS, WORK, Doorbell

log = structlog.get_logger()

BY = "slipstream"


async def trip(
    database: Database,
    doorbell: Doorbell,
    bound: Bound,
    said: str,
    *,
    level: Level = Level.HALT,
) -> Switch:
    """Throw the kill switch of the limit's own scope, once, with an alert; only a person releases
    it."""
    reason = f"{bound.limit.name} {bound.hard:f} is broken: {said}"
    scope, name = Scope(bound.scope.value), bound.name
    async with database.connection() as connection:
        there = await controls.find(connection, scope=scope, name=name)
    if there is not None and there.halted:
        return there
    async with database.transaction() as connection:
        there = await controls.locked(connection, scope=scope, name=name)
        if there is not None and there.halted:
            return there
        switch = await controls.throw(
            connection, scope=scope, name=name, level=level, reason=reason, by=BY
        )
        await raise_alerts(
            connection,
            account=concerned(switch),
            alerts=[incidents.limit_broken(bound, switch, said)],
            at=await event_log.time_now(connection),
        )
    log.error("limit broken", limit=bound.limit.name, scope=scope.value, name=name, said=said)
    doorbell.ring(WORK)
    doorbell.ring(EVENTS)
    return switch
