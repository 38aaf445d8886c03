"""Who asks for orders page by page, by time as alpaca-py has it, sees each of them once."""

from datetime import timedelta
from typing import Any

import pytest
from alpaca.common.enums import Sort
from alpaca.trading.enums import QueryOrderStatus
from alpaca.trading.requests import GetOrdersRequest, ReplaceOrderRequest

from tests.compat.conftest import House
from tests.compat.test_orders import limit


async def entered(house: House) -> dict[Any, Any]:
    """Nine orders and replacements in six moments, by id: several have come in at one."""
    trading, found = house.trading, {}
    orders = [await house.call(trading.submit_order, limit(60 + n)) for n in range(7)]
    change = ReplaceOrderRequest(limit_price=59)
    later = [await house.call(trading.replace_order_by_id, o.id, change) for o in orders[:2]]
    every = [*orders, *later]
    first = min(order.submitted_at for order in every)
    async with house.world.database.connection() as connection:
        for n, order in enumerate(every):
            at = first + timedelta(seconds=n // 2) + timedelta(microseconds=n % 2 * (n % 3))
            table, name = ("orders", "accepted_at") if n < 7 else ("order_revisions", "at")
            await connection.execute(
                f"UPDATE {table} SET {name} = $1::text::timestamptz WHERE id = $2",
                at.isoformat(),
                str(order.id),
            )
            found[order.id] = at
    return found


@pytest.mark.parametrize("direction", [Sort.ASC, Sort.DESC])
@pytest.mark.parametrize("most", [1, 2, 3, 50])
async def test_orders_of_one_moment_are_on_one_page(
    house: House, direction: Sort, most: int
) -> None:
    moments = await entered(house)
    seen: list[Any] = []
    bound: dict[str, Any] = {}
    while True:
        asked = GetOrdersRequest(
            status=QueryOrderStatus.ALL, limit=most, direction=direction, **bound
        )
        page = await house.call(house.trading.get_orders, asked)
        if not page:
            break
        times = [moments[order.id] for order in page]
        assert times == sorted(times, reverse=direction is Sort.DESC)
        # Beyond the limit only what shares the moment of its last one.
        assert set(times[most - 1 :]) <= {times[min(most, len(times)) - 1]}
        seen += [order.id for order in page]
        bound = {"after" if direction is Sort.ASC else "until": page[-1].submitted_at}
    assert sorted(seen) == sorted(moments)


async def test_each_state_has_its_pages(house: House) -> None:
    await entered(house)

    async def count(status: QueryOrderStatus, most: int) -> int:
        asked = GetOrdersRequest(status=status, limit=most)
        return len(await house.call(house.trading.get_orders, asked))

    assert await count(QueryOrderStatus.OPEN, 500) == 7
    assert await count(QueryOrderStatus.CLOSED, 500) == 2
    assert await count(QueryOrderStatus.ALL, 500) == 9
    assert await count(QueryOrderStatus.CLOSED, 1) in (1, 2)
