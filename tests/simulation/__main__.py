"""python -m tests.simulation --days 100 --seed 1: many days, and the first that fails."""

from tests.simulation.campaign import main

if __name__ == "__main__":
    raise SystemExit(main())
