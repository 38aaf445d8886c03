"""Backtests over the API: how much of the machine they may take."""

from pydantic import BaseModel, Field


class ResearchSettings(BaseModel):
    """Virtual time on a server that trades."""

    backtests_at_once: int = Field(
        default=1, ge=0, le=16, description="Backtests that run at a time, niced; 0: none at all."
    )
    backtest_parents_max: int = Field(
        default=5_000, ge=1, le=1_000_000, description="Parents that one may ask for."
    )
    what_if_seconds: float = Field(
        default=30, gt=0, le=600, description="A replay of an order is given up after so long."
    )
