"""What an execution cost: against benchmarks, in parts, after the fills, and against its estimate.

Signs: positive = cost, for buys and sells alike. What is not known is None with a reason.
"""

from app.domain.tca.benchmark import Outcome, Slippage, measure, slippage_bps

__all__ = ["Outcome", "Slippage", "measure", "slippage_bps"]
