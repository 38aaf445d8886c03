"""Regimes of a market, told from its past prices alone."""
