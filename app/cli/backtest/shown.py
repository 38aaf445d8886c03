"""How backtests look on a terminal and in tables."""

import csv
import io
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from app.cli.output import print_table

if TYPE_CHECKING:
    from rich.console import Console

COSTS = ("total", "arrival", "interval_vwap", "fees")
SHARES = ("completion", "participation", "rest_share")


class Bar:
    """Parents that are done; shown only where somebody looks."""

    def __init__(self, total: int, out: "Console", *, quiet: bool) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (TextColumn("parents"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        hidden = quiet or not out.is_terminal
        self._progress = Progress(*columns, console=out, transient=True, disable=hidden)
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)


def show(result: dict[str, Any]) -> None:
    """Costs of each algorithm and their differences, basis points."""
    parents = result["parents"]
    symbols = ", ".join(parents["symbols"])
    print(f"{parents['worked']} parents of {symbols or 'nothing'} on {parents['days']} days"
          f"{' (broken off)' if result['partial'] else ''}")  # fmt: skip
    for why, count in {**parents["refused"], **result["sessions_left_out"]}.items():
        print(f"  left out: {count} {why.replace('_', ' ')}")
    columns = ("algorithm", *COSTS, "sd of total", *SHARES)
    rows = []
    for algorithm in result["algorithms"]:
        of = algorithm["figures"]
        means = [_bps(of[name].get("mean")) for name in COSTS]
        shares = [_share(of[name].get("mean")) for name in SHARES]
        rows.append([algorithm["label"], *means, _bps(of["total"].get("sd"), ""), *shares])
    print_table(columns, rows, title="Means, bps: positive = cost", right=columns[1:])
    if result["comparison"]:
        _show_comparison(result["comparison"])


def _show_comparison(compared: Sequence[dict[str, Any]]) -> None:
    columns = ("difference", "of", "pairs", "mean", "95 %", "median", "95 %", "cheaper")
    rows = []
    for one in compared:
        for name in COSTS:
            found = one["figures"][name]
            if not found["n"]:
                continue
            rows.append(
                [
                    f"{one['label']} − {one['against']}",
                    name,
                    found["n"],
                    _bps(found["mean"]),
                    _interval(found["mean_interval"]),
                    _bps(found["median"]),
                    _interval(found["median_interval"]),
                    _share(found["wins"]),
                ]
            )
    print_table(columns, rows, title="Parent by parent, bps", right=columns[2:])
    for why in sorted({f["reason"] for c in compared for f in c["figures"].values()} - {None}):
        print(why)


def _bps(value: float | None, sign: str = "+") -> str | None:
    return format(value, f"{sign},.2f") if value is not None else None


def _share(value: float | None) -> str | None:
    return f"{value:.1%}" if value is not None else None


def _interval(bounds: Sequence[float] | None) -> str | None:
    return f"{bounds[0]:+,.2f} … {bounds[1]:+,.2f}" if bounds is not None else None


def table_of(rows: Sequence[dict[str, Any]]) -> str:
    """One line a run, as CSV."""
    from app.research.backtest.table import COLUMNS, flat

    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat(rows))
    return out.getvalue()
