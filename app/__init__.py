"""Slipstream: a self-hosted execution server."""

import decimal

# Money is exact: 28 digits, the default, are too few for a large quantity times a fine price.
decimal.DefaultContext.prec = 60
decimal.setcontext(decimal.DefaultContext.copy())
