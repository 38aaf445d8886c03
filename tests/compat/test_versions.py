"""Three releases of alpaca-py go on the same tour (`make clients` fetches the older ones)."""

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.compat.conftest import House

ROOT = Path(__file__).parents[2]
OLDER = sorted(path.stem for path in (Path(__file__).parent / "versions").glob("*.txt"))
FETCHED = Path(sys.prefix) / "alpaca-py"

SEEN = {
    "account": "main",
    "clock": True,
    "days": True,
    "asset": True,
    "assets": ["ACME"],
    "again": True,
    "named": True,
    "replaces": True,
    "old": "replaced",
    "canceled": [200],
    "orders": ["canceled", "canceled", "filled", "replaced"],
    "position": "40",
    "closed": [200],
    "error": [404, 40410000],
    "quoted": True,
}


async def tour(house: House, paths: list[str]) -> dict[str, object]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*paths, str(ROOT)])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.compat.tour", house.base, house.key),
        env=environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, err.decode()[-3000:]
    seen: dict[str, object] = json.loads(out)
    return seen


@pytest.mark.parametrize("version", [*OLDER, "of the lock"])
async def test_a_release_sees_what_the_others_see(house: House, version: str) -> None:
    paths = [] if version == "of the lock" else [str(FETCHED / version)]
    if paths and not Path(paths[0]).is_dir():
        pytest.skip(f"alpaca-py {version} is not there: run `make clients`")
    await house.world.let_go(Decimal(30))
    seen = await tour(house, paths)
    events, held = seen.pop("events"), seen.pop("held")
    assert seen == SEEN
    assert isinstance(events, list)
    assert {"new", "fill", "pending_cancel", "canceled", "replaced"} <= set(events)
    assert isinstance(held, list)
    assert (held[-1], max(held)) == (0, 40)
