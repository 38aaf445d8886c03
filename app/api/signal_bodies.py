"""What a client may say in a signal, and how it reads."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field, StrictBool, model_validator

from app.api.amounts import Amount, Duration, Id, Label, Moment, Positive, Symbol
from app.api.bodies import Strict
from app.api.bracket_bodies import bracket_of
from app.api.order_bodies import Algo, Params
from app.domain.bracket import Basis, Bracket, Level, Policy
from app.domain.quantity import Side
from app.domain.request import AUTO
from app.domain.task import Urgency
from app.engine.signal import Signal, Sizing


def _share(value: Decimal) -> Decimal:
    if not 0 <= value <= 1:
        raise ValueError("must lie between 0 and 1")
    return value


class SignalBody(Strict):
    """What a strategy says. One of `action` (buy or sell so much) and `direction` (long, short or
    flat: the position it wants); one of `size`, `notional` and `target_position`.

    `target_position` is signed and needs neither: what is held and open counts, so that the same
    signal twice does nothing more. `price` is a reference, not a limit.
    """

    symbol: Symbol = Field(validation_alias=AliasChoices("symbol", "market"))
    action: Literal["BUY", "SELL", "buy", "sell"] | None = None
    direction: Literal["long", "short", "flat"] | None = None
    size: Positive | None = Field(None, description="Quantity, in the instrument's units.")
    notional: Positive | None = Field(None, description="Money; a quantity at the market's price.")
    target_position: Amount | None = Field(None, description="Signed; 0 is flat.")
    price: Positive | None = Field(None, description="What the signal was made at.")
    stop: Positive | None = Field(
        None, description="Where it is wrong; a figure for the gates, an exit only with `bracket`."
    )
    target: Positive | None = Field(
        None, description="Where it has come true; an exit only with `bracket`, as `stop`."
    )
    bracket: StrictBool = Field(
        False, description="The order keeps `stop` and `target` as its exits: see docs/brackets.md."
    )
    min_reward_risk: Positive | None = Field(
        None, description="Of its exits at the fill price: 2 unless given."
    )
    exit_policy: Policy | None = Field(None, description="Of its exits: close unless given.")
    exit_at_close: StrictBool | None = None
    expected_edge_bps: Amount | None = Field(
        None, description="Basis points of the price that it hopes for; positive is good."
    )
    confidence: Annotated[Amount, AfterValidator(_share)] | None = None
    time: Moment | None = Field(None, description="When it was made; an overtaken one is refused.")
    id: Id | None = Field(None, description="Yours; the same signal again gets the same decision.")
    source: Label = "api"
    strategy: Label | None = None
    urgency: Urgency = Urgency.NORMAL
    limit_price: Positive | None = None
    algo: Algo = AUTO
    params: Params = Field(default_factory=dict)
    duration: Duration | None = None
    max_participation: Positive | None = None
    account: Id | None = None

    @model_validator(mode="after")
    def _exits_have_levels(self) -> "SignalBody":
        said = (self.min_reward_risk, self.exit_policy, self.exit_at_close)
        if not self.bracket and any(one is not None for one in said):
            raise ValueError("min_reward_risk, exit_policy and exit_at_close go with bracket")
        if self.bracket and self.stop is None and self.target is None:
            raise ValueError("a bracket needs stop or target")
        return self

    @model_validator(mode="after")
    def _means_something(self) -> "SignalBody":
        sizes = [s for s in (self.size, self.notional, self.target_position) if s is not None]
        if self.direction == "flat":
            if self.action is not None or sizes:
                raise ValueError("direction flat takes neither action nor size")
            return self
        if len(sizes) != 1:
            raise ValueError("give exactly one of size, notional and target_position")
        if self.target_position is not None:
            if self.action is not None or self.direction is not None:
                raise ValueError("target_position takes neither action nor direction")
            return self
        if (self.action is None) == (self.direction is None):
            raise ValueError("give exactly one of action and direction")
        if self.direction is not None and self.notional is not None:
            raise ValueError("direction takes a size: a target position in the instrument's units")
        return self

    def signal(self, account: str) -> Signal:
        sizing, size, side = self._meant()
        return Signal(
            account=account,
            source=self.source,
            signal_id=self.id,
            symbol=self.symbol,
            side=side,
            size=size,
            sizing=sizing,
            price=self.price,
            confidence=float(self.confidence) if self.confidence is not None else None,
            limit_price=self.limit_price,
            urgency=self.urgency,
            strategy=self.strategy,
            expected_edge=self.expected_edge_bps,
            stop=self.stop,
            target=self.target,
            bracket=self._bracket(),
            min_reward_risk=self.min_reward_risk,
            at=self.time,
            algo=self.algo,
            params=self.params,
            duration=self.duration,
            max_participation=self.max_participation,
        )

    def _bracket(self) -> Bracket | None:
        if not self.bracket:
            return None
        target, stop = (
            Level(Basis.PRICE, price) if price is not None else None
            for price in (self.target, self.stop)
        )
        return bracket_of(target, stop, self.min_reward_risk, self.exit_policy, self.exit_at_close)

    def _meant(self) -> tuple[Sizing, Decimal, Side | None]:
        if self.direction == "flat":
            return Sizing.TARGET, Decimal(0), None
        if self.target_position is not None:
            return Sizing.TARGET, self.target_position, None
        if self.direction is not None:
            assert self.size is not None, "validated"
            sign = 1 if self.direction == "long" else -1
            return Sizing.TARGET, sign * self.size, None
        assert self.action is not None, "validated"
        side = Side(self.action.lower())
        if self.notional is not None:
            return Sizing.NOTIONAL, self.notional, side
        assert self.size is not None, "validated"
        return Sizing.QTY, self.size, side
