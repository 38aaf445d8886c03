"""Two orders of one account on opposite sides: held apart, unless the house allows it."""

from pathlib import Path

import pytest

from app.domain.instant import MINUTE
from tests.world import open_world


@pytest.mark.parametrize(("setting", "filled"), [("hold", 0), ("allow", 300)])
async def test_a_child_meets_our_own_order_only_where_that_is_allowed(
    database_url: str, tmp_path: Path, setting: str, filled: int
) -> None:
    async with open_world(database_url, tmp_path, self_match=setting) as world:
        await world.watch("ACME")
        # Far above the market: it rests, and forbids every crossing sale below it.
        await world.order("ACME", "buy", qty="300", algo="limit", limit_price="97.00")
        sale = await world.order(
            "ACME", "sell", qty="300", algo="limit", limit_price="96.50", duration=2 * MINUTE
        )
        await world.let_go()
        row = await world.done(sale)
        assert (row["filled"] > 0) == (filled > 0)
