"""How a stream is shown: bars on a terminal, lines in a pipe, JSON for scripts."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from app.cli.board import ENDED, Watched
from app.cli.output import amount, clock_time, console, print_json, tick

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Screen(Protocol):
    """Where watched orders are shown. Entered while it is in use."""

    def __enter__(self) -> "Screen": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def order(self, order: Watched) -> None:
        """An order that is new here, or moved on."""
        ...

    def frame(self, frame: dict[str, Any], order: Watched | None) -> None:
        """Something happened."""
        ...


def screen(*, as_json: bool, fills: bool = True) -> Screen:
    """The right one for where the output goes. `fills` False: bars without a line for each."""
    if as_json:
        return JsonLines()
    return Bars(fills=fills) if console().is_terminal else Lines(fills=fills)


class JsonLines:
    """One frame a line, as it came."""

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def order(self, order: Watched) -> None:
        return

    def frame(self, frame: dict[str, Any], order: Watched | None) -> None:
        print_json(frame)


class Lines:
    """One line for each fill, alert, and move of an order."""

    def __init__(self, *, fills: bool) -> None:
        self._fills = fills
        self._quarters: dict[str, int] = {}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def order(self, order: Watched) -> None:
        quarter = int(4 * order.filled / order.qty)
        if not self._fills and quarter > self._quarters.get(order.id, 0):
            self._quarters[order.id] = quarter
            print(f"          {order.title}: {25 * quarter} % filled", flush=True)

    def frame(self, frame: dict[str, Any], order: Watched | None) -> None:
        line = told(frame, order)
        if line and (self._fills or frame["type"] != "fill.booked"):
            print(line, flush=True)


class Bars:
    """A bar for each order; fills and alerts run by above."""

    def __init__(self, *, fills: bool) -> None:
        self._fills = fills
        self._tasks: dict[str, TaskID] = {}
        self._progress = _progress()

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def order(self, order: Watched) -> None:
        fields: dict[str, Any] = {
            "total": float(order.qty),
            "completed": float(order.filled),
            "filled": f"{amount(str(order.filled))} / {amount(str(order.qty))}",
            "counts": f"{order.fills} fills",
            "status": order.status,
        }
        task = self._tasks.get(order.id)
        if task is None:
            self._tasks[order.id] = self._progress.add_task(order.title, **fields)
        else:
            self._progress.update(task, description=order.title, **fields)

    def frame(self, frame: dict[str, Any], order: Watched | None) -> None:
        moves = frame["type"].startswith("order.")
        line = None if moves else told(frame, order)
        if line and (self._fills or frame["type"] != "fill.booked"):
            self._progress.console.print(line, markup=False, highlight=False)


def _progress() -> "Progress":
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=18),
        TextColumn("{task.fields[filled]}", justify="right"),
        TextColumn("{task.fields[counts]}", justify="right", style="dim"),
        TextColumn("{task.fields[status]}"),
        console=console(),
        refresh_per_second=12,
    )


_MOVES = ENDED | {"working", "paused", "closing", "needs_operator"}


def told(frame: dict[str, Any], order: Watched | None) -> str | None:
    """A frame in words; None for what is not worth a line."""
    kind, data, at = frame["type"], frame["data"], clock_time(frame["ts"])
    if kind == "alert.raised":
        return f"{at}  ALERT {data['severity']}: {data['message']}"
    if kind == "signal.decided":
        return (
            f"{at}  signal {data['signal_id']}: {data['decision']} {data['reason'] or ''}".rstrip()
        )
    if kind == "control.changed":
        does = f"thrown ({data['level']})" if data["thrown"] else "released"
        return f"{at}  KILL SWITCH {data['scope']}:{data['name']} {does}: {data['reason']}"
    if order is None:
        return None
    if kind == "fill.booked":
        sums = data["order"]
        return (
            f"{at}  fill   {order.side} {amount(data['qty'])} {order.symbol}"
            f" at {tick(data['price'])} ({data['liquidity']}),"
            f" {amount(sums['filled'])} of {amount(sums['qty'])}"
        )
    if kind.removeprefix("order.") in _MOVES:
        reason = f" ({data['reason']})" if data.get("reason") else ""
        return f"{at}  order  {order.title}: {order.status}{reason}"
    return None
