"""Costs of many orders: means that leave nobody out, and how sure they are."""

from decimal import Decimal
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tca.summary import GROUPS, Line, grouped, sample, summary

D = Decimal


def line(total: Any, *, ordered: Any = 1000, **given: Any) -> Line:
    known = {} if total is None else {"total": D(str(total))}
    fields: dict[str, Any] = {
        "order_id": "o", "account": "main", "broker": "paper", "symbol": "ACME", "side": "buy",
        "algo": "twap", "strategy": None, "hour": 14, "currency": "USD", "whole": True,
        "ordered": D(ordered), "filled": D(ordered), "bps": known,
        "why": {} if known else {"total": "after_close"},
    }  # fmt: skip
    return Line(**fields | given)


def test_an_order_that_ran_away_counts() -> None:
    """quant.md §3d: an average over completed orders alone would say 2."""
    found = summary([line(2), line(2), line(80, whole=False, filled=D(0))])
    assert (found.orders, found.whole) == (3, 2)
    assert found.figures["total"].mean == 28
    assert found.figures["total"].count == 3


def test_money_weighs_what_the_account_paid() -> None:
    found = summary([line(10, ordered=100), line(0, ordered=900)]).figures["total"]
    assert (found.mean, found.weighted) == (5, 1)


@given(st.lists(st.integers(-500, 500), min_size=2, max_size=30))
def test_mean_and_spread_are_the_usual_ones(values: list[int]) -> None:
    found = summary([line(v) for v in values]).figures["total"]
    assert found.sd is not None
    assert found.standard_error is not None
    assert float(found.mean or 0) == pytest.approx(mean(values), abs=1e-9)
    assert float(found.sd) == pytest.approx(stdev(values), abs=1e-9)
    assert float(found.standard_error) == pytest.approx(stdev(values) / len(values) ** 0.5)


def test_what_is_not_known_does_not_count_as_nothing() -> None:
    found = summary([line(10), line(None)]).figures["total"]
    assert (found.count, found.mean, found.sd) == (1, 10, None)
    assert found.reason == "one order has no spread"
    assert summary([line(None)]).figures["total"].reason == "after_close"
    assert sample([]).reason == "no order has it"


def test_several_currencies_are_not_added_up() -> None:
    found = summary([line(1), line(3, currency="EUR")])
    assert (found.currency, found.ordered, found.figures["total"].weighted) == (None, None, None)
    assert found.figures["total"].mean == 2


@pytest.mark.parametrize("by", GROUPS)
def test_groups_hold_everything_once(by: str) -> None:
    lines = [line(i, **{by: value}) for i, value in enumerate(_values(by))]
    found = grouped([*lines, lines[0]], by)
    assert sum(s.orders for s in found) == 4
    assert len(found) == 3
    assert found == sorted(found, key=lambda s: (s.key is not None, s.key or ""))


def _values(by: str) -> list[Any]:
    return {"hour": [9, 14, 15], "strategy": [None, "a", "b"]}.get(by, ["a", "b", "c"])
