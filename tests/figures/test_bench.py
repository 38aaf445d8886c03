"""Every figure runs, for a moment and with few clients, so that none can rot. No time is judged."""

import json
import math
import re
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.figure import Goal, Reading, Rounds, Setting, percentile
from bench.registry import found

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.mark.campaign
@pytest.mark.parametrize("name", found())
async def test_a_figure_can_be_measured(name: str, tmp_path: Path) -> None:
    setting = Setting(tmp_path, rounds=1, seconds=0.3, size=0.01)
    measured = await found()[name].measure(setting)
    for reading in measured.readings:
        assert not math.isnan(reading.median), reading.name
        json.dumps(reading.plain())
    assert any(reading.goal for reading in measured.readings)


def test_every_figure_is_written_about() -> None:
    written = set(re.findall(r"`python -m bench ([a-z_]+)`", DOCUMENT.read_text()))
    assert set(found()) <= written


def test_ratios_are_taken_round_by_round() -> None:
    rounds = Rounds()
    for ours, theirs in ((10.0, 20.0), (1.0, 2.0), (9.0, 9.0)):
        rounds.add(ours=ours, theirs=theirs)
    ratio = rounds.ratio("share", "ours", "theirs", Goal("≥", 0.5))
    assert (ratio.values, ratio.median) == ([0.5, 0.5, 1.0], 0.5)
    assert ratio.plain()["reached"] is True
    assert Reading("late", [5.0], "ms", Goal("≤", 4)).plain()["reached"] is False


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(100)), 0.99) == 99
    assert percentile([1], 0.99) == 1


def test_an_unknown_figure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "acept"])
    with pytest.raises(SystemExit):
        command.main()
