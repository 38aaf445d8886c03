"""`python -m bench [names…] [--rounds n]`: a table, and bench/results.json."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figure import Measured, Reading, Setting
from bench.machine import described
from bench.registry import found
from bench.servers import postgres_version
from tests.ending import ended

RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    known = found()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(known)}; none: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="one measurement's length")
    parser.add_argument("--size", type=float, default=1.0, help="fraction of the clients")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(known))
    if unknown:
        parser.error(f"no figure {unknown[0]!r}; there are: {', '.join(known)}")
    with tempfile.TemporaryDirectory(prefix="slipstream-bench-") as folder:
        setting = Setting(Path(folder), asked.rounds, asked.seconds, asked.size)
        machine = described(postgres_version(setting.folder))
        print("\n".join(f"{name}: {value}" for name, value in machine.items()))
        results: dict[str, Any] = {"machine": machine, "figures": {}}
        for name in asked.names or known:
            began = time.monotonic()
            measured = asyncio.run(known[name].measure(setting))
            took = time.monotonic() - began
            print(f"\n{known[name].title} ({name}, {took:.0f} s)")
            print("\n".join(_lines(measured)), flush=True)
            results["figures"][name] = {
                "title": known[name].title,
                "readings": [reading.plain() for reading in measured.readings],
                "notes": list(measured.notes),
            }
            asked.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return 0


def _lines(measured: Measured) -> list[str]:
    width = max(len(reading.name) for reading in measured.readings)
    return [_line(reading, width) for reading in measured.readings] + [
        f"  note: {note}" for note in measured.notes
    ]


def _line(reading: Reading, width: int) -> str:
    spread = f"[{_short(min(reading.values))} … {_short(max(reading.values))}]"
    verdict = ""
    if reading.goal is not None:
        word = "reached" if reading.goal.reached(reading.median) else "NOT REACHED"
        verdict = f"goal {reading.goal}: {word}"
    value = f"{_short(reading.median)} {reading.unit}"
    return f"  {reading.name:<{width}}  {value:>14}  {spread:<22} {verdict}".rstrip()


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(ended(main))
