"""How answers look: JSON for scripts, tables for people."""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 160


def print_json(value: Any) -> None:
    """One document on one line."""
    print(json.dumps(value, separators=(",", ":")), flush=True)


def console() -> "Console":
    """Wide where nobody looks, so that nothing is cut off in a file."""
    from rich.console import Console

    made = Console(highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str | None = None,
    right: Iterable[str] = (),
    to: "Console | None" = None,
) -> None:
    """Rows as a table; columns named in `right` are numbers. None is shown as a dash."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1, 0, 0)
    numbers = set(right)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("–" if cell is None else Text(str(cell)) for cell in row))
    (to or console()).print(table)


def clock_time(moment: str | None) -> str | None:
    """The time of day of an RFC 3339 moment."""
    return moment[11:19] if moment else None


def price(text: str | None) -> str | None:
    """An average, at more decimals than it was traded with."""
    if text is None:
        return None
    return f"{float(text):,.2f}" if float(text) >= 10_000 else f"{float(text):,.4f}"


def tick(text: str) -> str:
    """A price as it is, with two decimals at least."""
    return f"{Decimal(text):,.2f}" if Decimal(text) == round(Decimal(text), 2) else text


def amount(text: str | None) -> str | None:
    """A quantity, its thousands apart."""
    if text is None:
        return None
    whole, _, rest = text.partition(".")
    places = rest.rstrip("0")
    return f"{int(whole):,}.{places}" if places else f"{int(whole):,}"
