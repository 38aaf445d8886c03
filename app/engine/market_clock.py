"""Market time as the doors see it, and the pace of a stepped one."""

from decimal import Decimal

from app.domain.refusal import Conflict, Unavailable
from app.engine.service import Service
from app.store import market_state
from app.store.market_state import ClockRow

__all__ = ["ClockRow", "market_clock", "set_pace"]


async def market_clock(service: Service) -> ClockRow | None:
    """Market time as a worker last told it; None before any did."""
    async with service.database.connection() as connection:
        return await market_state.clock(connection)


async def set_pace(service: Service, *, speed: Decimal | None, held: bool | None) -> ClockRow:
    """Change the speed of stepped market time, or hold it. Raises Conflict for a live one."""
    async with service.database.transaction() as connection:
        clock = await market_state.clock(connection)
        if clock is None:
            raise Unavailable("no_market_time", "no worker has told the market time yet")
        if not clock.stepped:
            raise Conflict("live_clock", "a live market's time cannot be held or hurried")
        await market_state.set_speed(connection, speed=speed, held=held)
        after = await market_state.clock(connection)
    assert after is not None, "the clock's row is never deleted"
    return after
