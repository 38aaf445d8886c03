"""What settings say holds for every order, signal and desk."""

from collections.abc import Callable
from typing import Any

from app import plugins
from app.domain.alert import Thresholds as AlertThresholds
from app.domain.instant import HOUR, SECOND
from app.domain.mode import Terms
from app.domain.risk.bound import Bound, house_bounds
from app.domain.routing import Thresholds as RouteThresholds
from app.domain.scene import Rules
from app.domain.task import Policy
from app.engine.desk_rules import DeskRules
from app.engine.strategy_book import HouseRules
from app.settings import Settings


def rules(settings: Settings) -> Rules:
    """What every order is checked against."""
    return Rules(
        thresholds=RouteThresholds(
            settings.route_market_below,
            settings.route_vwap_above,
            settings.route_vwap_participation,
        ),
        policy=Policy(
            settings.max_quote_age_seconds * SECOND,
            settings.collar,
            settings.close_cutoff_seconds * SECOND,
        ),
        extended_hours=settings.extended_hours,
    )


def limits_of(settings: Settings) -> tuple[Bound, ...]:
    """The house's own hard limits: who sets limits through the API cannot widen them."""
    return house_bounds(
        max_order_qty=settings.max_order_qty, max_order_notional=settings.max_order_notional
    )


def house_rules(settings: Settings) -> HouseRules:
    """What holds for strategies that nothing is set for."""
    found = plugins.find("app.brokers", "BROKER", "open_broker")
    return HouseRules(
        paper=frozenset(
            account
            for account, broker in settings.broker_of.items()
            if _without_money(settings, plugins.choose(found, broker, "broker"))
        ),
        smart=settings.smart_execution,
        confidence=settings.signal_confidence_min,
        terms=Terms(settings.promotion_signals, int(settings.promotion_hours * HOUR)),
    )


def _without_money(settings: Settings, opener: Callable[..., Any]) -> bool:
    """Whether a broker's money is not real: it says so, of itself or of where it is told to go."""
    paper = plugins.stated(opener, "PAPER")
    return bool(paper(settings.alpaca_url)) if callable(paper) else paper is True


def desk_rules(settings: Settings) -> DeskRules:
    return DeskRules(
        max_working_orders=settings.max_working_orders,
        quarantine_seconds=settings.quarantine_seconds,
        closing_seconds=settings.closing_seconds,
        self_match=settings.self_match == "allow",
        policy=rules(settings).policy,
    )


def alert_thresholds(settings: Settings) -> AlertThresholds:
    return AlertThresholds(
        slippage_bps=settings.alert_slippage_bps,
        failed_children=settings.alert_failed_children,
        stalled_after=settings.alert_stalled_seconds * SECOND,
        vwap_deviation_bps=settings.alert_vwap_deviation_bps,
        failed_orders=settings.alert_failed_orders,
        slow_share=settings.alert_slow_share,
        slow_after=settings.alert_slow_seconds * SECOND,
    )
