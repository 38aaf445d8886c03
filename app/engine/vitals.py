"""How the house is: for readiness and for the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.quotes import SILENCE_SECONDS
from app.engine.service import Service
from app.store import event_log, market_state, migrate, views


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold before orders are sent here."""

    name: str
    ok: bool
    detail: str


async def readiness(service: Service) -> list[Check]:
    """Whether this release may work on the schema, and a worker told the time. Raises what the
    driver does when the database is not there."""
    async with service.database.connection() as connection:
        wrong = await migrate.unfit(connection)
        if wrong is not None:
            return [Check("schema", False, wrong)]
        revision = await views.schema_revision(connection)
        clock = await market_state.clock(connection)
    return [Check("schema", True, str(revision)), _worker(clock)]


def _worker(clock: market_state.ClockRow | None) -> Check:
    if clock is None:
        return Check("worker", False, "none has told the market time yet")
    # As for orders: whoever is ready takes them.
    fresh = clock.age_seconds <= SILENCE_SECONDS
    return Check("worker", fresh, f"told the market time {clock.age_seconds:.1f} s ago")


@dataclass(frozen=True, slots=True)
class Vitals:
    """Numbers for the metrics. `stream_lag_seconds`: how far readers of events are held back;
    `execution`: the last minutes, as `GET /statistics/execution` has them."""

    statistics: Mapping[str, Any]
    stream_clients: int
    stream_lag_seconds: float
    clock_age_seconds: float | None
    execution: Mapping[str, Any]


SCRAPED = ("1m", "5m")


async def vitals(service: Service) -> Vitals:
    async with service.database.connection() as connection:
        clock = await market_state.clock(connection)
        return Vitals(
            statistics=await views.statistics(connection, None),
            stream_clients=service.hub.subscribers,
            stream_lag_seconds=await event_log.horizon_lag(connection),
            clock_age_seconds=clock.age_seconds if clock else None,
            execution=await views.execution(connection, accounts=None, windows=SCRAPED),
        )
