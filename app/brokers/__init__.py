"""Brokers: each file (or package) speaks to one venue and is opened by `open_broker`."""
