"""Opens what backtests and replays of orders work on, from settings."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.calendars import ExchangeCalendars
from app.domain.instant import MILLISECOND
from app.domain.venue.tariff import Tariff
from app.research.backtest.plan import OWN_FEED, Plan
from app.research.backtest.running import Backtest, prepared
from app.research.backtest.service import Backtests, Command, Terms
from app.research.backtest.source import NoTape, Place, Source
from app.research.backtest.what_if import Finished, what_if
from app.research.options import Latency, VenueOptions
from app.settings import NONE, PREFIX, Settings
from app.wiring import House, feed_start
from app.wiring.rules import rules

TOLD = (
    "data_dir", "tapes", "feed", "feed_path", "feed_root", "feed_seed", "feed_start",
    "paper_latency_ms", "paper_fee_per_share", "paper_fee_bps", "max_quote_age_seconds", "collar",
)  # fmt: skip
"""Settings that a child process is told, for they may come from elsewhere than the environment."""


@asynccontextmanager
async def open_backtests(house: House) -> AsyncIterator[Backtests]:
    """The API's side of backtests, running."""
    settings = house.settings
    terms = Terms(
        at_once=settings.backtests_at_once,
        parents_max=settings.backtest_parents_max,
        what_if_seconds=settings.what_if_seconds,
    )
    command = Command(
        (sys.executable, "-m", "app.cli", "backtest"), _environment(settings, house.database.url)
    )
    made = Backtests(
        house.database, terms, command, lambda tape: open_past(past_place(settings, tape))
    )
    made.loop.start()
    try:
        yield made
    finally:
        await made.close()


def _environment(settings: Settings, url: str) -> Mapping[str, str]:
    told = {name: getattr(settings, name) for name in TOLD if name in settings.model_fields_set}
    return {
        **os.environ,
        "DATABASE_URL": url,
        **{f"{PREFIX}{name.upper()}": _text(value) for name, value in told.items()},
    }


def _text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    if value is None:
        return NONE
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def prepared_backtest(settings: Settings, plan: Plan) -> Backtest:
    """Raises Refusal, NoTape or FeedError."""
    return prepared(plan, past_place(settings, plan.tape), open_past, rules(settings))


def replayed_order(
    settings: Settings, order: Finished, changes: Mapping[str, str], tape: str
) -> dict[str, Any]:
    """An order again, on its market's tape, at the paper venue. Raises Refusal, NoTape or
    FeedError."""
    latency = Latency(settings.paper_latency_ms * MILLISECOND)
    tariff = Tariff(settings.paper_fee_per_share, settings.paper_fee_bps)
    source = open_past(past_place(settings, tape))
    return what_if(order, source, changes, VenueOptions(latency, tariff), rules(settings))


def open_past(place: Place) -> Source:
    """What backtests work on. Raises NoTape or ports.FeedError."""
    # Imported here: what reads tapes takes 32 MB, and most processes never open one.
    from app.feeds import replay, synthetic
    from app.feeds.past import PastMarket
    from app.research.backtest.stored_source import StoredSource
    from app.tapes.store import TapeStore

    if place.dataset is not None:
        return StoredSource(TapeStore(place.tapes), place.dataset)
    options = {"path": place.path, "root": place.root, "seed": place.seed}
    options["starts_at"] = place.starts_at
    if place.feed == replay.FEED:
        recorded = replay.open_source(ExchangeCalendars(), options)
        return PastMarket(recorded, recorded.records.symbols(), recorded.begins())
    if place.feed == synthetic.FEED:
        market = synthetic.open_source(ExchangeCalendars(), options)
        return PastMarket(market, list(market.symbols), market.starts_at)
    raise NoTape(f"the feed {place.feed!r} keeps no past: import its days, and name their dataset")


def past_place(settings: Settings, tape: str) -> Place:
    """Where the tape of that name is: a dataset, or what this server's own feed plays."""
    own = tape == OWN_FEED
    return Place(
        tapes=settings.tapes or settings.data_dir / "tapes",
        dataset=None if own else tape,
        feed=settings.feed if own else None,
        path=settings.feed_path if own else None,
        root=settings.feed_root if own else None,
        seed=settings.feed_seed,
        starts_at=feed_start(settings) if own else None,
    )
