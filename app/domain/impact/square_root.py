"""The square-root law of market impact (Toth et al. 2011, PRX 1 021006, eq. 1), as a bound.

Y sigma sqrt(Q/V) is the *peak* displacement of the price by a whole metaorder Q, as a fraction of
the price, with sigma (a fraction) and V (shares) of the same day. Y is of order one: about 1 in
Toth et al. on futures, 0.90 in Donier and Bonart 2015. It holds for Q/V between about 0.1 % and
10 %; below, impact is linear (Bucci et al. 2019, PRL 122 108302), so that the law overstates it.
"""

from math import sqrt

Y = 1.0
MEAN_OF_PEAK = 2 / 3
"""The mean of a square-root path over its peak: what fills along it cost on average."""


def peak(*, quantity: float, daily_volume: float, sigma: float, y: float = Y) -> float:
    """Where the price stands at the end of the metaorder, as a fraction, positive = against us.

    For the whole order: the children's own peaks may neither be averaged nor added up. Raises
    ValueError for a negative size or volatility, and for no volume.
    """
    if not (quantity >= 0 and daily_volume > 0 and sigma >= 0):
        raise ValueError("quantity and sigma are not negative, the volume is above zero")
    return y * sigma * sqrt(quantity / daily_volume)


def mean(*, quantity: float, daily_volume: float, sigma: float, y: float = Y) -> float:
    """The average cost of fills along the way to the peak, as a fraction of the price."""
    return MEAN_OF_PEAK * peak(quantity=quantity, daily_volume=daily_volume, sigma=sigma, y=y)
