"""Rows of a backtest as a flat table: one line a run, the same columns for all."""

from collections.abc import Iterable
from typing import Any

from app.research.backtest.measure import AFTERWARDS, COSTS, SHARES
from app.research.backtest.work import Row

_PARENT = (
    "parent", "symbol", "day", "side", "qty", "start", "end", "share", "daily_volume",
    "volatility", "curve", "begins", "mid", "spread_bps", "refused",
)  # fmt: skip
_RUN = ("label", "algo", "status", "reason", "filled", "average_price", "children", "fills",
        *COSTS, *AFTERWARDS, *SHARES)  # fmt: skip
COLUMNS = (*_PARENT, *_RUN)


def flat(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """By parent; one that was refused has a line without figures."""
    ordered = sorted(rows, key=lambda row: int(row["parent"]))
    return [
        {name: run.get(name) if name in _RUN else row[name] for name in COLUMNS}
        for row in ordered
        for run in (row["runs"] or [{}])
    ]
