"""How often each operation is asked: orders have to live for what is behind them to be tried, what
ends everything comes seldom, and what takes the server long less often."""

from collections.abc import Sequence
from random import Random
from statistics import median

_USUAL = 3.0
_OFTEN = {
    "POST /orders": 12.0,
    "POST /signals": 6.0,
    "POST /alpaca/v2/orders": 6.0,
    "PATCH /orders/{order_id}": 6.0,
    "POST /webhooks/tradingview/{token}": 5.0,
    # What grows and is listed whole.
    "POST /keys": 0.3,
    "POST /keys/{key_id}/rotate": 0.3,
    "POST /hooks": 0.6,
    "DELETE /keys/{key_id}": 0.3,
    "DELETE /hooks/{hook_id}": 0.3,
    "POST /hooks/{hook_id}/rotate": 0.3,
    "PUT /strategies/{name}": 1.0,
    # What stops everything.
    "POST /risk/kill-switches": 0.3,
    "PUT /risk/limits": 0.5,
    "PUT /clock": 0.2,
    "DELETE /orders": 0.1,
    "DELETE /alpaca/v2/orders": 0.1,
    "DELETE /alpaca/v2/positions": 0.1,
    # What goes on after its answer.
    "POST /backtests": 0.1,
    "DELETE /backtests/{backtest_id}": 0.1,
    "POST /backtests/{backtest_id}/restart": 0.1,
    "POST /orders/{order_id}/what-if": 0.05,
    "GET /orders/{order_id}/report": 0.2,
    "GET /backtests/{backtest_id}/report": 0.5,
}
_FIRST = ("POST /hooks", "POST /orders", "POST /signals", "PUT /strategies/{name}", "GET /keys") * 2
"""So that there is something."""
_LEAST = 0.03
_SLOWER_MAX = 2.0
"""What is asked often stays so."""
_SETTLED_EVERY = 500


class Weights:
    def __init__(self, labels: Sequence[str], chance: Random) -> None:
        self._labels = list(labels)
        self._chance = chance
        self._mean = dict.fromkeys(labels, 0.0)
        self._choices = [label for label in _FIRST if label in self._mean]

    def choose(self) -> str:
        if not self._choices:
            typical = median(self._mean.values())
            weights = [self._weight(label, typical) for label in self._labels]
            self._choices = self._chance.choices(self._labels, weights, k=_SETTLED_EVERY)
        return self._choices.pop()

    def took(self, label: str, seconds: float) -> None:
        self._mean[label] += (seconds - self._mean[label]) / 10

    def _weight(self, label: str, typical: float) -> float:
        """Beside the typical one: a busy machine makes all slow."""
        slow = max(self._mean[label] / typical, 1.0) if typical else 1.0
        usual = _OFTEN.get(label, _USUAL)
        if usual > _USUAL:
            return usual / min(slow, _SLOWER_MAX)
        return max(usual / slow, min(usual, _LEAST))
