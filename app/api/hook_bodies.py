"""What a hook is made of."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from app.api.amounts import Duration, Id, Label, Moment, Positive, Symbol
from app.api.bodies import Strict
from app.api.kill_switches import Reason
from app.domain.hook import Hook, Sizes

Ticker = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
Source = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f.:/]{2,49}$")]
Passphrase = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{12,128}$")]


def _few(value: object) -> int:
    """Looked at before it becomes an integer: 1E+99999999 as one fills the memory."""
    number = Decimal(value) if type(value) is int else value
    words = f"must be a whole number from 1 to {_PER_MINUTE_MAX}"
    if not isinstance(number, Decimal) or not number.is_finite():
        raise ValueError(words)
    if not 1 <= number <= _PER_MINUTE_MAX or number != number.to_integral_value():
        raise ValueError(words)
    return int(number)


_PER_MINUTE_MAX = 10_000
PerMinute = Annotated[int, BeforeValidator(_few), Field(ge=1, le=_PER_MINUTE_MAX)]


class HookBody(Strict):
    """A hook to make. TradingView signs nothing: one of `max_qty` and `max_notional` is needed, and
    the lower the better."""

    name: Label
    account: Id | None = None
    strategy: Label = Field(description="Its signals are judged by this strategy's gates.")
    symbols: Annotated[dict[Ticker, Symbol], Field(min_length=1, max_length=500)] | Literal["any"]
    sizes: Sizes = Field(
        Sizes.MESSAGE,
        description="Where the size comes from: the message's quantity, fixed_qty, or the position"
        " that market_position and market_position_size name.",
    )
    fixed_qty: Positive | None = None
    max_qty: Positive | None = Field(None, description="The most that one signal may open.")
    max_notional: Positive | None = Field(None, description="The same in money.")
    per_minute: PerMinute = Field(30, description="Signals; resends do not count.")
    max_lag: Duration | None = Field(
        None, description="The oldest an alert may be, by its own {{timenow}}, which it then needs."
    )
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=100)] | None = Field(
        None, description="Addresses and networks that may send; absent: any."
    )
    passphrase: Passphrase | None = Field(None, description="Alerts must bring it in their body.")
    expires_at: Moment | None = None
    reason: Reason | None = None

    def hook(self, account: str) -> Hook:
        mapped = self.symbols
        return Hook(
            account=account,
            id="",
            name=self.name,
            strategy=self.strategy,
            symbols=None if isinstance(mapped, str) else {k.upper(): v for k, v in mapped.items()},
            sizes=self.sizes,
            fixed_qty=self.fixed_qty,
            max_qty=self.max_qty,
            max_notional=self.max_notional,
            per_minute=self.per_minute,
            max_lag=self.max_lag,
            sources=self.sources,
            expires_at=self.expires_at,
        )


class HookRotateBody(Strict):
    """How long the token before goes on working, so that alerts can be changed one by one."""

    keep: Duration | None = Field(None, description="Absent: it ends at once.")
