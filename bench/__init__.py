"""The figures of `docs/performance.md`: each against a reference measured in the same run."""
