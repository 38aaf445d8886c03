"""Backtests of execution: many parents, each worked by every algorithm, and what they cost."""
