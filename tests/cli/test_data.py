"""`slipstream data`: what it states, what it asks, what it finds, and how it ends."""

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.tapes.made import Style, bars, planted, write


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, tmp_path / "data")


def test_import_states_first_and_list_shows_it(shell: Shell) -> None:
    write(shell.folder / "XYZ_1min.csv", bars(), Style(stamp="end"))
    said = shell("data", "import", "XYZ_1min.csv", "--dataset", "mine", "--vendor", "me")
    assert said.code == 0, said.err
    stated, _, after = said.out.partition("Nothing is wrong.")
    for word in ("end of the bar", "XNYS", "of 5 sessions", "column", "0.01"):
        assert word in stated or word == "column"
    assert "XYZ: imported, 5 sessions, 1,950 rows" in after
    (row,) = shell("data", "list", "--json").json
    assert (row["dataset"], row["symbol"], row["sessions"]) == ("mine", "XYZ", 5)
    assert (row["vendor"], row["first"], row["last"]) == ("me", "2024-03-04", "2024-03-08")
    assert "mine" in shell("data", "list").out
    again = shell("data", "import", "XYZ_1min.csv", "--dataset", "mine", "--vendor", "me")
    assert "XYZ: unchanged" in again.out
    assert again.code == 0


def test_a_question_ends_as_wrong_usage_and_names_the_option(shell: Shell) -> None:
    write(shell.folder / "2024.csv", bars())
    said = shell("data", "import", "2024.csv")
    assert said.code == 2
    assert "--symbol" in said.err
    assert shell("data", "import", "2024.csv", "--symbol", "xyz").code == 0


def test_a_dry_run_states_and_checks_only(shell: Shell) -> None:
    broken = planted(bars(), 500, lambda bar: type(bar)(**{**vars(bar), "volume": -1}))
    write(shell.folder / "XYZ.csv", broken)
    said = shell("data", "import", "XYZ.csv", "--dry-run", "--json")
    assert said.code == 1, "an error was found"
    (symbol,) = said.json["symbols"]
    assert symbol["result"] == "checked"
    assert [f["name"] for f in symbol["findings"]] == ["negative_volume"]
    assert {"what", "value", "why"} == set(symbol["statements"][0])
    assert shell("data", "list", "--json").json == []


def test_check_ends_with_one_where_something_is_an_error(shell: Shell) -> None:
    write(shell.folder / "GOOD.csv", bars())
    broken = planted(bars(), 500, lambda bar: type(bar)(**{**vars(bar), "volume": -1}))
    write(shell.folder / "BAD.csv", broken)
    assert shell("data", "import", "GOOD.csv", "BAD.csv", "--dataset", "both").code == 0
    assert shell("data", "check", "both", "GOOD").code == 0
    said = shell("data", "check")
    assert said.code == 1
    assert "negative_volume" in said.out
    assert "BAD" in said.out
    (found,) = shell("data", "check", "both", "--json").json
    assert found["done"] == "dropped"
    assert shell("data", "check", "nowhere").code == 2


def test_the_store_can_be_elsewhere(shell: Shell, tmp_path: Path) -> None:
    write(shell.folder / "XYZ.csv", bars())
    other = tmp_path / "other"
    assert shell("data", "import", "XYZ.csv", SLIPSTREAM_TAPES=str(other)).code == 0
    assert (other / "XYZ" / "XYZ.json").is_file()
    (row,) = shell("data", "list", "--json", "--tapes", str(other)).json
    assert row["symbol"] == "XYZ"


@pytest.mark.parametrize(
    "arguments",
    [
        ("import",),
        ("import", "nothing.csv"),
        ("import", "XYZ.csv", "--stamp", "middle"),
        ("import", "XYZ.csv", "--timezone", "Mars/Phobos"),
        ("import", "XYZ.csv", "--tick", "zero"),
        ("import", "XYZ.csv", "--calendar", "NOWHERE"),
        ("list", "nowhere"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], shell: Shell) -> None:
    write(shell.folder / "XYZ.csv", bars())
    said = shell("data", *arguments)
    assert said.code == 2
    assert "Traceback" not in said.err
