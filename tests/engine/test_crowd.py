"""Many orders that come at once: a desk sees them in parts, and misses none."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.quantity import Side
from app.domain.request import Request
from app.engine import desk, worker
from app.engine.accept_many import accept_many
from app.engine.given import Given
from app.store.arrival import Accepted
from tests.reruns import watched
from tests.world import CALLER, open_world

CROWD = 9


async def test_one_ring_is_enough_for_all_of_them(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "LOADED_AT_ONCE", 2)
    async with open_world(database_url, tmp_path, feed="synthetic-live") as world:
        await watched(world)
        first = await world.order(qty="1", algo="market")
        await world.done(first)
        # From here on nobody looks by the clock.
        monkeypatch.setattr(worker, "LOOK_SECONDS", 1e9)
        monkeypatch.setattr(desk, "VERSIONS_SECONDS", 1e9)
        alike = Request("main", "ACME", Side.BUY, qty=Decimal(1), algo="market")
        asked = [
            (alike._replace(client_order_id=f"c{n}"), Given.of({"n": n})) for n in range(CROWD)
        ]
        entered = await accept_many(world.service, CALLER, asked)
        for outcome in entered:
            assert isinstance(outcome, Accepted)
            await world.done(outcome.row["id"])
