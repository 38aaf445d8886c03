"""The shape of an Almgren–Chriss trajectory: fractions of the parent, and how urgency sets it."""

from math import exp, expm1

from app.domain.task import Urgency

_STRAIGHT = 1e-8
"""kappa T below which the curve is a straight line to within a float's rounding."""


def remaining_fractions(kappa_tau: float, n: int) -> tuple[float, ...]:
    """What is left after each of `n` equal periods, as fractions: n + 1 of them, 1.0 down to 0.0.

    Equation (17), x_j = sinh(kappa(T - t_j))/sinh(kappa T), written with decaying exponentials:
    nothing overflows for a large kappa T, and kappa -> 0 is the straight line (TWAP).
    Raises ValueError for a negative or undefined `kappa_tau`, and for no period.
    """
    _check(kappa_tau, n)
    if kappa_tau * n < _STRAIGHT:
        return tuple((n - j) / n for j in range(n + 1))
    whole = expm1(-2 * kappa_tau * n)
    inner = (exp(-kappa_tau * j) * expm1(-2 * kappa_tau * (n - j)) / whole for j in range(1, n))
    return (1.0, *inner, 0.0)


def traded_fractions(kappa_tau: float, n: int) -> tuple[float, ...]:
    """What each of `n` equal periods trades, as fractions that sum to 1: equation (18).

    Not taken as differences of what remains: those lose their digits where the line is straight.
    """
    _check(kappa_tau, n)
    if kappa_tau * n < _STRAIGHT:
        return (1 / n,) * n
    scale = expm1(-kappa_tau) / expm1(-2 * kappa_tau * n)
    first = scale * (1 + exp(-kappa_tau * (2 * n - 1)))
    later = (
        scale * exp(-kappa_tau * (j - 1)) * (1 + exp(-kappa_tau * (2 * n - 2 * j + 1)))
        for j in range(2, n + 1)
    )
    return (first, *later)


def _check(kappa_tau: float, n: int) -> None:
    if n < 1:
        raise ValueError("a trajectory has at least one period")
    if not kappa_tau >= 0:
        raise ValueError(f"kappa tau must not be negative: {kappa_tau}")


def urgency_pace(urgency: Urgency) -> float:
    """kappa T, the dimensionless pace of an urgency: how many e-foldings fit into the window.

    Risk aversion itself (lambda, 1/currency) is no setting that holds for several orders: it must
    shrink with the notional and would mean another thing in another currency. kappa T does not.
    Against TWAP over the same window, for linear impact in continuous time, a pace k multiplies
    temporary impact by k (sinh 2k + 2k)/(4 sinh^2 k) and variance by
    3 (sinh 2k - 2k)/(4 k sinh^2 k):

    ========= ======= ================ ==============
    urgency   kappa T temporary impact sd of the cost
    ========= ======= ================ ==============
    low       1       × 1.02           × 0.94
    normal    3       × 1.55           × 0.70
    high      6       × 3.00           × 0.50
    immediate 12      × 6.00           × 0.35
    ========= ======= ================ ==============

    normal is the paper's own worked example (kappa T ~ 3); high halves the risk of TWAP.
    """
    return _PACES[urgency]


_PACES = {Urgency.LOW: 1.0, Urgency.NORMAL: 3.0, Urgency.HIGH: 6.0, Urgency.IMMEDIATE: 12.0}
