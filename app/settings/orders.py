"""Limits of orders, how they are routed, and when somebody is told."""

from decimal import Decimal

from pydantic import BaseModel, Field


class OrderSettings(BaseModel):
    """What holds for every order."""

    max_order_qty: Decimal | None = Field(default=None, description="Hard limit, parent orders.")
    max_order_notional: Decimal | None = Field(
        default=Decimal(10_000_000), description="Hard limit, parent orders, at arrival."
    )
    max_quote_age_seconds: int = Field(
        default=120, gt=0, description="A quote older than this is no price."
    )
    collar: Decimal = Field(
        default=Decimal("0.05"), gt=0, lt=1, description="A child's distance from the last trade."
    )
    close_cutoff_seconds: int = Field(
        default=660, gt=0, description="Before the close: entry for the closing auction."
    )
    extended_hours: bool = Field(
        default=True, description="Whether an order may ask for extended hours; off: it is refused."
    )

    route_market_below: Decimal = Field(
        default=Decimal(10_000), description="algo auto: below this notional an order goes whole."
    )
    route_vwap_above: Decimal = Field(
        default=Decimal(100_000), description="algo auto: above this notional VWAP, else TWAP."
    )
    route_vwap_participation: Decimal = Field(
        default=Decimal("0.01"), description="Share of daily volume above which VWAP is taken."
    )

    cost_history_orders: int = Field(
        default=2_000,
        ge=0,
        le=100_000,
        description="Newest outcomes an account, to calibrate costs by; 0: as published.",
    )

    alert_slippage_bps: Decimal = Field(
        default=Decimal(20), description="Told when it costs more, against arrival."
    )
    alert_failed_children: int = Field(
        default=3, ge=1, description="Told after so many refusals in a row."
    )
    alert_stalled_seconds: int = Field(
        default=300, gt=0, description="Told when behind, without progress."
    )
    alert_vwap_deviation_bps: Decimal = Field(
        default=Decimal(100),
        gt=0,
        description="Told when fills are this far from the market's VWAP since the order's start.",
    )

    alert_failed_orders: int = Field(
        default=3, ge=1, description="Told after so many failed orders of an account in a row."
    )
    alert_slow_share: Decimal = Field(
        default=Decimal("0.2"),
        gt=0,
        le=1,
        description="Told when behind schedule by this share of the order, or expired with it.",
    )
    alert_slow_seconds: int = Field(
        default=60, gt=0, description="Told when behind by that share for so long."
    )

    smart_execution: bool = Field(
        default=True, description="Off: algo auto works plainly, as a market or limit order."
    )

    promotion_signals: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="Signals a strategy needs in one mode before the next.",
    )
    promotion_hours: float = Field(
        default=24.0, ge=0, le=8760, description="Hours it needs in one mode before the next."
    )

    signal_confidence_min: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="What the gate `confidence` asks for where nothing else is said (0.5).",
    )
