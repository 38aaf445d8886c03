"""Optimal execution after Almgren and Chriss (Dec 2000; J. Risk 3(2), 5-39), exact and discrete.

Equation numbers are those of the December 2000 text. Costs are in currency, positive = cost;
they are the same for a buy and a sell of the same size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asinh, inf, isnan, sinh, sqrt

from app.domain.impact.trajectory import remaining_fractions, traded_fractions


@dataclass(frozen=True, slots=True)
class Model:
    """The linear price model of equations (1), (2), (6) and (7), over `n` equal periods.

    Units: `sigma` $/share per square root of a day, `gamma` $/share per share (permanent), `eta`
    $/share per share/day and `epsilon` $/share (temporary), `tau` days a period. A day is a
    session's trading time, so that no volatility is counted through the night. Raises ValueError
    for what the model has no optimum for, eta~ <= 0 first of all.
    """

    sigma: float
    eta: float
    gamma: float
    epsilon: float
    tau: float
    n: int

    def __post_init__(self) -> None:
        if self.n < 1 or not self.tau > 0:
            raise ValueError("a trajectory needs at least one period of positive length")
        if not (self.sigma >= 0 and self.gamma >= 0 and self.epsilon >= 0):
            raise ValueError("sigma, gamma and epsilon are not negative")
        if not self.eta_tilde > 0:
            raise ValueError(
                f"eta - gamma tau / 2 is {self.eta_tilde}: it must be above zero, or trading"
                " faster would cost less"
            )

    @property
    def eta_tilde(self) -> float:
        """Temporary impact less what the permanent part counts twice, below (8)."""
        return self.eta - self.gamma * self.tau / 2

    def kappa_tau(self, risk_aversion: float) -> float:
        """kappa tau of the exact discrete solution: 2(cosh(kappa tau) - 1)/tau^2 = kappa~^2.

        `risk_aversion` is lambda in 1/currency, with kappa~^2 = lambda sigma^2/eta~ (16).
        """
        if isnan(risk_aversion) or risk_aversion < 0:
            raise ValueError("risk aversion is not negative")
        tilde = sqrt(risk_aversion) * self.sigma / sqrt(self.eta_tilde)
        # cosh(a) - 1 is 2 sinh(a/2)^2: without it small ones would be lost in rounding.
        return 2 * asinh(tilde * self.tau / 2)

    def risk_aversion(self, kappa_tau: float) -> float:
        """The lambda (1/currency) for which `kappa_tau` is optimal: the inverse of `kappa_tau`."""
        if kappa_tau > 1_400:
            return inf
        if self.sigma == 0:
            raise ValueError("without volatility every risk aversion trades alike")
        tilde = 2 * sinh(kappa_tau / 2) / self.tau
        return tilde * tilde * self.eta_tilde / self.sigma**2


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Holdings x_0 = X to x_n = 0 (17) and trades n_1 to n_n (18), in shares, and their price.

    `expected` is E of (8) in currency, `variance` V of (5) in currency squared; `risk_aversion`
    is None where it was not asked for in 1/currency.
    """

    holdings: tuple[float, ...]
    trades: tuple[float, ...]
    expected: float
    variance: float
    kappa: float
    risk_aversion: float | None = None

    @property
    def sd(self) -> float:
        """Standard deviation of the cost, in currency."""
        return sqrt(self.variance)

    @property
    def theta(self) -> float:
        """1/kappa in days. The paper's "half-life"; it is a time of e-folding, not of halving."""
        return 1 / self.kappa if self.kappa > 0 else inf

    def value_at_risk(self, quantile: float) -> float:
        """L-VaR (22), in currency: E + lambda_v sqrt(V), with `quantile` lambda_v (1.645: 95 %)."""
        return self.expected + quantile * self.sd


def optimal(model: Model, quantity: float, risk_aversion: float) -> Trajectory:
    """The trajectory that makes E + lambda V least, for lambda in 1/currency; 0 is TWAP.

    Re-planning what is left at any period with the same lambda gives the same rest (section 3.1).
    """
    return _at(model, quantity, model.kappa_tau(risk_aversion), risk_aversion)


def at_pace(model: Model, quantity: float, kappa_t: float) -> Trajectory:
    """The optimal trajectory of a dimensionless urgency kappa T."""
    return _at(model, quantity, kappa_t / model.n, None)


def _at(model: Model, quantity: float, kappa_tau: float, aversion: float | None) -> Trajectory:
    holdings = tuple(quantity * x for x in remaining_fractions(kappa_tau, model.n))
    trades = tuple(quantity * x for x in traded_fractions(kappa_tau, model.n))
    return Trajectory(
        holdings=holdings,
        trades=trades,
        expected=expected_cost(model, trades),
        variance=variance(model, holdings),
        kappa=kappa_tau / model.tau,
        risk_aversion=aversion,
    )


def expected_cost(model: Model, trades: Sequence[float]) -> float:
    """E of any schedule (8), in currency: gamma X^2/2 + epsilon sum|n| + (eta~/tau) sum n^2."""
    whole = sum(trades)
    return (
        model.gamma * whole * whole / 2
        + model.epsilon * sum(abs(n) for n in trades)
        + model.eta_tilde / model.tau * sum(n * n for n in trades)
    )


def variance(model: Model, holdings: Sequence[float]) -> float:
    """V of any schedule (5), in currency squared; `holdings` begin with the whole, at time 0."""
    return model.sigma**2 * model.tau * sum(x * x for x in holdings[1:])


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """One optimal trade-off. `expected` and `sd` in currency, `first_trade` as a fraction."""

    kappa_t: float
    risk_aversion: float
    expected: float
    sd: float
    first_trade: float


def frontier(model: Model, quantity: float, paces: Sequence[float]) -> tuple[FrontierPoint, ...]:
    """The efficient frontier at dimensionless paces kappa T: what less risk costs, as data."""
    points = []
    for pace in paces:
        found = at_pace(model, quantity, pace)
        aversion = model.risk_aversion(pace / model.n)
        first = traded_fractions(pace / model.n, model.n)[0]
        points.append(FrontierPoint(pace, aversion, found.expected, found.sd, first))
    return tuple(points)
