"""Market impact after Almgren, Thum, Hauptmann and Li, "Direct estimation of equity market impact"
(Risk 18(7), July 2005, 58-62).

Fitted on 29,509 orders in S&P 500 names, Dec 2001 to Jun 2003, median size 0.62 % of a day's
volume; not claimed valid beyond a few per cent of it. Everything is in fractions of the price
(0.0001 is a basis point), positive = cost, the same for buys and sells.
"""

from dataclasses import dataclass

GAMMA, GAMMA_SE = 0.314, 0.041
ETA, ETA_SE = 0.142, 0.0062
BETA = 0.6
"""3/5; the fit gave 0.600 +- 0.038, and a square root is rejected at 95 %."""
DELTA = 0.25
"""1/4; the fit gave 0.267 +- 0.22."""

TYPICAL_TURNOVER_DAYS = 151.0
"""Shares outstanding over daily volume where the former is not known: the geometric mean of the
paper's two examples, 263 (IBM) and 87 (DRI). By the fourth root, both are within 15 % of it."""

ASSUMED_SHARES = "shares outstanding are 151 times the daily volume"


@dataclass(frozen=True, slots=True)
class Impact:
    """I, K and J of the paper as fractions of the price, positive = cost.

    `permanent` is where the price goes and stays, `temporary` what speed costs while trading,
    `realised` what the order pays on average: half the permanent part and all of the temporary.
    `assumption` names what was assumed of the shares outstanding, None where they were given.
    """

    permanent: float
    temporary: float
    assumption: str | None

    @property
    def realised(self) -> float:
        return self.permanent / 2 + self.temporary


def impact(
    *,
    quantity: float,
    daily_volume: float,
    sigma: float,
    days: float,
    shares_outstanding: float | None = None,
) -> Impact:
    """I = gamma sigma (X/V)(Theta/V)^(1/4), K = eta sigma (X/(V T))^(3/5), J = I/2 + K.

    `quantity` X >= 0 and `daily_volume` V > 0 in shares, `sigma` as a daily fraction (0.0157, not
    annual, not per cent), `days` T > 0: the execution's length in volume time, as the share of a
    day's volume that trades in it. Raises ValueError outside of these.
    """
    if not (quantity >= 0 and daily_volume > 0 and sigma >= 0 and days > 0):
        raise ValueError("quantity and sigma are not negative, volume and time above zero")
    share = quantity / daily_volume
    return Impact(
        permanent=permanent(share, sigma, _turnover_days(shares_outstanding, daily_volume)),
        temporary=temporary(share / days, sigma),
        assumption=ASSUMED_SHARES if shares_outstanding is None else None,
    )


def permanent(share: float, sigma: float, turnover_days: float = TYPICAL_TURNOVER_DAYS) -> float:
    """I as a fraction of the price: `share` is X/V, `turnover_days` Theta/V."""
    return GAMMA * sigma * share * float(turnover_days**DELTA)


def temporary(rate: float, sigma: float) -> float:
    """K as a fraction of the price: `rate` is X/(V T), the planned share of mean volume."""
    return ETA * sigma * float(rate**BETA)


def _turnover_days(shares_outstanding: float | None, daily_volume: float) -> float:
    if shares_outstanding is None:
        return TYPICAL_TURNOVER_DAYS
    if not shares_outstanding > 0:
        raise ValueError("shares outstanding must be above zero")
    return shares_outstanding / daily_volume
