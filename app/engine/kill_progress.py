"""How far a kill switch has got: open orders, the time their cancels take, what stands open."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, rfc3339
from app.domain.session import Session, session_from
from app.store import accounts, controls, flatten, market_state, watched
from app.store.controls import Level, Switch, as_told
from app.store.database import Connection
from app.store.flatten import Standing
from app.store.names import is_known


@dataclass(frozen=True, slots=True)
class Open:
    """A position that the switch has still to close: `qty` of it, signed, and what it waits for."""

    account: str
    symbol: str
    qty: Decimal
    doing: str
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Thrown:
    """A switch as it is now, and how many open orders it bears on (None: it is thrown, and could
    not be asked). `expected_seconds` is how long cancels take at the rate of their brokers; None:
    no broker states one. `known`: whether anything here bears the switch's name (None: it could
    not be asked)."""

    switch: Switch
    open_orders: int | None
    known: bool | None = None
    expected_seconds: float | None = None
    standing: tuple[Open, ...] = ()


async def progress_of(connection: Connection, switch: Switch, seen: Sequence[str] | None) -> Thrown:
    """`seen` are the accounts whose positions the caller may see (None: all)."""
    return Thrown(
        switch,
        await controls.open_orders(connection, switch),
        await is_known(connection, switch.scope.value, switch.name),
        await controls.cancel_seconds(connection, switch),
        tuple(await _standing(connection, switch, seen)),
    )


def fully_told(thrown: Thrown) -> dict[str, Any]:
    """As answers show it."""
    seconds = thrown.expected_seconds
    return {
        **as_told(thrown.switch),
        "known": thrown.known,
        "open_orders": thrown.open_orders,
        "expected_seconds": None if seconds is None else round(seconds, 1),
        "standing": [
            {
                "account": one.account,
                "symbol": one.symbol,
                "qty": format(one.qty, "f"),
                "doing": one.doing,
                "order_id": one.order_id,
            }
            for one in thrown.standing
        ],
    }


async def _standing(
    connection: Connection, switch: Switch, seen: Sequence[str] | None
) -> list[Open]:
    if switch.level is not Level.FLATTEN or not switch.halted:
        return []
    clock = await market_state.clock(connection)
    now = clock.now if clock is not None else None
    stands = [
        (account, one)
        for account in await accounts.names(connection)
        if seen is None or account in seen
        for one in await flatten.standing(connection, account=account, switches=[switch])
    ]
    waiting = {one.symbol for _, one in stands if not one.ending and one.order_id is None}
    sessions = await watched.sessions_of(connection, waiting)
    return [_open(account, one, sessions.get(one.symbol), now) for account, one in stands]


def _open(
    account: str, found: Standing, sessions: Sequence[Session] | None, now: Instant | None
) -> Open:
    doing = "its order is about to be entered"
    if found.ending:
        doing = f"{found.ending} open orders have to end first"
    elif found.order_id is not None:
        doing = "an order closes it"
    elif now is not None:
        doing = _waits(sessions, now) or doing
    return Open(account, found.symbol, found.qty, doing, found.order_id)


def _waits(sessions: Sequence[Session] | None, now: Instant) -> str | None:
    if sessions is None:
        return "no feed has data for it"
    session = session_from(sessions, now)
    if session is None:
        return "the market is closed"
    if now < session.opens_at:
        return f"the market is closed until {rfc3339(session.opens_at)}"
    return None
