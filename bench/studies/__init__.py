"""Studies of execution quality on real tapes: `python -m bench.studies.<name>`, one file each.

Figures that depend on the data and a seed alone, not on the machine; docs/execution-quality.md
tells of them.
"""
