"""A finished order replayed: as it was it has the children and fills that really happened."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.refusal import Conflict, Refusal, Unavailable
from app.research.backtest.finished import load
from app.research.backtest.source import NoTape
from app.research.backtest.what_if import Finished
from app.settings import Settings
from app.wiring.past import replayed_order
from tests.tapes.made import bars, stored
from tests.world import World, open_world

FEES = {"paper_latency_ms": 40, "paper_fee_bps": Decimal("0.5")}
PARENTS = [
    {"algo": "twap", "duration": 600_000_000, "qty": "3000", "params": {"slices": 6}},
    {"algo": "vwap", "duration": 900_000_000, "qty": "9000", "side": "sell"},
    {"algo": "pov", "duration": 600_000_000, "qty": "900", "params": {"rate": "0.05"}},
    {"algo": "market", "qty": "700"},
]


async def entered(world: World, symbol: str = "ACME", **fields: Any) -> str:
    """A machine with much to do may take its time to read a tape."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await world.order(symbol, **fields)
            except Unavailable:
                continue


async def finished(world: World, order_id: str) -> Finished:
    async with world.database.connection() as connection:
        return await load(connection, order_id)


def replay(
    order: Finished, folder: Path, settings: dict[str, Any], tape: str = "feed", **changes: str
) -> dict[str, Any]:
    chosen = Settings(_env_file=None, data_dir=folder, **settings)
    return replayed_order(chosen, order, changes, tape)


@pytest.mark.parametrize("parent", PARENTS, ids=lambda parent: parent["algo"])
async def test_as_it_was_on_a_made_up_market(
    database_url: str, tmp_path: Path, parent: dict[str, Any]
) -> None:
    async with open_world(database_url, tmp_path, **FEES) as world:
        order_id = await entered(world, **parent)
        await world.let_go()
        await world.done(order_id, seconds=90)
        children = await world.children(order_id)
        told = replay(await finished(world, order_id), tmp_path, FEES)
    assert told["baseline_is_what_happened"], told["notes"]
    assert len(told["baseline"]["children"]) == len(children) > 0
    assert told["baseline"]["fills"] == told["really"]["fills"] != []
    assert told["changed"] is None
    assert told["notes"] == []


@pytest.fixture
def dataset(tmp_path: Path) -> dict[str, Any]:
    """Minute bars of five days in a store, and a house that plays them."""
    stored(tmp_path / "tapes", bars())
    root = tmp_path / "tapes" / "store"
    return FEES | {
        "feed": "replay",
        "feed_path": root / "made",
        "tapes": root,
        "feed_start": "2024-03-06T10:00:00-05:00",
    }


async def test_with_other_parameters_on_recorded_bars(
    database_url: str, tmp_path: Path, dataset: dict[str, Any]
) -> None:
    async with open_world(database_url, tmp_path, **dataset) as world:
        order_id = await entered(world, "XYZ", qty="1200", algo="twap", duration=900_000_000)
        await world.let_go()
        await world.done(order_id, seconds=90)
        order = await finished(world, order_id)
    for tape in ("feed", "made"):
        told = replay(order, tmp_path, dataset, tape, placement="cross", algo="vwap")
        assert told["baseline_is_what_happened"]
        changed = told["changed"]
        assert changed["algo"] == "vwap"
        assert changed["params"]["placement"] == "cross"
        assert {child["purpose"] for child in changed["children"]} == {"cross"}
        assert changed["fills"] != told["baseline"]["fills"]
        # Decided at the same price: the costs can stand beside each other.
        assert changed["arrival"]["benchmark"] == told["really"]["arrival"]["benchmark"]
    half = replay(order, tmp_path, dataset, qty="600", duration="10m", urgency="high")
    assert (half["changed"]["qty"], half["changed"]["filled"]) == ("600", "600")
    assert half["changed"]["end_time"] < half["baseline"]["end_time"]


async def test_what_cannot_be_replayed_says_why(
    database_url: str, tmp_path: Path, dataset: dict[str, Any]
) -> None:
    async with open_world(database_url, tmp_path, **dataset) as world:
        order_id = await entered(world, "XYZ", qty="600", algo="twap", duration=600_000_000)
        with pytest.raises(Conflict, match="still works"):
            replay(await finished(world, order_id), tmp_path, dataset)
        await world.let_go()
        await world.done(order_id, seconds=90)
        order = await finished(world, order_id)
    early = replace(order, task=order.task._replace(extended_hours=True))
    with pytest.raises(Conflict, match="in extended hours"):
        replay(early, tmp_path, dataset)
    for changes, words in (
        ({"algo": "best"}, "no algorithm 'best'"),
        ({"slices": "many"}, "slices is not a number"),
        ({"qty": "-5"}, "qty must be above zero"),
        ({"qty": "x"}, "qty is a number"),
        ({"urgency": "now"}, "urgency is one of low"),
        ({"end_time": "noon"}, "end_time is a time"),
        ({"volume": "5"}, "no parameter 'volume'"),
    ):
        with pytest.raises(Refusal, match=words):
            replay(order, tmp_path, dataset, **changes)
    with pytest.raises(NoTape, match="no dataset 'other'; there are: made"):
        replay(order, tmp_path, dataset, "other")
    with pytest.raises(NoTape, match="the tape has no XYZ; it has: ACME"):
        replay(order, tmp_path, {"feed": "synthetic"})
    stored(tmp_path / "later", bars("2024-03-12", "2024-03-13"))
    later = dataset | {"tapes": tmp_path / "later" / "store"}
    with pytest.raises(NoTape, match="there is no tape of XYZ at 2024-03-06T15:00:00"):
        replay(order, tmp_path, later, "made")
    live = {"feed": "synthetic-live"}
    with pytest.raises(NoTape, match="'synthetic-live' keeps no past"):
        replay(order, tmp_path, live)
