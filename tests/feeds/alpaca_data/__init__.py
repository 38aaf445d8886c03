"""Alpaca's market data, simulated: its REST and its stream over a made-up market, with the faults
that the real one has, as its clients tell of them. Real sockets; a market that trades now."""
