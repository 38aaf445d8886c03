"""The main job: orders go in, children and fills come out, and everything adds up."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.world import open_world


@pytest.mark.parametrize(
    ("algo", "fields"),
    [
        ("market", {}),
        ("twap", {"params": {"slices": 5}, "duration": 600_000_000}),
        ("vwap", {"duration": 1_800_000_000}),
    ],
)
async def test_an_order_is_worked_to_its_end(
    database_url: str, tmp_path: Path, algo: str, fields: dict[str, object]
) -> None:
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="1000", algo=algo, **fields)
        await world.let_go()
        row = await world.done(order_id)
        assert (row["status"], row["filled"]) == ("filled", 1000)
        fills = await world.fills(order_id)
        assert sum(Decimal(f["qty"]) for f in fills) == 1000
