"""Decisions made again on recorded markets, of orders that follow the volume of the day."""

from pathlib import Path

import pytest

from app.domain.instant import HOUR, MINUTE
from tests.house.test_real_data import replaying
from tests.reruns import equal, history, watched

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.timeout(300)]

LAYOUT = Path(__file__).parents[2] / "docs" / "layouts" / "spy-2011-minute.toml"


async def test_past_bins_are_read_through_a_restart(
    database_url: str, tmp_path: Path, data_sets: Path
) -> None:
    async with replaying(
        database_url, tmp_path, LAYOUT, "2011-01-10T14:30:00Z", feed_root=data_sets
    ) as world:
        await watched(world, "SPY")
        bent = await world.order("SPY", "sell", qty="20000", algo="vwap", duration=6 * HOUR)
        along = await world.order("SPY", "buy", qty="2000", algo="pov", duration=30 * MINUTE)
        await world.let_go()
        await world.until(lambda row: row["filled"] > 3000, bent, 100)
        await world.kill_worker(lapsed=True)
        world.revive()
        for order_id in (bent, along):
            await world.done(order_id, 120)
        made = await equal(world, bent, along)
        assert made["child.intended"] > 60
        # The first decision after a restart need not be a child.
        told = [event.why.get("profile") for event in await history(world, bent) if event.decides]
        # Before its first bin is over, a day has none.
        profiles = [profile for profile in told if profile is not None]
        whole = [profile for profile in profiles if "since" not in profile]
        assert len(whole) == 2, "once for each worker"
        assert max(len(profile["more"]) for profile in profiles[-20:]) <= 2
