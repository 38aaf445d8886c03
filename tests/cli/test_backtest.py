"""`slipstream backtest execution` as it is typed: reproducible, breakable, plain about mistakes."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.tapes.made import bars, write

ASKED = (
    "backtest", "execution", "--tape", "mine:XYZ", "--algo", "twap", "--algo", "a=twap",
    "--param", "a.placement=cross", "--participation", "0.0005..0.001", "--window", "10m",
)  # fmt: skip


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("backtest")
    shell = Shell(folder, folder / ".slipstream")
    write(folder / "XYZ_1min.csv", bars())
    assert shell("data", "import", "XYZ_1min.csv", "--dataset", "mine").code == 0
    return shell


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(shell: Shell) -> None:
    one = shell(*ASKED, "--parents", "6", "--json", "--jobs", "1", "--out", "deep/er/r.html")
    two = shell.cold(*ASKED, "--parents", "6", "--json", "--jobs", "2", "--csv", "r.csv")
    assert (one.code, two.code) == (0, 0), one.err + two.err
    assert one.out == two.out
    assert one.json["parents"]["worked"] == 6
    assert "<svg" in (shell.folder / "deep" / "er" / "r.html").read_text()
    assert len((shell.folder / "r.csv").read_text().splitlines()) == 13
    other = shell(*ASKED, "--parents", "6", "--json", "--seed", "2")
    assert other.out != one.out


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_broken_off_it_gives_what_is_done(shell: Shell, jobs: str) -> None:
    """Later and later until it has begun, for the machine may have much else to do."""
    given = (broken_off(shell, jobs, after) for after in (2, 4, 8, 16))
    result = next((found for found in given if found is not None), None)
    assert result is not None
    assert result["partial"]
    assert 0 <= result["parents"]["worked"] < 3000


def broken_off(shell: Shell, jobs: str, after: float) -> Any:
    """What it gave; None where it was still reading its libraries."""
    with shell.start(*ASKED, "--parents", "3000", "--jobs", jobs, "--json") as process:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=40)
    if not out:
        return None
    assert process.returncode == 130, err
    assert "Traceback" not in err
    return json.loads(out)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("--tape", "other"), "no dataset 'other'; there are: mine"),
        (("--tape", "mine:ABC"), "no symbol 'ABC'; there are: XYZ"),
        (("--layout", "x.toml"), "give --tape or --layout"),
        (("--days", "soon"), "two dates"),
        (("--qty", "5"), "exactly one of qty and participation"),
        (("--participation", "lots"), "--participation is a number"),
        (("--window", "a while"), "--window is a time such as 90s"),
        (("--param", "twap.slices=0"), "slices is below 1"),
        (("--param", "b.slices=5"), "--algo names no 'b'"),
        (("--param", "slices"), "is not algo.name=value"),
        (("--algo", "best"), "no algorithm 'best'"),
        (("--algo", "twap"), "comes twice"),
        (("--impact", "1"), "--impact is PERMANENT,TEMPORARY"),
        (("--side", "up"), "one of random, buy, sell"),
    ],
)
def test_mistakes_are_named(shell: Shell, changes: tuple[str, ...], words: str) -> None:
    said = shell(*ASKED, *changes)
    assert said.code == 2, said.out
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_a_layout_that_replay_can_play(shell: Shell, tmp_path: Path) -> None:
    path = shell.data / "tapes" / "mine"
    asked = [*ASKED[:2], "--layout", str(path), "--symbols", "XYZ", *ASKED[4:]]
    said = shell(*asked, "--parents", "2", "--json")
    assert said.code == 0, said.err
    assert said.json["plan"]["tape"] == "mine"
    gone = shell(*asked[:3], str(tmp_path / "gone"), *asked[4:])
    assert gone.code == 2
    assert "neither a directory" in gone.err
