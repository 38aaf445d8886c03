"""The kill switch at its full size, with real processes: minutes, so not in `make test`."""

from pathlib import Path

import pytest

from bench.figure import Setting
from bench.figures.kill import CANCEL_SECONDS, SEND_SECONDS, by_api, by_api_then_death, killed
from bench.resting import CHILDREN, PARENTS

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(600)]


async def test_ten_thousand_children_are_canceled_in_time(tmp_path: Path) -> None:
    setting = Setting(tmp_path, rounds=1, seconds=2.0)
    found = await killed(setting, tmp_path / "house", by_api)
    assert found["open"] >= PARENTS * CHILDREN
    assert found["last_send"] <= SEND_SECONDS
    assert found["last_cancel"] <= CANCEL_SECONDS
    assert (found["intents"], found["faults"]) == (0, 0)


async def test_with_the_worker_killed_in_the_midst_the_next_one_finishes(tmp_path: Path) -> None:
    setting = Setting(tmp_path, rounds=1, seconds=2.0, size=0.1)
    found = await killed(setting, tmp_path / "house", by_api_then_death)
    assert found["last_send"] <= SEND_SECONDS
    assert (found["intents"], found["faults"]) == (0, 0)
