"""Durable use cases and the loops that work orders; it is handed brokers and feeds."""
