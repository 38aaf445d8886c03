"""`slipstream data import`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.data.shown import show_findings, show_statements, verdict
from app.cli.data.store import Tapes, tapes_root
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson
from app.cli.output import console, print_json

if TYPE_CHECKING:
    from app.domain.session import Session
    from app.tapes.importing import Outcome, Wish
    from app.tapes.material import Source
    from app.tapes.stated import Given

Sources = Annotated[
    list[Path],
    typer.Argument(help="Files or a folder: CSV, Parquet, a Lean tree, a dump, or a layout .toml."),
]
Text = str | None
Dataset = Annotated[Text, typer.Option(help="Name of the dataset. Default: the source's.")]
Vendor = Annotated[Text, typer.Option(help="Whose data it is. Default: as the source says.")]
Symbol = Annotated[Text, typer.Option(help="Whose files these are; of a Lean tree: only this.")]
Root = Annotated[Path | None, typer.Option(help="Where a layout's files are.")]
Resolution = Annotated[Text, typer.Option(help="Of a Lean tree: tick, second, minute, daily.")]
Zone = Annotated[Text, typer.Option("--timezone", help="Of times that name none.")]
TimeFormat = Annotated[Text, typer.Option(help="As strptime has it.")]
Stamp = Annotated[Text, typer.Option(help="Whether a bar's time is its start or its end.")]
Bar = Annotated[int | None, typer.Option("--bar", min=1, help="Length of a bar in seconds.")]
PriceScale = Annotated[int | None, typer.Option(min=1, help="Prices are divided by it.")]
Calendar = Annotated[Text, typer.Option(help="Sessions, as exchange_calendars names them.")]
Step = Annotated[Text, typer.Option(help="The instrument's; 0.01.")]
Adjusted = Annotated[Text, typer.Option("--prices", help="raw or adjusted (for splits).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="State and check only.")]
Replace = Annotated[bool, typer.Option("--replace", help="In place of what is there.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Even with findings that refuse it.")]


def import_(
    sources: Sources,
    dataset: Dataset = None,
    vendor: Vendor = None,
    symbol: Symbol = None,
    root: Root = None,
    resolution: Resolution = None,
    timezone: Zone = None,
    time_format: TimeFormat = None,
    stamp: Stamp = None,
    bar: Bar = None,
    price_scale: PriceScale = None,
    calendar: Calendar = None,
    tick: Step = None,
    lot: Step = None,
    prices: Adjusted = None,
    dry_run: DryRun = False,
    replace: Replace = False,
    anyway: Anyway = False,
    tapes: Tapes = None,
    as_json: AsJson = False,
) -> int:
    """Import trades, quotes or bars into the tape store.

    How the files are read is stated first, with what speaks for it. What cannot be told from the
    data is asked, and the option that answers it is named. The same files again change nothing.
    """
    from app.tapes.errors import TapeError
    from app.tapes.importing import Wish
    from app.tapes.sources import open_source
    from app.wiring import open_calendar

    given = _given(
        symbol=symbol, timezone=timezone, time_format=time_format, stamp=stamp, bar_length=bar,
        price_scale=price_scale, calendar=calendar, tick=tick, lot=lot, adjusted=prices,
    )  # fmt: skip
    sessions = open_calendar()
    try:
        source = open_source(sources, given, sessions, root=root, resolution=resolution)
    except TapeError as wrong:
        raise Failure(Exit.USAGE, str(wrong)) from None
    wish = Wish(dataset or source.name, vendor or source.vendor, replace, dry_run, anyway)
    if not as_json:
        show_statements(source)
    outcomes = _imported(tapes_root(tapes), source, wish, sessions, quiet=as_json)
    return _told(source, wish, outcomes, as_json)


def _given(**told: Any) -> "Given":
    from decimal import Decimal, InvalidOperation
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from app.tapes.stated import Given

    choices = {"stamp": ("start", "end"), "adjusted": ("raw", "adjusted")}
    for name, allowed in choices.items():
        if told[name] not in (None, *allowed):
            raise Failure(Exit.USAGE, f"{name} is {' or '.join(allowed)}, not {told[name]!r}")
    try:
        if told["timezone"] is not None:
            ZoneInfo(told["timezone"])
        for name in ("tick", "lot"):
            told[name] = Decimal(told[name]) if told[name] is not None else None
            if told[name] is not None and not (told[name].is_finite() and told[name] > 0):
                raise InvalidOperation
    except (ZoneInfoNotFoundError, ValueError):
        raise Failure(Exit.USAGE, f"no time zone is named {told['timezone']!r}") from None
    except InvalidOperation:
        raise Failure(Exit.USAGE, "tick and lot are numbers above zero") from None
    return Given(**told)


def _imported(
    root: Path, source: "Source", wish: "Wish", calendar: Any, *, quiet: bool
) -> list["Outcome"]:
    from app.ports import FeedError
    from app.tapes.detect_time import Hours
    from app.tapes.importing import Outcome, import_symbol

    hours = Hours(source.calendar, calendar)
    outcomes = []
    with _progress(len(source.materials), quiet) as told:
        for material in source.materials:
            try:
                done = import_symbol(root, source, material, wish, hours, told)
            except FeedError as wrong:
                done = Outcome(material.symbol, "refused", 0, 0, (), str(wrong))
            outcomes.append(done)
            told(material.symbol, None)
    return outcomes


@contextmanager
def _progress(count: int, quiet: bool) -> Iterator[Callable[[str, "Session | None"], None]]:
    """A bar over symbols, with the day at work; only where somebody looks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from app.tapes.day import day_name

    out = console()
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn())
    hidden = quiet or not out.is_terminal
    with Progress(*columns, console=out, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=count)

        def told(symbol: str, session: "Session | None") -> None:
            if session is None:
                bar.advance(task)
            else:
                bar.update(task, description=f"{symbol} {day_name(session)}")

        yield told


def _told(source: "Source", wish: "Wish", outcomes: list["Outcome"], as_json: bool) -> int:
    from app.tapes.findings import Severity

    findings = [found for outcome in outcomes for found in outcome.findings]
    refused = any(outcome.result == "refused" for outcome in outcomes)
    errors = any(found.severity is Severity.ERROR for found in findings)
    if as_json:
        said = [*source.statements]
        print_json(
            {
                "dataset": wish.dataset,
                "vendor": wish.vendor,
                "kind": source.kind,
                "statements": [asdict(s) for s in said],
                "symbols": [
                    asdict(outcome) | {"statements": [asdict(s) for s in material.statements]}
                    for outcome, material in zip(outcomes, source.materials, strict=True)
                ],
            }
        )
    else:
        show_findings(findings)
        verdict(findings)
        for done in outcomes:
            why = f": {done.why}" if done.why else f", {done.sessions} sessions, {done.rows:,} rows"
            console().print(f"{done.symbol}: {done.result}{why}")
    return Exit.FAILED if refused or (wish.dry_run and errors) else Exit.OK
