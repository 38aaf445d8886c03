"""Limits: what an order, and all that is entered with it, may at most be. Pure."""
