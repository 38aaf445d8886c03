"""Backtests: the same parents for all, the same result for the same seed, nothing of the future."""

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.refusal import Refusal
from app.reports import backtest_page
from app.research.backtest.draw import draw
from app.research.backtest.plan import Choice, ImpactPlan, Plan, check
from app.research.backtest.plan_json import plan_from_json, plan_to_json
from app.research.backtest.running import Backtest
from app.research.backtest.source import NoTape
from app.research.backtest.table import COLUMNS, flat
from app.settings import Settings
from app.wiring.past import open_past, past_place, prepared_backtest
from tests.tapes.made import bars, sessions, split, stored

PLAN = Plan(
    tape="made",
    algos=(Choice("twap", "twap"), Choice("crossing", "twap", {"placement": "cross"})),
    parents=8,
    shares=(Decimal("0.0005"), Decimal("0.001")),
    window=600_000_000,
    fee_bps=Decimal("0.5"),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    stored(folder, bars())
    return folder


def settings_of(root: Path) -> Settings:
    return Settings(_env_file=None, data_dir=root, tapes=root / "store")


def prepared(root: Path, plan: Plan = PLAN) -> Backtest:
    return prepared_backtest(settings_of(root), plan)


def worked(backtest: Backtest, jobs: int = 1) -> list[dict[str, Any]]:
    return [row for some in backtest.rows(jobs) for row in some]


@pytest.fixture(scope="module")
def rows(root: Path) -> list[dict[str, Any]]:
    return worked(prepared(root))


def test_every_parent_is_worked_by_every_algorithm(rows: list[dict[str, Any]]) -> None:
    assert sorted(row["parent"] for row in rows) == list(range(8))
    for row in rows:
        one, other = row["runs"]
        assert (one["label"], other["label"]) == ("twap", "crossing")
        assert row["refused"] is None
        assert Decimal(other["rest_share"]) == 0
        # Parts sum to the whole, and half a basis point is the fee of a whole fill.
        for run in row["runs"]:
            parts = [Decimal(run[p]) for p in ("delay", "execution", "opportunity", "fees")]
            assert sum(parts) == pytest.approx(Decimal(run["total"]), abs=Decimal("0.00001"))
        assert row["day"] > "2024-03-04", "the first day has none before it to size by"
        share = Decimal(row["qty"]) / Decimal(row["daily_volume"])
        assert float(share) == pytest.approx(row["share"], abs=1e-4)
        assert 0.0005 <= row["share"] <= 0.001


def result_of(backtest: Backtest, rows: Iterable[dict[str, Any]]) -> str:
    return json.dumps(backtest.outcome(list(rows)))


def test_the_same_seed_gives_the_same_bytes(root: Path, rows: list[dict[str, Any]]) -> None:
    backtest = prepared(root)
    told = result_of(backtest, rows)
    assert result_of(backtest, worked(backtest, jobs=2)) == told
    assert result_of(backtest, reversed(rows)) == told
    other = prepared(root, replace(PLAN, seed="2"))
    assert [p.start for p in other.deck.parents] != [p.start for p in backtest.deck.parents]
    # Another algorithm beside changes no parent.
    more = prepared(root, replace(PLAN, algos=(*PLAN.algos, Choice("vwap", "vwap"))))
    assert more.deck.parents == backtest.deck.parents


def test_the_result_says_what_was_done(root: Path, rows: list[dict[str, Any]]) -> None:
    result = prepared(root).outcome(rows)
    assert plan_from_json(json.loads(json.dumps(result["plan"]))) == PLAN
    assert result["sessions_left_out"] == {"no earlier day to size by": 1}
    assert (result["parents"]["worked"], result["partial"]) == (8, False)
    [compared] = result["comparison"]
    assert (compared["label"], compared["against"]) == ("crossing", "twap")
    total = compared["figures"]["total"]
    differences = [float(row["runs"][1]["total"]) - float(row["runs"][0]["total"]) for row in rows]
    assert total["n"] == 8
    assert total["mean"] == pytest.approx(sum(differences) / 8, abs=1e-6)
    assert total["wins"] == sum(d < 0 for d in differences) / 8
    lines = flat(rows)
    assert len(lines) == 16
    assert tuple(lines[0]) == COLUMNS
    page = backtest_page(result)
    assert page.count("<svg") == 5
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    partial = prepared(root).outcome(rows[:3])
    assert partial["partial"]
    assert "broken off: 8 were asked for" in backtest_page(partial)


def test_the_future_changes_no_parent(root: Path, tmp_path: Path) -> None:
    """Another last day: what was known on the days before it stays as it was."""
    same = bars()
    last = sessions("2024-03-08", "2024-03-08")[0]
    stored(tmp_path, split(same, last, 2))
    plan = replace(PLAN, days=("2024-03-05", "2024-03-07"))
    one, other = prepared(root, plan), prepared(tmp_path, plan)
    assert one.deck == other.deck
    assert worked(one) == worked(other)
    # What the last day itself trades does not size its parents.
    assert prepared(root).deck == prepared(tmp_path).deck


def test_own_fills_move_the_market_where_asked(root: Path, rows: list[dict[str, Any]]) -> None:
    moved = worked(prepared(root, replace(PLAN, impact=ImpactPlan(2.0, 1.0))))
    for row, plain in zip(moved, rows, strict=True):
        crossing, before = row["runs"][1], plain["runs"][1]
        assert Decimal(crossing["total"]) > Decimal(before["total"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"algos": ()}, "at least one algorithm"),
        ({"algos": (Choice("x", "best"),)}, "no algorithm 'best'"),
        ({"algos": (Choice("a", "twap"), Choice("a", "vwap"))}, "'a' comes twice"),
        ({"algos": (Choice("twap", "twap", {"slices": "0"}),)}, "slices is below 1"),
        ({"algos": (Choice("limit", "limit"),)}, "needs a limit price"),
        ({"algos": (Choice("a b", "twap"),)}, "is no label"),
        ({"parents": 0}, "parents: must be at least 1"),
        ({"qty": Decimal(5)}, "exactly one of qty and participation"),
        ({"shares": None}, "exactly one of qty and participation"),
        ({"shares": (Decimal(2), Decimal(3))}, "must be a fraction"),
        ({"shares": (Decimal("0.2"), Decimal("0.1"))}, "must be a fraction"),
        ({"days": ("2024-03-08", "2024-03-04")}, "from a day to a later one"),
        ({"days": ("yesterday", "today")}, "two dates"),
        ({"side": "up"}, "one of random, buy, sell"),
        ({"window": 5}, "at least a second"),
        ({"latency": -1}, "latency_ms"),
        ({"max_participation": Decimal(1)}, "between 0 and 1"),
        ({"seed": ""}, "1 to 64"),
        ({"impact": ImpactPlan(-1, 0)}, "between 0 and 10"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        check(replace(PLAN, **changes))


def test_a_tape_that_is_not_there_says_what_is(root: Path) -> None:
    source = open_past(past_place(settings_of(root), "made"))
    for plan, words in (
        (replace(PLAN, symbols=("ABC",)), "no symbol 'ABC'; there are: XYZ"),
        (replace(PLAN, days=("2020-01-01", "2020-01-31")), "there are none in these days"),
        (replace(PLAN, window=86_400_000_000), "5 shorter than the window"),
        (replace(PLAN, days=("2024-03-04", "2024-03-04")), "1 no earlier day to size by"),
    ):
        with pytest.raises(NoTape, match=words):
            draw(plan, source)
    with pytest.raises(NoTape, match=r"no dataset '\.\./made'; there are: made"):
        prepared(root, replace(PLAN, tape="../made"))


def test_a_plan_comes_back_from_json() -> None:
    impact = ImpactPlan(0.1, 0.2, 60_000_000)
    plan = replace(PLAN, impact=impact, window=None, days=("2024-03-05", "2024-03-06"))
    plan = replace(plan, shares=None, qty=Decimal("100"), max_participation=Decimal("0.2"))
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan


@pytest.mark.data
def test_on_a_lean_tree_as_on_its_import(data_sets: Path, tmp_path: Path) -> None:
    """What replay plays can be drawn from too; without days before, sizes are given."""
    settings = Settings(
        _env_file=None, data_dir=tmp_path, feed="replay", feed_path=data_sets / "lean"
    )
    plan = replace(PLAN, tape="feed", symbols=("IBM",), parents=2, qty=Decimal(300), shares=None)
    plan = replace(plan, days=("2013-10-08", "2013-10-08"))
    found = worked(prepared_backtest(settings, plan))
    assert [row["day"] for row in found] == ["2013-10-08"] * 2
    assert all(run["status"] == "filled" for row in found for run in row["runs"])
