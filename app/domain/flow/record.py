"""Order flow of one symbol at one moment: small, to be told, stored and judged again."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, Micros


@dataclass(frozen=True, slots=True)
class Classified:
    """By what rule the aggressor of a stretch's trades was told: shares of its volume.

    `quote`: above or below the middle of the quote that stood before (the quote rule). `at_mid`:
    in the middle, by the direction of the last price change (what Lee and Ready add). `tick`: by
    that direction alone, as there was no usable quote. The rest could not be told at all.
    """

    quote: float
    at_mid: float
    tick: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A finished stretch [end − length, end).

    `ofi` is order-flow imbalance (Cont, Kukanov and Stoikov 2014) over the mean size of a touch:
    how many touches were added to the bid's side more than to the offer's; None without
    `updates` of the quote. `strength` is the same over the root of the sum of its squared parts:
    about normal with sd 1 where the parts lean to neither side. `trade_imbalance` is
    (bought − sold) / volume by aggressors, in [−1, 1]; None without `trades`. `bought` and `sold`
    are in units of the instrument.
    """

    length: Micros
    end: Instant
    ofi: float | None
    strength: float | None
    updates: int
    trade_imbalance: float | None
    trades: int
    bought: Decimal
    sold: Decimal


@dataclass(frozen=True, slots=True)
class Level:
    """What aggressors bought and sold at one price, or within one band of prices from it up."""

    price: Decimal
    bought: Decimal
    sold: Decimal


@dataclass(frozen=True, slots=True)
class Flow:
    """`imbalance` is the book's, (bid − ask) / (bid + ask) by size at the touch, our own orders
    among it; None without an uncrossed quote. `cvd` is cumulative volume delta, bought − sold by
    aggressors since `cvd_since`, of a `cvd_volume`. `footprint` is of the longest frame.
    """

    at: Instant
    imbalance: float | None
    frames: tuple[Frame, ...]
    cvd: Decimal
    cvd_volume: Decimal
    cvd_since: Instant
    footprint: tuple[Level, ...]
    classified: Classified | None


def flow_to_json(flow: Flow) -> dict[str, Any]:
    return {
        "at": flow.at,
        "imbalance": flow.imbalance,
        "frames": [
            {
                "length": f.length,
                "end": f.end,
                "ofi": f.ofi,
                "strength": f.strength,
                "updates": f.updates,
                "trade_imbalance": f.trade_imbalance,
                "trades": f.trades,
                "bought": _text(f.bought),
                "sold": _text(f.sold),
            }
            for f in flow.frames
        ],
        "cvd": _text(flow.cvd),
        "cvd_volume": _text(flow.cvd_volume),
        "cvd_since": flow.cvd_since,
        "footprint": [[_text(v) for v in (e.price, e.bought, e.sold)] for e in flow.footprint],
        "classified": (
            [flow.classified.quote, flow.classified.at_mid, flow.classified.tick]
            if flow.classified
            else None
        ),
    }


def flow_from_json(data: Mapping[str, Any]) -> Flow:
    return Flow(
        at=data["at"],
        imbalance=data["imbalance"],
        frames=tuple(
            Frame(**{**f, "bought": Decimal(f["bought"]), "sold": Decimal(f["sold"])})
            for f in data["frames"]
        ),
        cvd=Decimal(data["cvd"]),
        cvd_volume=Decimal(data["cvd_volume"]),
        cvd_since=data["cvd_since"],
        footprint=tuple(Level(*map(Decimal, level)) for level in data["footprint"]),
        classified=Classified(*data["classified"]) if data["classified"] else None,
    )


def _text(amount: Decimal) -> str:
    return format(amount, "f")
