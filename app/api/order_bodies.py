"""What a client may say of an order, and how it reads as a request."""

from decimal import Decimal
from operator import itemgetter
from types import NoneType
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.api.amounts import Amount, Duration, Id, Label, Moment, Scalar, Symbol
from app.api.bodies import Strict
from app.api.bracket_bodies import Bracketed
from app.domain.admission import PRIORITY_MAX
from app.domain.quantity import Side
from app.domain.request import AUTO, Request
from app.domain.risk.limit import CONFIRMABLE
from app.domain.task import OnRestart, Urgency
from app.engine.commands import Changes

Params = Annotated[dict[str, Scalar], Field(max_length=50)]


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a whole number")
    # Before it is written out: 1E+1000000 has a million digits.
    if isinstance(value, Decimal) and (not value.is_finite() or value.adjusted() > 9):
        raise ValueError("is out of range")
    return value


Priority = Annotated[
    int,
    BeforeValidator(_whole),
    Field(ge=-PRIORITY_MAX, le=PRIORITY_MAX),
]
Algo = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


# The page names them; the check is the engine's, which answers a repetition before it refuses.
_Confirmable = Annotated[Label, WithJsonSchema({"type": "string", "enum": list(CONFIRMABLE)})]
Confirmed = Annotated[tuple[_Confirmable, ...], Field(max_length=20)]


class OrderBody(Bracketed):
    """A parent order: one of qty and notional, at most one of end_time and duration."""

    symbol: Symbol
    side: Side
    qty: Amount | None = None
    notional: Amount | None = Field(None, description="Money; becomes a quantity at arrival.")
    algo: Algo = Field(AUTO, description="auto, or a name from GET /algorithms.")
    params: Params = Field(default_factory=dict, description="The algorithm's own parameters.")
    limit_price: Amount | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    duration: Duration | None = None
    max_participation: Amount | None = Field(
        None, description="Of market volume, as a fraction: 0.1 is ten per cent."
    )
    urgency: Urgency = Urgency.NORMAL
    priority: Priority = Field(
        0, description="Where not all can go first: higher before lower. Fixed once accepted."
    )
    time_in_force: Literal["day"] = "day"
    on_restart: OnRestart = OnRestart.RESUME
    account: Id | None = None
    client_order_id: Id | None = Field(None, description="Unique per account, for ever.")
    strategy: Label | None = None
    tags: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
    confirm: Confirmed = Field(
        (), description="Soft limits to go beyond, by name, this once; recorded with the order."
    )
    reduce_only: StrictBool = Field(
        False,
        description="Never takes the account's position through zero; canceled, with the reason"
        " nothing_to_reduce, when nothing is left to reduce.",
    )

    extended_hours: StrictBool = Field(
        False,
        description="Works before the open and after the close too, by limit orders alone: with"
        " limit, smart_limit or iceberg (auto takes one of them), without stop or target.",
    )

    def request(self, account: str) -> Request:
        return Request._make((account, *_asked(self.__dict__), self.bracket(), _SMART))


_BODY_NAMES = {"start": "start_time", "end": "end_time"}
_SMART = Request._field_defaults["smart"]
_asked = itemgetter(*(_BODY_NAMES.get(name, name) for name in Request._fields[1:-2]))
"""What stands in a request as in the body, between its account and its exits: by place and from a
mapping, for by name and from a model it takes more than twice as long."""

BATCH_MAX = 1_000


class BatchBody(Strict):
    """Many parent orders, each for itself."""

    orders: Annotated[tuple[OrderBody, ...], Field(min_length=1, max_length=BATCH_MAX)]


class AmendBody(Strict):
    """What PATCH changes. A field left out stays as it is; null is no value."""

    qty: Amount | None = None
    limit_price: Amount | None = None
    end_time: Moment | None = None
    max_participation: Amount | None = None
    params: Params | None = Field(None, description="Only those marked mutable.")
    confirm: Confirmed = Field(
        (), description="Soft limits that this change goes beyond, by name; kept with the order."
    )

    @model_validator(mode="before")
    @classmethod
    def _says_something(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.keys() - {"confirm"}:
            raise ValueError("give at least one field to change")
        empty = [name for name, value in given.items() if value is None]
        if empty:
            raise ValueError(f"{empty[0][:80]} is null; leave it out to keep it")
        return given

    def changes(self) -> Changes:
        return Changes(
            qty=self.qty,
            limit_price=self.limit_price,
            end=self.end_time,
            max_participation=self.max_participation,
            params=self.params,
        )


def given(body: Strict) -> dict[str, Any]:
    """A body as it was sent, for its fingerprint: only what the client said, names in order."""
    said = body.__dict__
    own = {name: said[name] for name in sorted(body.model_fields_set)}
    # To ask of each value whether it is a model takes longer than all the rest.
    if not _LEAVES.issuperset(map(type, own.values())):
        own = {name: _within(value) for name, value in own.items()}
    return own


_LEAVES = frozenset({str, int, bool, NoneType, Decimal, dict, tuple, Side, Urgency, OnRestart})
"""Kinds that hold no body."""


def _within(value: Any) -> Any:
    return given(value) if isinstance(value, Strict) else value


def exact(value: Decimal) -> str:
    """A decimal as text, without exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
