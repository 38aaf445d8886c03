"""Every stored decision of a house, made again, gives the same actions: each algorithm, each
placement, both sides, all in one account."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.algorithm import Placement
from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE
from tests.reruns import equal, watched
from tests.world import World, open_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

THREE_MINUTES = 3 * MINUTE


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        yield opened


def _placed(algo: str) -> list[dict[str, Any]]:
    """An order of an algorithm in every placement that it offers."""
    algorithm = BY_NAME[algo]
    fields: dict[str, Any] = {"duration": THREE_MINUTES} if algorithm.windowed else {}
    placement = algorithm.parameter("placement")
    choices = placement.choices if placement is not None else ()
    params = {"slices": 4} if algorithm.parameter("slices") is not None else {}
    return [fields | {"params": params | {"placement": choice}} for choice in choices] or [fields]


@pytest.mark.parametrize("algo", sorted(BY_NAME))
async def test_every_algorithm_in_every_placement(world: World, algo: str) -> None:
    ids = []
    for fields in _placed(algo):
        for side, limit in (("buy", "101.00"), ("sell", "99.00")):
            limits = {"limit_price": limit} if BY_NAME[algo].placement is Placement.AT_LIMIT else {}
            ids.append(await world.order(side=side, qty="1200", algo=algo, **fields, **limits))
    await world.let_go()
    for order_id in ids:
        await world.done(order_id, 200)
    made = await equal(world, *ids)
    assert made["child.intended"] >= len(ids)
    assert made["order.working"] >= len(ids)
