"""Whoever enters the exit of a fill dies; there is one exit, and it takes the fill away once."""

import asyncio

from tests.failpoints.house import House

LEGS = "SELECT status, qty, filled FROM orders WHERE client_order_id LIKE $1 ORDER BY id"


async def bracketed(house: House, point: str) -> None:
    """An entry with a stop that the market is at already, and a death while its exit is made. The
    market may have risen meanwhile: then the target takes it."""
    from tests.failpoints.scenes import killed

    await house.begin("worker", point)
    order_id = await house.order(
        symbol="GLOBEX",
        side="buy",
        qty="20",
        algo="market",
        take_profit={"offset": "0.01"},
        stop_loss={"offset": "0.01"},
        min_reward_risk="0.1",
    )
    await killed(house, "worker", point)
    assert (await house.done(order_id))["status"] in ("filled", "canceled")
    try:
        # A calm market may stand between the two for a while.
        async with asyncio.timeout(150):
            while not await _over(house, order_id):
                await asyncio.sleep(0.05)
    except TimeoutError:
        # What stood in the way is gone with the house.
        raise AssertionError(await _standing(house, order_id)) from None
    [entry] = await house.rows("SELECT filled FROM orders WHERE id = $1", order_id)
    legs = await house.rows(LEGS, f"exit-{order_id}-%")
    assert sum(leg["filled"] for leg in legs) == entry["filled"], legs
    await house.books_are_right()


async def _standing(house: House, order_id: str) -> str:
    """All that is known of an entry and its exits."""
    found = await house.rows(
        "SELECT id, role, status, reason, qty, filled, working, unknown, params, cancel_reason,"
        " exits_due, attention FROM orders WHERE id = $1 OR group_id = $1 ORDER BY id",
        order_id,
    )
    told = await house.rows(
        "SELECT e.order_id, e.type, e.at, e.data FROM events e JOIN orders o ON o.id = e.order_id"
        " WHERE o.id = $1 OR o.group_id = $1 ORDER BY e.id DESC LIMIT 20",
        order_id,
    )
    market = await house.rows("SELECT symbol, bid, ask, bid_at FROM watches")
    alerts = await house.rows("SELECT rule, severity, message FROM alerts ORDER BY raised_at")
    return "\n".join(str(dict(row)) for row in (*found, *told, *market, *alerts))


async def _over(house: House, order_id: str) -> bool:
    [told] = await house.rows(
        "SELECT (SELECT filled FROM orders WHERE id = $1) AS entry, coalesce(sum(filled), 0) AS"
        " taken, count(*) FILTER (WHERE status NOT IN ('filled', 'canceled', 'expired')) AS open"
        " FROM orders WHERE group_id = $1 AND role = 'exit'",
        order_id,
    )
    return bool(told["entry"] == told["taken"] and not told["open"])
