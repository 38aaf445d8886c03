"""Opens the house from settings: the one place that knows every room. It decides nothing."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app import plugins
from app.brokers.paper.home import ledger_path
from app.calendars import ExchangeCalendars
from app.domain.admission import Rules
from app.domain.alert import Thresholds as AlertThresholds
from app.domain.instant import SECOND, Instant, from_datetime
from app.domain.limits import Limits
from app.domain.routing import Thresholds as RouteThresholds
from app.domain.task import Policy
from app.engine.desk_rules import DeskRules
from app.engine.housekeeping import Housekeeping, Keeping
from app.engine.hub import Hub
from app.engine.intake import Intake
from app.engine.market import MarketDesk
from app.engine.service import Service
from app.engine.worker import Worker
from app.ports import Broker, Feed
from app.settings import Settings
from app.store import accounts, keys
from app.store.database import Database
from app.store.doorbell import EVENTS, WORK, Doorbell
from app.store.migrate import check


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
    intake.start()
    await hub.start()
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
            signal_confidence_min=settings.signal_confidence_min,
        )
    finally:
        await intake.close()
        await hub.close()


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


def open_worker(house: House) -> Worker:
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
    )


def open_housekeeping(house: House) -> Housekeeping:
    """Removes what settings keep no longer; of all workers one at a time does."""
    settings = house.settings
    days = settings.retention_days
    keeping = None if days is None else Keeping(timedelta(days=float(days)), settings.archive_dir)
    return Housekeeping(house.database, keeping)


def check_plugins(settings: Settings) -> None:
    """Raises plugins.PluginError for a feed or broker that nobody is."""
    plugins.choose(plugins.find("app.feeds", "FEED", "open_feed"), settings.feed, "feed")
    brokers = plugins.find("app.brokers", "BROKER", "open_broker")
    for broker in settings.broker_of.values():
        plugins.choose(brokers, broker, "broker")


def open_feed(settings: Settings) -> Feed:
    """The market feed. Raises plugins.PluginError, ports.FeedError or ValueError."""
    opener = plugins.choose(plugins.find("app.feeds", "FEED", "open_feed"), settings.feed, "feed")
    options: dict[str, Any] = {"starts_at": feed_start(settings)}
    if settings.feed == "replay":
        options |= {"path": settings.feed_path, "root": settings.feed_root}
    else:
        options |= {"seed": settings.feed_seed}
    feed: Feed = opener(ExchangeCalendars(), options)
    return feed


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
    return {"url": settings.sandbox_url} if broker == "sandbox" else {}


def _paper_options(settings: Settings, account: str, market: MarketDesk) -> Mapping[str, Any]:
    return {
        "ledger_path": ledger_path(settings.data_dir, account, first=account == settings.account),
        "instrument": lambda symbol: market.watched[symbol].instrument,
        "sessions": lambda symbol: market.watched[symbol].sessions,
        "latency_us": settings.paper_latency_ms * 1_000,
        "fee_per_share": settings.paper_fee_per_share,
        "fee_bps": settings.paper_fee_bps,
    }


def feed_start(settings: Settings) -> Instant | None:
    """Market time a stepped feed starts at, if settings say. Raises ValueError without a zone."""
    if settings.feed_start is None:
        return None
    return from_datetime(datetime.fromisoformat(settings.feed_start))


def rules(settings: Settings) -> Rules:
    """What every order is checked against."""
    return Rules(
        limits=Limits(settings.max_order_qty, settings.max_order_notional),
        thresholds=RouteThresholds(
            settings.route_market_below,
            settings.route_vwap_above,
            settings.route_vwap_participation,
        ),
        policy=Policy(settings.max_quote_age_seconds * SECOND, settings.collar),
    )


def desk_rules(settings: Settings) -> DeskRules:
    return DeskRules(
        max_working_orders=settings.max_working_orders,
        quarantine_seconds=settings.quarantine_seconds,
        closing_seconds=settings.closing_seconds,
    )


def alert_thresholds(settings: Settings) -> AlertThresholds:
    return AlertThresholds(
        slippage_bps=settings.alert_slippage_bps,
        failed_children=settings.alert_failed_children,
        stalled_after=settings.alert_stalled_seconds * SECOND,
    )
