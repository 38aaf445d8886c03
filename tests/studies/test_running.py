"""`python -m bench.studies`: which there are, which are chosen, what is left out."""

from pathlib import Path

import pytest

from bench.studies import __main__ as running


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["studies", *arguments])
    return running.main()


def test_every_study_is_found() -> None:
    assert running.studies() == [
        "gates",
        "participation",
        "placement",
        "urgency",
        "volume_forecast",
        "vwap_tracking",
    ]
    assert set(running.NEEDS) < set(running.studies())


def test_without_data_all_are_left_out_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert asked(monkeypatch, "--data", str(tmp_path)) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 6
    assert all("left out" in line for line in told)


def test_a_study_asked_for_by_name_has_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert asked(monkeypatch, "urgency", "--data", str(tmp_path)) == 1
    with pytest.raises(SystemExit):
        asked(monkeypatch, "nothing")
