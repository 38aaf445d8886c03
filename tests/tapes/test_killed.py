"""`kill -9` in the middle of an import: the store has the old symbol or the new one, whole."""

import time
from pathlib import Path

import pytest

from app.tapes.check import check_symbol
from app.tapes.detect_time import Hours
from app.tapes.importing import Wish
from app.tapes.store import TapeStore
from tests.cli.shell import Shell
from tests.tapes.made import CALENDAR, bars, imported, write

HOURS = Hours("XNYS", CALENDAR)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_import_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    root = tmp_path / "data" / "tapes"
    path = write(tmp_path / "XYZ.csv", bars("2024-03-04", "2024-05-31"))
    imported(root, path, wish=Wish("made", "made"))
    write(path, bars("2024-03-04", "2024-05-31", seed=2))
    before = TapeStore(root).open("made", "XYZ")
    shell = Shell(tmp_path, tmp_path / "data")
    arguments = ("data", "import", "XYZ.csv", "--dataset", "made", "--vendor", "made", "--replace")
    died_writing = 0
    for delay in (0.0, 0.02, 0.05, 0.1):
        with shell.start(*arguments) as process:
            while process.poll() is None and not list((root / "made").glob(".XYZ.*.part")):
                time.sleep(0.002)
            time.sleep(delay)
            process.kill()
            process.wait()
        now = TapeStore(root).open("made", "XYZ")
        assert check_symbol(now, HOURS) == []
        assert len(now.entries) == len(before.entries)
        left = list((root / "made").glob(".XYZ.*.part"))
        died_writing += now.manifest.checksum == before.manifest.checksum and bool(left)
    assert died_writing >= 1
    assert shell(*arguments).code == 0
    now = TapeStore(root).open("made", "XYZ")
    assert now.manifest.checksum != before.manifest.checksum
    assert check_symbol(now, HOURS) == []
