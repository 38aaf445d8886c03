"""`python -m bench.studies [name …] --data ../shared/data`: the studies, one after the other.

Without names, every study. Each prints its tables and leaves its figures as JSON beside it. A study
whose data are not there is left out, and said to be.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def studies() -> list[str]:
    """Every module here that can be run by itself."""
    return sorted(
        path.stem
        for path in HERE.glob("*.py")
        if path.stem != "__main__" and "\ndef main()" in path.read_text()
    )


NEEDS = {
    "gates": ("lean", "spy_nt_2011"),
    "participation": ("lean",),
    "placement": ("lean",),
    "urgency": ("spy_nt_2011",),
}
"""Folders of the data; every other study reads all of these."""
EVERYTHING = (
    "lean",
    "spy_nt_2011",
    "us1min_2024_blaizard",
    "us8_2019_02_av",
    "aapl_2024_01_alpaca",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies")
    parser.add_argument("studies", nargs="*", metavar="study", help=", ".join(studies()))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    unknown = sorted(set(given.studies) - set(studies()))
    if unknown:
        parser.error(f"no study {unknown[0]!r}; there are: {', '.join(studies())}")
    failed = 0
    for name in given.studies or studies():
        missing = [f for f in NEEDS.get(name, EVERYTHING) if not (given.data / f).is_dir()]
        if missing:
            print(f"# {name}: left out, {given.data} has no {', '.join(missing)}")
            failed += bool(given.studies)
            continue
        print(f"# {name}", flush=True)
        command = [sys.executable, "-m", f"bench.studies.{name}", "--data", str(given.data)]
        failed += subprocess.run(command, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
