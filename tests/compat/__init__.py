"""The surface for Alpaca's clients, spoken to by the real, unmodified alpaca-py."""
