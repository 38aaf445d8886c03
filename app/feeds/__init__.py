"""Market feeds: each speaks to one source of market data, and knows no other."""
