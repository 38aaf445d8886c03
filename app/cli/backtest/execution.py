"""`slipstream backtest execution`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.backtest.asked import Asked, plan_of
from app.cli.backtest.shown import Bar, show, table_of
from app.cli.data.store import Tapes
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson
from app.cli.output import console, print_json

if TYPE_CHECKING:
    from app.research.backtest.running import Backtest
    from app.research.backtest.source import Place

Text = str | None
Tape = Annotated[
    Text,
    typer.Option(
        metavar="DATASET[:SYMBOL,…]",
        help="A dataset of the tape store; `feed`: what the server's own feed plays.",
    ),
]
FeedPath = Annotated[
    Path | None,
    typer.Option("--layout", "--feed-path", help="Or what replay can play: a layout, a tree."),
]
Root = Annotated[Path | None, typer.Option("--feed-root", help="Where a layout's files are.")]
Symbols = Annotated[Text, typer.Option(help="Of --layout: only these, separated by commas.")]
Algos = Annotated[
    list[str], typer.Option("--algo", metavar="[LABEL=]ALGO", help="Again for each to compare.")
]
Params = Annotated[
    list[str] | None, typer.Option("--param", metavar="LABEL.NAME=VALUE", help="A parameter.")
]
Parents = Annotated[int, typer.Option(min=1, help="How many are drawn.")]
Days = Annotated[Text, typer.Option(metavar="FROM..TO", help="Default: all there are.")]
Qty = Annotated[Text, typer.Option(help="Size of each parent, in units; or --participation.")]
Share = Annotated[
    Text,
    typer.Option("--participation", metavar="P[..P]", help="Share of the trailing daily volume."),
]
Window = Annotated[str, typer.Option(help="Length of each parent: 60m, or day.")]
Side = Annotated[str, typer.Option(help="random, buy or sell.")]
Seed = Annotated[str, typer.Option(help="The same seed, the same parents and result.")]
Latency = Annotated[float, typer.Option("--latency", min=0, help="One way, in milliseconds.")]
Impact = Annotated[
    Text,
    typer.Option(metavar="PERM,TEMP[,HALF-LIFE]", help="What own fills move; default: nothing."),
]
Cap = Annotated[Text, typer.Option("--max-participation", help="A limit for all, as a fraction.")]
Fee = Annotated[str, typer.Option(help="What the venue charges.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Processes.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report here (.html).")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write every run here.")]


def execution(
    algo: Algos,
    tape: Tape = None,
    layout: FeedPath = None,
    feed_root: Root = None,
    symbols: Symbols = None,
    param: Params = None,
    parents: Parents = 500,
    days: Days = None,
    qty: Qty = None,
    participation: Share = None,
    window: Window = "60m",
    side: Side = "random",
    seed: Seed = "1",
    latency: Latency = 5,
    impact: Impact = None,
    max_participation: Cap = None,
    fee_per_share: Fee = "0.0035",
    fee_bps: Fee = "0",
    jobs: Jobs = 2,
    out: Out = None,
    csv: Csv = None,
    tapes: Tapes = None,
    as_json: AsJson = False,
) -> int:
    """Work many parents with each algorithm and compare what they cost, parent by parent.

    Every parent is drawn once and worked by all. Ctrl-C keeps what is done so far.
    """
    name = _tape_name(tape, layout, symbols)
    asked = Asked(name, algo, param or (), parents, days, qty, participation, window, side, seed,
                  latency, impact, max_participation, fee_per_share, fee_bps)  # fmt: skip
    backtest = _prepared(asked, tapes, layout, feed_root)
    rows, broken_off = _rows(backtest, jobs, quiet=as_json)
    result = backtest.outcome(rows)
    if csv is not None:
        _write(csv, table_of(rows))
    if out is not None:
        from app.reports import backtest_page

        _write(out, backtest_page(result))
    if as_json:
        print_json(result)
    else:
        show(result)
        for file in (out, csv):
            if file is not None:
                print(file)
    return Exit.INTERRUPTED if broken_off else Exit.OK


def _tape_name(tape: str | None, layout: Path | None, symbols: str | None) -> str:
    if (tape is None) == (layout is None):
        raise Failure(Exit.USAGE, "give --tape or --layout: one of them says what the market was")
    if tape is not None:
        if symbols is not None:
            raise Failure(Exit.USAGE, "--symbols is for --layout; with --tape: DATASET:SYMBOL,…")
        return tape
    assert layout is not None, "one of them is there"
    return f"{layout.name.replace(':', '_')}:{symbols or ''}"


def _prepared(
    asked: Asked, tapes: Path | None, layout: Path | None, root: Path | None
) -> "Backtest":
    from dataclasses import replace

    from app.domain.refusal import Refusal
    from app.ports import FeedError
    from app.research.backtest.running import prepared
    from app.research.backtest.source import NoTape
    from app.wiring.past import open_past, past_place
    from app.wiring.rules import rules

    plan = plan_of(asked)
    settings = _settings()
    place: Place = past_place(settings, plan.tape)
    if tapes is not None:
        place = replace(place, tapes=tapes)
    if layout is not None:
        place = replace(place, dataset=None, feed="replay", path=layout, root=root, starts_at=None)
    try:
        return prepared(plan, place, open_past, rules(settings))
    except Refusal as refusal:
        raise Failure(Exit.USAGE, refusal.message) from None
    except (NoTape, FeedError, ValueError, OSError) as wrong:
        raise Failure(Exit.USAGE, str(wrong)) from None


def _settings() -> Any:
    from pydantic import ValidationError

    from app.cli.place import wrong_settings
    from app.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        raise Failure(Exit.USAGE, wrong_settings(error)) from None


def _rows(backtest: "Backtest", jobs: int, *, quiet: bool) -> tuple[list[dict[str, Any]], bool]:
    """The rows, and whether somebody broke it off."""
    from contextlib import closing

    from app.ports import FeedError

    rows: list[dict[str, Any]] = []
    # Somebody may read standard output: the bar is for the terminal.
    with Bar(len(backtest.deck.parents), console(), quiet=quiet) as bar:
        try:
            with closing(backtest.rows(jobs)) as made:
                for some in made:
                    rows += some
                    bar.advance(len(some))
        except KeyboardInterrupt:
            return rows, True
        except (FeedError, OSError) as wrong:
            raise Failure(Exit.FAILED, str(wrong)) from None
    return rows, False


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as failure:
        raise Failure(Exit.FAILED, f"cannot write {file}: {failure}") from None
