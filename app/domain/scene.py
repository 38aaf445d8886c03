"""The market as an arriving order finds it, and which of its prices can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.extended_hours import TradingDay, thin_outside, wholes
from app.domain.flow.record import Flow
from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.refusal import Unavailable
from app.domain.regime.record import Regime
from app.domain.routing import Thresholds
from app.domain.session import Session, session_at
from app.domain.task import Policy
from app.domain.volume import VolumeCurve, default_curve


@dataclass(frozen=True, slots=True)
class Rules:
    """What the house checks and assumes, from settings."""

    thresholds: Thresholds
    policy: Policy
    extended_hours: bool = True
    """Whether an order may ask for them."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is known of the market when an order arrives. Many orders meet the same one."""

    instrument: Instrument
    sessions: Sequence[Session]
    curve: VolumeCurve | None
    quote: Quote | None
    last: Decimal | None
    last_at: Instant | None
    daily_volume: Decimal | None
    now: Instant
    volatility: float | None = None
    """Of a day's trading, as a fraction of the price; not annual, not through the night."""
    flow: Flow | None = None
    regime: Regime | None = None
    """Both None where nobody asked for them lately, or too little is known."""
    days: Sequence[TradingDay] = ()
    """With the hours before the open and after the close; none where nobody trades then."""

    def hours(self, extended: bool) -> Sequence[Session]:
        """When an order trades, with or without extended hours."""
        return wholes(self.days) if extended else self.sessions

    def curve_for(self, session: Session, extended: bool) -> VolumeCurve:
        """The volume curve of an order's session, or day."""
        if not extended:
            return self.curve or default_curve(session)
        day = next(d for d in self.days if d.whole == session)
        return thin_outside(self.curve or default_curve(day.session), day)


def trusted(scene: Scene, hours: Sequence[Session], policy: Policy) -> Scene:
    """The scene without prices that are too old to check anything against."""
    # A closed market is silent by nature: what it said last is the price there is.
    if session_at(hours, scene.now) is None:
        return scene
    oldest = scene.now - policy.max_quote_age
    quoted = scene.quote is not None and scene.quote.at >= oldest
    traded = scene.last_at is not None and scene.last_at >= oldest
    if quoted == (scene.quote is not None) and traded == (scene.last is not None):
        return scene
    return replace(
        scene, quote=scene.quote if quoted else None, last=scene.last if traded else None
    )


def reference_of(scene: Scene) -> Decimal:
    """The arrival price. Without one nothing can be checked, so nothing is accepted."""
    if scene.quote is not None and scene.quote.uncrossed and scene.quote.bid > 0:
        return scene.quote.mid
    if scene.last is not None and scene.last > 0:
        return scene.last
    raise Unavailable(
        "no_reference_price",
        f"there is no fresh price for {scene.instrument.symbol} to check the order against",
        field="symbol",
    )


def reference_now(scene: Scene, policy: Policy, extended_hours: bool = False) -> Decimal:
    """The price to check an order against. Raises Unavailable where there is none to trust."""
    return reference_of(trusted(scene, scene.hours(extended_hours), policy))
