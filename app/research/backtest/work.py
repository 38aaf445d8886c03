"""One market and the parents on it: each is worked by every algorithm, alone with the market."""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE, Instant, rfc3339
from app.domain.instrument import Instrument
from app.domain.quantity import ZERO
from app.domain.refusal import Refusal
from app.domain.request import Request
from app.domain.scene import Rules
from app.domain.session import join_adjacent
from app.domain.tape import Tape
from app.domain.tape_search import after
from app.domain.task import Anchor, Task
from app.domain.venue.tariff import Tariff
from app.research.backtest.draw import Drawn, Market
from app.research.backtest.measure import figures
from app.research.backtest.plan import Choice, Plan
from app.research.backtest.source import Opener, Past, Place, Source
from app.research.entering import Known, entered, order_id
from app.research.impact import Impact
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import NeverQuiet, Scene, run
from app.store.views.plain import rounded, text

SAMPLES = 5
"""Of so many parents the first whole one is shown in full."""

PATH_POINTS = 240
LATEST_START = 15 * MINUTE
"""So long after its start a parent waits for the first quote of its day."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What every process of a backtest is told."""

    plan: Plan
    place: Place
    opener: Opener
    rules: Rules


@dataclass(frozen=True, slots=True)
class Part:
    """Parents of one market."""

    market: Market
    parents: tuple[Drawn, ...] = field(default_factory=tuple)


def work(setting: Setting, part: Part) -> list[Row]:
    """The rows of a part's parents, in order. Raises NoTape or FeedError for an unreadable tape."""
    instrument, tape, past = _market(setting.opener, setting.place, part.market)
    scene = Scene(tape, join_adjacent([part.market.session]), venue=_venue(setting.plan, past))
    known = Known(instrument, past.curve, past.daily_volume)
    if setting.plan.impact is not None and not past.daily_volume:
        return [_row(drawn, past) | {"refused": "no_daily_volume"} for drawn in part.parents]
    return [_worked(setting, drawn, scene, known, past) for drawn in part.parents]


@lru_cache(maxsize=1)
def _source(opener: Opener, place: Place) -> Source:
    """One a process: it remembers what was read."""
    return opener(place)


@lru_cache(maxsize=1)
def _market(opener: Opener, place: Place, market: Market) -> tuple[Instrument, Tape, Past]:
    """Parts of a market follow each other."""
    source = _source(opener, place)
    instrument = source.instrument(market.symbol)
    assert instrument is not None, "it was drawn from"
    tape = source.tape(market.symbol, market.session)
    return instrument, tape, source.past(market.symbol, market.session)


def _venue(plan: Plan, past: Past) -> VenueOptions:
    impact = None
    if plan.impact is not None and past.daily_volume:
        of = plan.impact
        impact = Impact(past.daily_volume, of.permanent, of.temporary, of.half_life)
    tariff = Tariff(plan.fee_per_share, plan.fee_bps)
    return VenueOptions(Latency(plan.latency), tariff, impact)


def _worked(setting: Setting, drawn: Drawn, scene: Scene, known: Known, past: Past) -> Row:
    row = _row(drawn, past)
    begins = first_quote(scene.tape, drawn.start, min(drawn.end, drawn.start + LATEST_START))
    if begins is None:
        return row | {"refused": "no_quote"}
    quote = scene.tape.quote(begins)
    row |= {"begins": rfc3339(begins), "mid": text(quote.mid) if quote else None}
    row["spread_bps"] = (
        text(rounded((quote.ask - quote.bid) / quote.mid * 10_000, 4)) if quote else None
    )
    runs: list[Row] = []
    sample: list[Row] = []
    for choice in setting.plan.algos:
        try:
            task = _task(setting, drawn, choice, scene, known, begins)
            done = run(task, scene, seed=task.order_id, begins=begins)
        except Refusal as refusal:
            return row | {"refused": refusal.code}
        except NeverQuiet:
            return row | {"refused": "never_quiet"}
        runs.append({"label": choice.label, "algo": task.algo, **figures(done)})
        if drawn.number < SAMPLES:
            sample.append({"label": choice.label, **_told(done)})
    row["runs"] = runs
    if sample:
        row["sample"] = {"runs": sample, "path": _path(scene.tape, begins, drawn.end)}
    return row


def _row(drawn: Drawn, past: Past) -> Row:
    return {
        "parent": drawn.number,
        "symbol": drawn.market.symbol,
        "day": drawn.market.day,
        "side": drawn.side.value,
        "qty": text(drawn.qty),
        "start": rfc3339(drawn.start),
        "end": rfc3339(drawn.end),
        "share": drawn.share,
        "daily_volume": text(past.daily_volume),
        "volatility": round(past.volatility, 9) if past.volatility is not None else None,
        "curve": past.curve.source if past.curve is not None else "default",
        "begins": None,
        "mid": None,
        "spread_bps": None,
        "refused": None,
        "runs": [],
    }


def first_quote(tape: Tape, start: Instant, until: Instant) -> Instant | None:
    """The first moment from `start` on with a price to measure against, at `until` the latest."""
    at: Instant | None = start
    while at is not None and at < until:
        quote = tape.quote(at)
        if quote is not None and quote.uncrossed and quote.bid > 0:
            return at
        upcoming = after(tape.quote_at, at)
        at = int(tape.quote_at[upcoming]) if upcoming < len(tape.quote_at) else None
    return None


def _task(
    setting: Setting, drawn: Drawn, choice: Choice, scene: Scene, known: Known, begins: Instant
) -> Task:
    """The same id for every algorithm: what is drawn for the parent is the same for all."""
    request = Request(
        account="research",
        symbol=drawn.market.symbol,
        side=drawn.side,
        qty=drawn.qty,
        algo=choice.algo,
        params=choice.params,
        start=begins if _windowed(choice) else None,
        end=drawn.end,
        max_participation=setting.plan.max_participation,
    )
    identity = order_id(setting.plan.seed, "parent", drawn.number)
    return entered(request, identity, scene, known, setting.rules, begins)


def _windowed(choice: Choice) -> bool:
    algorithm = BY_NAME.get(choice.algo)
    return algorithm is not None and algorithm.windowed


def _told(done: Run) -> Row:
    task = done.task
    plan = BY_NAME[task.algo].plan(task, Anchor(task.start, ZERO))
    sums = accumulate((step.qty for step in plan.steps), initial=ZERO)
    next(sums)
    purposes = {child.child_id: child.purpose.value for child in done.children}
    return {
        "schedule": [[s.at, text(total)] for s, total in zip(plan.steps, sums, strict=True)],
        "fills": [
            [f.at, text(f.qty), text(f.price), purposes[f.child_id]] for f in done.fills[:2_000]
        ],
    }


def _path(tape: Tape, start: Instant, end: Instant) -> list[list[Any]]:
    """Mids between two moments, evenly spaced."""
    step = max((end - start) // PATH_POINTS, 1)
    seen = ((at, tape.quote(at)) for at in range(start, end + 1, step))
    return [[at, text(quote.mid)] for at, quote in seen if quote is not None and quote.uncrossed]
