"""A file that stops everything: for the moment in which nothing answers but the machine.

While it is there nothing new is sent. A worker that finds it cancels what it knows to be open, the
database dead or alive, and throws the switch that holds when the file is gone again.
"""

import os
from pathlib import Path

import structlog

from app.engine import incidents
from app.failpoints import reach
from app.store import controls, event_log
from app.store.alerts import raise_alerts
from app.store.controls import EVERYTHING, Level, Scope, Switch, concerned
from app.store.database import Database
from app.store.doorbell import EVENTS, WORK, Doorbell

log = structlog.get_logger()

REASON = "kill file"

_LONGEST = 64
_ABSENT = (FileNotFoundError, NotADirectoryError)


class KillFile:
    """Looked at before every send: a file's state costs microseconds, and is never old."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @property
    def there(self) -> bool:
        """Whether it is there; also where the machine cannot say, so that nothing is sent."""
        if self.path is None:
            return False
        try:
            os.stat(self.path)
        except _ABSENT:
            return False
        except OSError as failure:
            log.error("kill file cannot be looked at", path=str(self.path), error=str(failure))
        return True

    @property
    def level(self) -> Level | None:
        """What it asks for: the level that its content names, else `cancel`. None: not there."""
        if not self.there:
            return None
        assert self.path is not None, "it is there"
        try:
            with self.path.open("rb") as file:
                words = file.read(_LONGEST).decode(errors="replace").strip().lower()
        except _ABSENT:
            return None
        except OSError:
            return Level.CANCEL
        return next((level for level in Level if level.value == words), Level.CANCEL)


async def throw_for(database: Database, doorbell: Doorbell, level: Level) -> None:
    """Throw the switch of everything, unless it is thrown at this level or above."""
    async with database.connection() as connection:
        if _holds(await controls.find(connection, scope=Scope.ALL, name=EVERYTHING), level):
            return
    async with database.transaction() as connection:
        before = await controls.locked(connection, scope=Scope.ALL, name=EVERYTHING)
        if _holds(before, level):
            return  # Another worker's file was there first.
        switch = await controls.throw(
            connection,
            scope=Scope.ALL,
            name=EVERYTHING,
            level=level,
            reason=REASON,
            by=REASON,
        )
        await raise_alerts(
            connection,
            account=concerned(switch),
            alerts=[incidents.kill_file(switch)],
            at=await event_log.time_now(connection),
        )
        reach("kill_file.written")
    log.error("kill file found: everything is stopped", level=level.value)
    doorbell.ring(WORK)
    doorbell.ring(EVENTS)


def _holds(switch: Switch | None, level: Level) -> bool:
    """Whether the switch is thrown at this level or above."""
    levels = list(Level)
    return (
        switch is not None and switch.halted and levels.index(switch.level) >= levels.index(level)
    )
