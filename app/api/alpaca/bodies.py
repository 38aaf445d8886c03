"""What Alpaca's clients say of an order. They send numbers as JSON floats and may send more than
we know: what is not known is left out and named in the answer, except among the instructions,
where a word left out would send the order whole."""

from decimal import Decimal
from typing import Annotated, Literal, TypeVar

import structlog
from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.amounts import Amount, Id, Moment, Positive, Symbol
from app.api.bodies import Strict, checked, json_object, read
from app.api.order_bodies import Params, exact
from app.domain.quantity import Side

log = structlog.get_logger()

_PLACES = 9
"""A client's 0.1 + 0.2 is 0.30000000000000004."""

IGNORED = "X-Slipstream-Ignored"


def _rounded(number: Decimal) -> Decimal:
    return Decimal(exact(round(number, _PLACES)))


Figure = Annotated[Amount, AfterValidator(_rounded)]
PositiveFigure = Annotated[Positive, AfterValidator(_rounded)]


class Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class AdvancedInstructions(Strict):
    """Alpaca's own (TWAP, VWAP, DMA), and every algorithm of GET /algorithms with `params`."""

    algorithm: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$")]
    destination: str | None = Field(None, description="Taken and left out: no broker routes yet.")
    display_qty: Figure | None = Field(None, description="DMA: the largest child order.")
    start_time: Moment | None = None
    end_time: Moment | None = Field(None, description="Default: the session's close.")
    max_percentage: Figure | None = Field(
        None, description="Of market volume, as a fraction between 0 and 1."
    )
    params: Params = Field(default_factory=dict)


class OrderBody(Lenient):
    """POST /v2/orders."""

    symbol: Symbol
    side: Side
    qty: Figure | None = None
    notional: Figure | None = None
    type: Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
    time_in_force: Literal["day", "gtc", "opg", "cls", "ioc", "fok", "gtd"]
    order_class: str | None = None
    extended_hours: bool | None = None
    client_order_id: Id | None = None
    limit_price: Figure | None = None
    stop_price: Figure | None = None
    trail_price: Figure | None = None
    trail_percent: Figure | None = None
    # Refused, but looked at before: a number of a few characters may have a thousand million
    # digits.
    take_profit: Params | None = None
    stop_loss: Params | None = None
    legs: Annotated[list[Params], Field(max_length=50)] | None = None
    position_intent: str | None = None
    advanced_instructions: AdvancedInstructions | None = None


class Redirected(Strict):
    """What may be changed of instructions in flight."""

    algorithm: str | None = None
    destination: str | None = None
    display_qty: Figure | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    max_percentage: Figure | None = None
    params: Params = Field(default_factory=dict)


class ReplaceBody(Lenient):
    """PATCH /v2/orders/{id}."""

    qty: Figure | None = None
    limit_price: Figure | None = None
    stop_price: Figure | None = None
    trail: Figure | None = None
    time_in_force: str | None = None
    client_order_id: Id | None = None
    advanced_instructions: Redirected | None = None


Model = TypeVar("Model", OrderBody, ReplaceBody)


async def parsed(request: Request, model: type[Model]) -> tuple[Model, list[str]]:
    """The request's body, and the names in it that mean nothing here."""
    given = json_object(await read(request))
    unknown = sorted(set(given) - set(model.model_fields))
    if unknown:
        log.warning("fields left out", path=request.url.path, fields=unknown[:20])
    body = checked(given, model)
    told = body.advanced_instructions
    if told is not None and told.destination is not None:
        unknown.append("advanced_instructions.destination")
    return body, unknown


def ignored(unknown: list[str]) -> dict[str, str]:
    """The header that names what was left out."""
    named = [name for name in unknown if name.isascii()][:20]
    return {IGNORED: ", ".join(named)} if named else {}
