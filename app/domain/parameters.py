"""The parameters that algorithms share."""

from decimal import Decimal
from enum import StrEnum

from app.domain.algorithm import Kind, Parameter, Placement

OFFERED = tuple(p for p in Placement if p is not Placement.AT_LIMIT)


class Completion(StrEnum):
    """What becomes of a rest when the window ends."""

    FINISH = "finish"
    LEAVE = "leave"
    CLOSE = "close"


PLACEMENT = Parameter(
    "placement",
    Kind.CHOICE,
    "cross: take the far touch at once. The others rest first and cross what is still due when"
    " patience ends: rest_then_cross stays where it joined the near touch, peg follows it when it"
    " moves away, step_up moves towards the far touch in steps.",
    default=Placement.REST_THEN_CROSS.value,
    choices=tuple(p.value for p in OFFERED),
    mutable=True,
)
STEPS = Parameter(
    "steps",
    Kind.INTEGER,
    "step_up: how many prices a slice tries before it crosses, the near touch first.",
    default=3,
    minimum=1,
    maximum=20,
    mutable=True,
)
REPRICE_PAUSE = Parameter(
    "reprice_pause",
    Kind.SECONDS,
    "peg and step_up: a child stands for at least this long before it is moved.",
    default=1,
    minimum=0,
    maximum=3600,
    mutable=True,
)
PATIENCE = Parameter(
    "patience",
    Kind.SECONDS,
    "How long a slice rests before it crosses. Default: half a slice's time (low urgency 0.8 of"
    " it, high 0.2, immediate none), 60 s at most.",
    minimum=0,
    maximum=86_400,
    mutable=True,
)
SLICE_LOT = Parameter(
    "lot",
    Kind.DECIMAL,
    "Slices are whole multiples of this; an odd rest goes out once, with the last slice.",
    minimum=Decimal(0),
)
MIN_CHILD = Parameter(
    "min_child",
    Kind.DECIMAL,
    "No slice is smaller than this: a smaller one is merged into the next.",
    minimum=Decimal(0),
)
MAX_CHILD = Parameter(
    "max_child",
    Kind.DECIMAL,
    "No child order is larger than this.",
    minimum=Decimal(0),
    mutable=True,
)
SEED = Parameter(
    "seed",
    Kind.TEXT,
    "Fixes the random slice times. Default: the order's own id.",
)
WOULD_PRICE = Parameter(
    "would_price",
    Kind.DECIMAL,
    "I would: whatever is left is taken at once while the far touch is at this price or better.",
    minimum=Decimal(0),
    mutable=True,
)
DISPLAY = Parameter(
    "display",
    Kind.DECIMAL,
    "Show no more than this at a time: the next part rests when the one before has filled. Not"
    " below `min_child`.",
    minimum=Decimal(0),
    mutable=True,
)
SIZE_JITTER = Parameter(
    "size_jitter",
    Kind.DECIMAL,
    "Slices differ in size by up to this fraction either way, shown parts downwards, seeded by the"
    " order.",
    default=Decimal(0),
    minimum=Decimal(0),
    maximum=Decimal("0.5"),
)


def completion(default: Completion) -> Parameter:
    """The completion rule, with what an algorithm does unless told."""
    return Parameter(
        "completion",
        Kind.CHOICE,
        "finish: what is left shortly before the window ends is crossed, within the limit price"
        " and the participation. leave: it is left. close: it goes to the closing auction, for"
        " orders whose window ends at their session's close.",
        default=default.value,
        choices=tuple(c.value for c in Completion),
        mutable=True,
    )


MAX_SLIPPAGE = Parameter(
    "max_slippage",
    Kind.DECIMAL,
    "The furthest price from the middle at arrival, as a fraction of it (0.001 is 10 bps): a limit"
    " price made from it when the order is accepted.",
    default=Decimal("0.001"),
    minimum=Decimal(0),
    maximum=Decimal("0.1"),
)
