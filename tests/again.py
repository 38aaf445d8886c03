"""Once more, alone, what failed last: `make again`.

Thousands of tests with real processes share a CI machine that pauses whenever it likes. What fails
there once and passes alone is told by name and is somebody's work; it does not stop everybody's.
What fails twice more stops it, and so do more failures than a busy machine explains.
"""

import json
import subprocess
import sys
from pathlib import Path

RECORD = Path(".pytest_cache/v/cache/lastfailed")
AT_MOST = 5
TRIES = 2


def failed() -> list[str]:
    """The tests that failed last; empty without a run, or after a green one."""
    return sorted(json.loads(RECORD.read_text())) if RECORD.exists() else []


def main() -> int:
    names = failed()
    if not 0 < len(names) <= AT_MOST:
        print(f"{len(names)} tests failed: nothing to try again ({AT_MOST} at most)")
        return 1
    command = [sys.executable, "-m", "pytest", "-n", "0", "--last-failed"]
    for _ in range(TRIES):
        outcome = subprocess.run([*command, "--last-failed-no-failures", "none"], check=False)
        left = failed() if outcome.returncode else []
        for name in names:
            said = "once more, alone" if name in left else "passed alone"
            print(f"FAILED BESIDE OTHERS, then {said}: {name}")
        if outcome.returncode == 0:
            break
    return outcome.returncode


if __name__ == "__main__":
    sys.exit(main())
