"""What threw a switch that is being released, where it still stands: it throws it again."""

from dataclasses import dataclass
from typing import Any

from app.engine.kill_file import REASON as KILL_FILE
from app.engine.losses import broken
from app.store import limits, profits
from app.store.controls import Switch, as_told
from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Released:
    """A switch that was released, and for what it is thrown again at the next look."""

    switch: Switch
    causes: tuple[str, ...] = ()


async def causes_of(connection: Connection, thrown: Switch) -> tuple[str, ...]:
    """Sentences. Pace of a desk is nobody's to tell but the desk's: it counts a minute at most."""
    known = await limits.bounds(connection)
    found = [
        f"{bound.limit.name} {bound.hard:f} is still broken: lost {value:.2f}"
        for bound, value in broken(known.bounds, await profits.all_lost(connection))
        if (bound.scope.value, bound.name) == (thrown.scope.value, thrown.name)
    ]
    if thrown.changed_by == KILL_FILE:
        # It lies on its worker's machine, which need not be this one.
        found.append("a kill file threw it: it is thrown again while that file lies there")
    return tuple(found)


def released_told(released: Released) -> dict[str, Any]:
    """As answers show it."""
    return {**as_told(released.switch), "causes": list(released.causes)}
