"""What the server starts: a backtest in a process of its own, and the replay of one order."""

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.settings import Settings
    from app.store.database import Database


def work(backtest_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Run a backtest that a server has claimed."""
    asyncio.run(_work(backtest_id))


def replay() -> None:
    """Read a question about an order from standard input, answer it on standard output."""
    told = asyncio.run(_replayed(json.load(sys.stdin)))
    print(json.dumps(told, separators=(",", ":")))


async def _work(backtest_id: str) -> None:
    from functools import partial

    from app.research.backtest.child import Ended
    from app.research.backtest.child import work as run
    from app.wiring.past import prepared_backtest

    settings, database = await _opened()
    try:
        await run(database, backtest_id, partial(prepared_backtest, settings))
    except Ended:
        # A thread still computes what nobody waits for.
        sys.stderr.flush()
        os._exit(0)
    finally:
        await database.close()


async def _replayed(asked: dict[str, Any]) -> dict[str, Any]:
    from app.domain.refusal import Refusal
    from app.ports import FeedError
    from app.research.backtest.child import GENTLY
    from app.research.backtest.finished import load
    from app.research.backtest.source import NoTape
    from app.wiring.past import replayed_order

    os.nice(GENTLY)
    settings, database = await _opened()
    try:
        async with database.connection() as connection:
            order = await load(connection, asked["order_id"])
        return {"answer": replayed_order(settings, order, asked["set"], asked["tape"])}
    except Refusal as wrong:
        return _refused(type(wrong).__name__, wrong.code, wrong.message, wrong.field)
    except (NoTape, FeedError, OSError) as wrong:
        return _refused("Conflict", "no_tape", str(wrong), None)
    finally:
        await database.close()


def _refused(kind: str, code: str, message: str, field: str | None) -> dict[str, Any]:
    return {"refused": {"kind": kind, "code": code, "message": message, "field": field}}


async def _opened() -> "tuple[Settings, Database]":
    from app.settings import Settings
    from app.store.database import Database

    settings = Settings()
    assert settings.database_url is not None, "the server hands its database over"
    return settings, await Database.open(settings.database_url, connections=2)
