"""The tape store: market data of files, kept as columns that load without parsing.

A dataset is the unit: one vendor, one kind (ticks, bars of one length, daily bars), one calendar.
Curves, daily volume, volatility and tapes come from one dataset only, because vendors count
volume differently. `store.TapeStore` reads, `importing` fills, `check` looks for what is wrong.
"""
