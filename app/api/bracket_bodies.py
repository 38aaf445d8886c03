"""How take-profit and stop-loss are said in an order, and in a signal."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema, model_validator

from app.api.amounts import Positive
from app.api.bodies import Strict
from app.domain.bracket import LEAST_RATIO, Basis, Bracket, Level, Policy


class LevelBody(Strict):
    """Exactly one of a price, a distance from the fill price, and one in per cent of it.

    `limit_price` and `stop_price` are other names of `price`.
    """

    price: Positive | None = None
    offset: Positive | None = None
    percent: Positive | None = None
    limit_price: Positive | None = None
    stop_price: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> "LevelBody":
        if sum(value is not None for _, value in self) != 1:
            raise ValueError("give exactly one of price, offset and percent")
        return self

    def level(self) -> Level:
        for basis, value in ((Basis.OFFSET, self.offset), (Basis.PERCENT, self.percent)):
            if value is not None:
                return Level(basis, value)
        price = self.price or self.limit_price or self.stop_price
        assert price is not None, "validated"
        return Level(Basis.PRICE, price)


def _spelled(value: Any) -> Any:
    """A plain number is a price."""
    return {"price": value} if isinstance(value, str | Decimal | int) else value


_FORMS = {
    "anyOf": [
        {"type": ["string", "number"]},
        *(
            {
                "type": "object",
                "properties": {name: {"type": ["string", "number"]}},
                "required": [name],
                "additionalProperties": False,
            }
            for name in ("price", "offset", "percent", "limit_price", "stop_price")
        ),
    ],
    "examples": ["187.25", {"offset": "1.50"}, {"percent": "2"}],
}

LevelGiven = Annotated[LevelBody, BeforeValidator(_spelled), WithJsonSchema(_FORMS)]


class Bracketed(Strict):
    """What an order says of its exits."""

    take_profit: LevelGiven | None = Field(
        None, description="Where what it filled is taken in: a price, or a distance from the fill."
    )
    stop_loss: LevelGiven | None = Field(
        None, description="Where what it filled is given up: a price, or a distance from the fill."
    )
    min_reward_risk: Positive | None = Field(
        None, description="With both: the least reward for one unit of risk; 2 unless given."
    )
    exit_policy: Policy | None = Field(
        None,
        description="Under the minimum at the fill price: close (unless given) exits at once,"
        " resize fills no more, keep only raises an alert.",
    )
    exit_at_close: StrictBool | None = Field(
        None, description="Exits cross before the close; else they go on in the next session."
    )

    def bracket(self) -> Bracket | None:
        """None where nothing was said of exits."""
        if self.model_fields_set.isdisjoint(_OF_EXITS):
            return None
        return bracket_of(
            self.take_profit.level() if self.take_profit is not None else None,
            self.stop_loss.level() if self.stop_loss is not None else None,
            self.min_reward_risk,
            self.exit_policy,
            self.exit_at_close,
        )


_OF_EXITS = frozenset(Bracketed.model_fields)


def bracket_of(
    target: Level | None,
    stop: Level | None,
    minimum: Decimal | None,
    policy: Policy | None,
    exit_at_close: bool | None,
) -> Bracket | None:
    """With what is meant where nothing is said; None where all is."""
    if all(one is None for one in (target, stop, minimum, policy, exit_at_close)):
        return None
    least = minimum if minimum is not None else LEAST_RATIO
    return Bracket(target, stop, least, policy or Policy.CLOSE, bool(exit_at_close))
