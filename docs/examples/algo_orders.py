"""Algorithm orders for alpaca-py. Copy this file beside your program, or put it on the path.

alpaca-py has no word for `advanced_instructions`: given to `MarketOrderRequest` they are dropped
without a sign, and the order goes out whole. These classes carry them.
"""

from datetime import datetime
from typing import Annotated, Any

from alpaca.common.requests import NonEmptyRequest
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, ReplaceOrderRequest
from pydantic import BeforeValidator, ConfigDict

Number = Annotated[str, BeforeValidator(str)]
"""Sent as text: a JSON float would not be the number that was meant."""


class AdvancedInstructions(NonEmptyRequest):
    """How an order is worked. `algorithm`: VWAP, TWAP, DMA, or another that the server has.

    Without `end_time` until the close; `max_percentage` of the market's volume, 0.1 is ten per
    cent; `params` are the algorithm's own (GET /algorithms of the server).
    """

    model_config = ConfigDict(extra="forbid")

    algorithm: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    max_percentage: Number | None = None
    display_qty: Number | None = None
    params: dict[str, Any] | None = None


class Redirected(NonEmptyRequest):
    """What can be changed of instructions while the order is worked."""

    model_config = ConfigDict(extra="forbid")

    end_time: datetime | None = None
    max_percentage: Number | None = None
    display_qty: Number | None = None
    params: dict[str, Any] | None = None


class AlgoMarketOrderRequest(MarketOrderRequest):
    advanced_instructions: AdvancedInstructions


class AlgoLimitOrderRequest(LimitOrderRequest):
    """No child order is ever priced beyond `limit_price`."""

    advanced_instructions: AdvancedInstructions


class AlgoReplaceOrderRequest(ReplaceOrderRequest):
    advanced_instructions: Redirected | None = None
