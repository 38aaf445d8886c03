"""The simulated venue: pure matching on a tape, the same on paper and in virtual time."""
