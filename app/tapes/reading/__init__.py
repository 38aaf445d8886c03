"""Files of market data as recordings: Lean trees, declared tables, Binance dumps."""
