"""Opens the house from settings: the one place that knows every room. It decides nothing."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app import plugins
from app.api.alpaca.surface import Surface
from app.brokers.paper.home import ledger_path
from app.calendars import ExchangeCalendars
from app.domain.cost.calibration import Calibration
from app.domain.extended_hours import wholes
from app.domain.instant import Instant, from_datetime
from app.engine.access import works_plain_orders
from app.engine.calibrating import Calibrating
from app.engine.housekeeping import Housekeeping, Keeping
from app.engine.hub import Hub
from app.engine.intake import Intake
from app.engine.kill_file import KillFile
from app.engine.limit_book import LimitBook
from app.engine.market import MarketDesk
from app.engine.service import Service
from app.engine.strategy_book import StrategyBook
from app.engine.turns import Turns
from app.engine.worker import Worker
from app.ports import Broker, Calendar, Feed
from app.settings import Settings
from app.store import accounts, keys
from app.store.database import Database
from app.store.doorbell import EVENTS, WORK, Doorbell
from app.store.migrate import check
from app.wiring.rules import alert_thresholds, desk_rules, house_rules, limits_of, rules


@dataclass(frozen=True, slots=True)
class House:
    """An open house: what its doors are handed."""

    settings: Settings
    database: Database
    doorbell: Doorbell


@asynccontextmanager
async def open_house(settings: Settings, url: str) -> AsyncIterator[House]:
    """Connect to a migrated database and open what every role needs. Raises WrongSchema."""
    await check(url)
    database = await Database.open(url)
    doorbell = Doorbell(url, hears=(WORK, EVENTS))
    try:
        async with database.transaction() as connection:
            for account, broker in sorted(settings.broker_of.items()):
                await accounts.ensure(connection, account=account, broker=broker)
        doorbell.start()
        yield House(settings, database, doorbell)
    finally:
        await doorbell.close()
        await database.close()


@asynccontextmanager
async def open_service(house: House) -> AsyncIterator[Service]:
    """The API's side: intake and stream."""
    settings = house.settings
    intake, hub = Intake(house.database), Hub(house.database, house.doorbell)
    costs: dict[str, Calibration] = {}
    calibrating = Calibrating(
        house.database, settings.broker_of, settings.cost_history_orders, costs
    )
    intake.start()
    await hub.start()
    calibrating.loop.start()
    try:
        yield Service(
            database=house.database,
            doorbell=house.doorbell,
            intake=intake,
            hub=hub,
            rules=rules(settings),
            thresholds=alert_thresholds(settings),
            broker_of=settings.broker_of,
            default_account=settings.account,
            auctions=stating(settings, "CLOSING_AUCTION"),
            extended_hours=stating(settings, "EXTENDED_HOURS"),
            limits=LimitBook(house.database, limits_of(settings)),
            strategies=StrategyBook(house.database, house_rules(settings)),
            turns=Turns(house.database),
            calendar=ExchangeCalendars(),
            costs=costs,
        )
    finally:
        await calibrating.loop.close()
        await intake.close()
        await hub.close()


def alpaca_surface(settings: Settings) -> Surface:
    """How Alpaca's clients are served."""
    return Surface(
        default_algo=settings.alpaca_api_default_algo,
        refuse_large=settings.alpaca_api_large_orders == "refuse",
        binary=settings.alpaca_api_stream_frames == "binary",
        replay_seconds=settings.alpaca_api_replay_seconds,
        cash=settings.paper_cash,
    )


async def ensure_admin_key(url: str, key: str | None) -> str:
    """`key` if it is a living admin key of this database, else a new one."""
    database = await Database.open(url, connections=1)
    try:
        async with database.connection() as connection:
            found = await keys.find(connection, key) if key else None
            if key is not None and found is not None and found.may("admin"):
                return key
            return await keys.create(connection, name="admin", scopes=["admin"], accounts=None)
    finally:
        await database.close()


def open_worker(house: House, *, mark: str | None = None) -> Worker:
    """The worker, with the feed and the brokers that settings name."""
    settings = house.settings
    return Worker(
        database=house.database,
        doorbell=house.doorbell,
        feed=open_feed(settings),
        brokers={a: broker_opener(settings, b) for a, b in settings.broker_of.items()},
        thresholds=alert_thresholds(settings),
        speed=settings.speed,
        held=settings.hold,
        symbols=settings.symbols,
        rules=desk_rules(settings),
        lease_seconds=settings.lease_seconds,
        kill_file=KillFile(settings.kill_file or settings.data_dir / "KILL"),
        mark=mark,
    )


def open_housekeeping(house: House) -> Housekeeping:
    """Removes what settings keep no longer; of all workers one at a time does."""
    settings = house.settings
    days = settings.retention_days
    keeping = None if days is None else Keeping(timedelta(days=float(days)), settings.archive_dir)
    return Housekeeping(house.database, keeping)


def check_plugins(settings: Settings) -> None:
    """Raises plugins.PluginError for a feed, broker or algorithm that nobody is."""
    algo = settings.alpaca_api_default_algo
    if not works_plain_orders(algo):
        raise plugins.PluginError(
            f"SLIPSTREAM_ALPACA_API_DEFAULT_ALGO is {algo!r}, which works no order without a limit"
        )
    plugins.choose(plugins.find("app.feeds", "FEED", "open_feed"), settings.feed, "feed")
    brokers = plugins.find("app.brokers", "BROKER", "open_broker")
    for broker in settings.broker_of.values():
        plugins.choose(brokers, broker, "broker")


def stating(settings: Settings, what: str) -> frozenset[str]:
    """The accounts whose broker says that it can do something. Raises plugins.PluginError."""
    found = plugins.find("app.brokers", "BROKER", "open_broker")
    return frozenset(
        account
        for account, broker in settings.broker_of.items()
        if plugins.says(plugins.choose(found, broker, "broker"), what)
    )


def open_feed(settings: Settings) -> Feed:
    """The market feed. Raises plugins.PluginError, ports.FeedError or ValueError."""
    opener = plugins.choose(plugins.find("app.feeds", "FEED", "open_feed"), settings.feed, "feed")
    feed: Feed = opener(ExchangeCalendars(), _feed_options(settings))
    return feed


def open_calendar() -> Calendar:
    """Trading sessions, for commands that read market data without a feed."""
    return ExchangeCalendars()


def _feed_options(settings: Settings) -> Mapping[str, Any]:
    """What a feed is told when it is opened."""
    if settings.feed == "alpaca":
        secret = settings.alpaca_secret_key
        return {
            "key_id": settings.alpaca_key_id,
            "secret_key": secret.get_secret_value() if secret is not None else None,
            "source": settings.alpaca_feed,
            "trading_url": settings.alpaca_url,
            "data_url": settings.alpaca_data_url,
            "stream_url": settings.alpaca_data_stream_url,
        }
    starts_at = feed_start(settings)
    if settings.feed == "replay":
        path, root = settings.feed_path, settings.feed_root
        return {"starts_at": starts_at, "path": path, "root": root}
    return {"starts_at": starts_at, "seed": settings.feed_seed}


def broker_opener(settings: Settings, name: str) -> Callable[[str, MarketDesk], Broker]:
    """Opens the broker `name` for an account, once its desk is ours."""
    opener = plugins.choose(plugins.find("app.brokers", "BROKER", "open_broker"), name, "broker")

    def opened(account: str, market: MarketDesk) -> Broker:
        options = _options(settings, name, account, market)
        broker: Broker = opener(account, market.feed.tape, options)
        return broker

    return opened


def _options(
    settings: Settings, broker: str, account: str, market: MarketDesk
) -> Mapping[str, Any]:
    """What a broker is told when it is opened; one that we do not know needs nothing."""
    if broker == "paper":
        return _paper_options(settings, account, market)
    if broker == "alpaca":
        return _alpaca_options(settings)
    return {"url": settings.sandbox_url} if broker == "sandbox" else {}


def _alpaca_options(settings: Settings) -> Mapping[str, Any]:
    return {
        "key_id": settings.alpaca_key_id,
        "secret_key": settings.alpaca_secret_key,
        "url": settings.alpaca_url,
        "stream_url": settings.alpaca_stream_url,
        "requests_per_minute": settings.alpaca_requests_per_minute,
        "brackets": settings.alpaca_brackets,
    }


def _paper_options(settings: Settings, account: str, market: MarketDesk) -> Mapping[str, Any]:
    return {
        "ledger_path": ledger_path(settings.data_dir, account, first=account == settings.account),
        "instrument": lambda symbol: market.watched[symbol].instrument,
        "sessions": lambda symbol: market.watched[symbol].sessions,
        "extended": lambda symbol: wholes(market.watched[symbol].days),
        "latency_us": settings.paper_latency_ms * 1_000,
        "fee_per_share": settings.paper_fee_per_share,
        "fee_bps": settings.paper_fee_bps,
    }


def feed_start(settings: Settings) -> Instant | None:
    """Market time a stepped feed starts at, if settings say. Raises ValueError without a zone."""
    if settings.feed_start is None:
        return None
    return from_datetime(datetime.fromisoformat(settings.feed_start))
