"""Order flow: what the book and the trades lean to, from finished stretches of time only."""
