"""Two servers in a chain: the one in front has the other one as its broker."""
