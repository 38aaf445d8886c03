"""docs/history.md is true: its commands and its program run, its findings are all there are."""

import re
import subprocess
import sys
from pathlib import Path

from app.tapes.findings import SEVERITIES
from tests.cli.shell import SLIPSTREAM, Shell
from tests.house.test_docs import ROOT, blocks
from tests.tapes.made import bars, write

DOCUMENT = "docs/history.md"


def test_every_command_and_the_program_run(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / ".slipstream")
    write(tmp_path / "XYZ_1min.csv", bars())
    path = f"{SLIPSTREAM.parent}:{shell.environment()['PATH']}"
    environment = shell.environment() | {"PATH": path}
    script = "set -euo pipefail\n" + "\n".join(blocks(DOCUMENT, "sh"))
    run = {"cwd": tmp_path, "env": environment, "text": True, "timeout": 90}
    done = subprocess.run(["bash", "-c", script], capture_output=True, **run)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for word in ("XYZ: checked", "XYZ: imported, 5 sessions", "Nothing is wrong", '"XYZ"'):
        assert word in done.stdout
    program = blocks(DOCUMENT, "python")[0]
    environment["PYTHONPATH"] = str(ROOT)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, **run)  # type: ignore[call-overload]
    assert told.returncode == 0, told.stderr[-2000:]
    assert "history:4d" in told.stdout
    assert "close_to_close" in told.stdout


def test_every_finding_is_in_the_table_with_its_severity() -> None:
    rows = [line for line in (ROOT / DOCUMENT).read_text().splitlines() if line.startswith("| `")]
    told = {}
    for cells in [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]:
        if len(cells) != 3:
            continue
        first, severity, done = cells
        for name in re.findall(r"`([a-z_]+)`", first):
            told[name] = (severity, done)
    for name, (severity, done) in SEVERITIES.items():
        if name in ("suspicious", "not_market", "one_sided_quotes"):
            continue  # Marks of single vendors.
        assert told[name][0] == severity, name
        if told[name][1] and "or" not in told[name][1].split():
            assert told[name][1] == done, name


def test_the_store_is_where_the_document_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / ".slipstream")
    write(tmp_path / "XYZ_1min.csv", bars())
    assert shell("data", "import", "XYZ_1min.csv", "--dataset", "mine").code == 0
    assert (tmp_path / ".slipstream" / "tapes" / "mine" / "dataset.json").is_file()
