"""A small true history to audit: orders of every fate, made by the real engine and venue."""

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from app.domain.mode import Mode
from app.domain.quantity import Side
from app.engine import commands, signals, strategies
from app.engine.signals import Signal
from tests.world import CALLER, World, open_world


async def tell(url: str, folder: Path) -> dict[str, str]:
    """Live the story on the database at `url`; the ids of its orders by name."""
    async with open_world(url, folder, alert_slippage_bps=Decimal("0.001")) as world:
        ids = {
            "twap": await world.order(
                qty="1000", algo="twap", params={"slices": 6}, duration=1_200_000_000
            ),
            "sold": await world.order(side="sell", qty="400", algo="market"),
            "limit": await world.order(qty="500", algo="limit", limit_price="101"),
            "resting": await world.order("GLOBEX", qty="200", algo="limit", limit_price="39"),
        }
        await world.let_go(Decimal(600))
        await world.done(ids["sold"])
        await _signal(world)
        await world.until(lambda row: row["working"] > 0, ids["resting"])
        await _amend(world, ids["resting"], Decimal("39.5"))
        await commands.pause(world.service, CALLER, ids["resting"])
        await world.until(lambda row: row["working"] == 0, ids["resting"])
        await commands.resume(world.service, CALLER, ids["resting"])
        for name in ("twap", "limit"):
            await world.done(ids[name])
        ids["canceled"] = await world.order(
            "INITECH", qty="3000", algo="twap", params={"slices": 30}, duration=3_600_000_000
        )
        await world.until(lambda row: row["filled"] > 0, ids["canceled"])
        await commands.cancel(world.service, CALLER, ids["canceled"])
        await world.done(ids["canceled"])
        await world.until(lambda row: row["working"] > 0, ids["resting"])
        await world.hold()
    return ids


async def _signal(world: World) -> None:
    signal = Signal("main", "test", "s-1", "ACME", Side.BUY, Decimal(50))
    await signals.receive(world.service, CALLER, signal, {"id": "s-1", "market": "ACME"})
    # And one that is only recorded.
    shadow = strategies.Settings(mode=Mode.SHADOW)
    await strategies.change(world.service, CALLER, "main", "quiet", shadow, "drill")
    quiet = replace(signal, signal_id="s-2", strategy="quiet")
    told = await signals.receive(world.service, CALLER, quiet, {"id": "s-2", "market": "ACME"})
    assert (told["decision"], told["mode"], told["order_id"]) == ("execute", "shadow", None)


async def _amend(world: World, order_id: str, limit: Decimal) -> None:
    row = await world.row(order_id)
    changes = commands.Changes(limit_price=limit)
    await commands.amend(world.service, CALLER, order_id, row["version"], changes)


def copy_ledger(source: Path, target: Path) -> None:
    """A ledger with all that is still in its write-ahead file."""
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
