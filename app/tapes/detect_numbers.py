"""How finely prices and sizes are written, and by what they are to be divided."""

from decimal import Decimal

import numpy as np

from app.tapes.errors import Ambiguous, Question
from app.tapes.naming import Floats
from app.tapes.reading.rows import ON_GRID
from app.tapes.stated import Given, Statement

MOST_DECIMALS = 8
ROUNDED_DECIMALS = 6
LOOKS_SCALED = 1_000.0
"""Whole prices above this may be prices times a scale."""
USUAL = 0.5


def price_scale_of(file: str, prices: Floats, given: Given) -> tuple[int, Statement]:
    """By what prices are divided. Raises Ambiguous where whole numbers may be scaled ones."""
    if given.price_scale is not None:
        return given.price_scale, Statement("prices", f"/ {given.price_scale}", "as told")
    if len(prices) and _on_grid(prices, 0).all() and float(np.median(prices)) >= LOOKS_SCALED:
        text = f"all prices are whole, like {prices[0]:.0f}: by what are they to be divided?"
        raise Ambiguous(file, (Question("--price-scale N", text),))
    return 1, Statement("prices", "as they are", f"values like {prices[0]:g}")


def decimals_of(values: Floats) -> tuple[int, str]:
    """How many decimals all values need, and how that is known."""
    for decimals in range(MOST_DECIMALS + 1):
        if _on_grid(values, decimals).all():
            return decimals, f"the finest has {decimals} decimals"
    return ROUNDED_DECIMALS, f"computed values, rounded to {ROUNDED_DECIMALS} decimals"


def tick_of(prices: Floats, given: Given) -> tuple[Decimal, Statement]:
    """The coarsest of the usual steps on which most prices stand."""
    if given.tick is not None:
        return given.tick, Statement("tick", str(given.tick), "as told")
    for decimals in (2, 3, 4, 5, 6, 7, 8):
        share = float(_on_grid(prices, decimals).mean())
        if share > USUAL:
            tick = Decimal(1).scaleb(-decimals)
            return tick, Statement("tick", str(tick), f"{share:.0%} of the prices stand on it")
    return Decimal("0.01"), Statement("tick", "0.01", "assumed: prices are averages")


def lot_of(sizes: Floats, given: Given) -> tuple[Decimal, Statement]:
    if given.lot is not None:
        return given.lot, Statement("lot", str(given.lot), "as told")
    decimals, _ = decimals_of(sizes)
    lot = Decimal(1).scaleb(-decimals) if decimals else Decimal(1)
    why = "all sizes are whole" if not decimals else f"sizes have up to {decimals} decimals"
    return lot, Statement("lot", f"{lot:f}", why)


def _on_grid(values: Floats, decimals: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    scaled = values * 10**decimals
    grid: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.abs(scaled - np.rint(scaled)) <= ON_GRID
    return grid
