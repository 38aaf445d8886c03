"""Alert rules at, below and above their thresholds, and how they are found."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.domain import alerts as package
from app.domain.alert import Alert, Severity, Sight, Thresholds
from app.domain.alerts import RULES, alerts
from app.domain.execution import accepted
from app.domain.instant import MINUTE, SECOND
from app.domain.quantity import Side
from tests.domain.tasks import OPEN, a_task

D = Decimal
THRESHOLDS = Thresholds(slippage_bps=D(20), failed_children=3, stalled_after=300 * SECOND)


def sight(
    *,
    side: Side = Side.BUY,
    average: str | None = None,
    arrival: str | None = "100",
    behind_since: int | None = None,
    now: int = OPEN + 10 * MINUTE,
    **state: Any,
) -> Sight:
    """An order of 1000 as the rules see it; nothing is wrong with it unless told so."""
    execution = replace(accepted(a_task(side=side)), **state)
    return Sight(
        execution,
        D(average) if average is not None else None,
        D(arrival) if arrival is not None else None,
        behind_since,
        now,
    )


def found(seen: Sight, thresholds: Thresholds = THRESHOLDS) -> Alert | None:
    raised = alerts(seen, thresholds)
    assert len(raised) <= 1, "each of these orders has one fault at most"
    return raised[0] if raised else None


def test_an_order_that_goes_well_is_quiet() -> None:
    assert found(sight()) is None
    assert found(sight(average="100.00", filled=D(10))) is None


@pytest.mark.parametrize(
    ("side", "average", "bps"),
    [
        (Side.BUY, "100.1999", None),
        (Side.BUY, "100.20", None),
        (Side.BUY, "100.2001", "20.01"),
        (Side.BUY, "101", "100.00"),
        (Side.BUY, "99", None),
        (Side.SELL, "99.80", None),
        (Side.SELL, "99.7999", "20.01"),
        (Side.SELL, "101", None),
    ],
)
def test_excessive_slippage(side: Side, average: str, bps: str | None) -> None:
    alert = found(sight(side=side, average=average))
    assert (alert is not None) == (bps is not None)
    if alert is not None:
        assert (alert.rule, alert.severity) == ("excessive_slippage", Severity.WARNING)
        assert alert.data["slippage_bps"] == bps
        assert (alert.data["threshold_bps"], alert.data["arrival_mid"]) == ("20", "100")
        assert side.value in alert.message


@pytest.mark.parametrize(
    ("average", "arrival"), [(None, "100"), ("200", None), ("200", "0"), ("200", "-1")]
)
def test_without_a_benchmark_there_is_no_slippage(average: str | None, arrival: str | None) -> None:
    assert found(sight(average=average, arrival=arrival)) is None


@pytest.mark.parametrize(("count", "raised"), [(0, False), (2, False), (3, True), (7, True)])
def test_failed_children(count: int, raised: bool) -> None:
    alert = found(sight(rejections=count, rejected_at=OPEN))
    assert (alert is not None) == raised
    if alert is not None:
        assert (alert.rule, alert.severity) == ("failed_children", Severity.ERROR)
        assert alert.data == {"rejections": str(count), "threshold": "3"}


@pytest.mark.parametrize(
    ("behind", "raised"),
    [
        (None, False),
        (0, False),
        (300 * SECOND - 1, False),
        (300 * SECOND, True),
        (MINUTE * 9, True),
    ],
)
def test_stalled_order(behind: int | None, raised: bool) -> None:
    now = OPEN + 10 * MINUTE
    since = None if behind is None else now - behind
    alert = found(sight(behind_since=since, now=now))
    assert (alert is not None) == raised
    if alert is not None:
        assert (alert.rule, alert.severity) == ("stalled_order", Severity.WARNING)
        assert alert.data["threshold_seconds"] == "300"
        assert alert.data["behind_since"].endswith("Z")


@pytest.mark.parametrize(("excess", "raised"), [("0", False), ("0.001", True), ("50", True)])
def test_overfill(excess: str, raised: bool) -> None:
    alert = found(sight(filled=D(1000) + D(excess), excess=D(excess)))
    assert (alert is not None) == raised
    if alert is not None:
        assert (alert.rule, alert.severity) == ("overfill", Severity.CRITICAL)
        assert (alert.data["excess"], alert.data["qty"]) == (excess, "1000")


def test_rules_speak_for_themselves_and_together() -> None:
    everything = sight(average="110", rejections=5, behind_since=OPEN, excess=D(1), filled=D(1001))
    raised = alerts(everything, THRESHOLDS)
    names = {rule.name for rule in RULES}
    assert {"excessive_slippage", "failed_children", "overfill", "stalled_order"} <= names
    assert {alert.rule for alert in raised} >= {
        "excessive_slippage",
        "failed_children",
        "overfill",
        "stalled_order",
    }
    for alert in raised:
        assert (alert.subject, alert.order_id) == ("o1", "o1")
        assert alert.message
        assert all(isinstance(text, str) for text in alert.data.values())


def test_thresholds_are_the_houses() -> None:
    strict = Thresholds(slippage_bps=D(0), failed_children=1, stalled_after=SECOND)
    assert found(sight(average="100.01"), strict)
    assert found(sight(rejections=1), strict)
    assert found(sight(behind_since=OPEN, now=OPEN + SECOND), strict)


# Discovery

GOOD = """
from app.domain.alert import Rule
RULE = Rule({name!r}, "Never.", lambda sight, thresholds: None)
"""
Discover = Callable[[dict[str, str]], ModuleType]


@pytest.fixture
def discover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Discover]:
    """Imports a room of rules that holds these files; the room's own code is the real one."""
    monkeypatch.syspath_prepend(tmp_path)

    def imported(files: dict[str, str]) -> ModuleType:
        room = tmp_path / "room_of_rules"
        room.mkdir()
        shutil.copy(str(package.__file__), room / "__init__.py")
        for name, text in files.items():
            (room / f"{name}.py").write_text(text)
        return importlib.import_module("room_of_rules")

    yield imported
    for name in [n for n in sys.modules if n.partition(".")[0] == "room_of_rules"]:
        del sys.modules[name]


def test_a_new_rule_is_one_file(discover: Discover) -> None:
    room = discover({"quiet": GOOD.format(name="quiet"), "calm": GOOD.format(name="calm")})
    assert [rule.name for rule in room.RULES] == ["calm", "quiet"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.format(name="other"), r"quiet\.py calls itself 'other'"),
        (GOOD.format(name="quiet").replace("RULE =", "RULES ="), r"quiet\.py has no RULE"),
        ("RULE = 'quiet'", r"quiet\.py has no RULE"),
        ("", r"quiet\.py has no RULE"),
    ],
)
def test_a_misnamed_rule_stops_the_start(discover: Discover, text: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        discover({"calm": GOOD.format(name="calm"), "quiet": text})


@pytest.mark.parametrize(("waits", "raised"), [(4 * SECOND, False), (5 * SECOND, True)])
def test_an_exit_that_has_to_cross_and_waits(waits: int, raised: bool) -> None:
    now = OPEN + MINUTE
    for forced in (None, "stop"):
        params = {"stop": "99"} | ({"forced": forced} if forced else {})
        task = a_task("bracket", 500, side=Side.SELL, params=params)
        seen = replace(sight(behind_since=now - waits, now=now), execution=accepted(task))
        alert = found(seen)
        assert (alert is not None) == (raised and forced is not None)
        if alert is not None:
            assert (alert.rule, alert.severity) == ("exit_waits", Severity.CRITICAL)
            assert alert.message.startswith("500 XYZ of an exit have to cross (stop)")
            held = found(replace(seen, bound="halt"))
            assert held is not None
            assert "a kill switch holds" in held.message
