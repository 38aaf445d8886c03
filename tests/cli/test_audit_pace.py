"""The auditor's line of a TWAP against the plans that the domain draws: no true plan is accused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.pace import bursts, off_the_line
from app.audit.stories import Story
from app.domain.algos.twap import plan
from app.domain.instant import MINUTE, SECOND, Instant, rfc3339
from app.domain.plan import CATCH_UP_SLICES, Envelope
from app.domain.task import Anchor, Task
from app.store.rows import plain_params
from tests.domain.tasks import NO_MARKET, OPEN, a_task

LENGTH = 30 * MINUTE


def moment(at: Instant) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def story(
    task: Task,
    anchor: Anchor,
    now: Instant,
    envelope: Envelope,
    sent: Decimal,
    purpose: str = "rest",
) -> Story:
    """An order with one child, decided at `now` on this envelope."""
    row = {
        "account": "main", "id": uuid4(), "algo": "twap", "params": plain_params(task.params),
        "instrument": {"lot": str(task.instrument.lot), "min_qty": str(task.instrument.min_qty)},
        "qty": task.qty, "start_at": moment(task.start), "end_at": moment(task.end),
    }  # fmt: skip
    why = {
        "version": 1, "now": rfc3339(now), "filled": "0", "working": "0", "unknown": "0",
        "anchor": {"at": rfc3339(anchor.at), "done": str(anchor.done)},
        "envelope": {"must": str(envelope.must), "may": str(envelope.may)},
    }  # fmt: skip
    child: dict[str, Any] = {
        "id": "c-1", "qty": sent, "why": why, "adopted": False, "purpose": purpose
    }  # fmt: skip
    intended = {"seq": 1, "type": "child.intended", "data": {"child_id": "c-1"}}
    return Story(row, [intended], [child], [])


@given(
    qty=st.integers(1, 5_000),
    slices=st.integers(1, 200),
    lot=st.sampled_from(("1", "0.01", "10")),
    min_child=st.integers(1, 100),
    jitter=st.integers(0, 600),
    seed=st.text("abc", max_size=3),
    anchored=st.integers(0, LENGTH - 1),
    done=st.floats(0, 1),
    when=st.floats(0, 1, exclude_max=True),
)
def test_no_true_plan_leaves_the_line(
    qty: int, slices: int, lot: str, min_child: int, jitter: int, seed: str,
    anchored: int, done: float, when: float,
) -> None:  # fmt: skip
    whole = Decimal(qty) * Decimal(lot)
    params = {"slices": slices, "jitter": str(jitter), "min_child": str(min_child)}
    task = a_task(qty=whole, length=LENGTH, lot=lot, min_qty=lot, seed=seed, params=params)
    begun = min(Decimal(int(qty * done)), Decimal(qty - 1)) * Decimal(lot)
    anchor = Anchor(OPEN + anchored, begun)
    now = anchor.at + int((task.end - anchor.at) * when)
    drawn = plan(task, anchor)
    envelope = drawn.envelope(now, NO_MARKET)
    sent = min(CATCH_UP_SLICES * envelope.step, envelope.may)
    told = story(task, anchor, now, envelope, sent)
    assert [*off_the_line(told)] == []
    if len(drawn.steps) > 1:
        assert [*bursts(told)] == []


def test_a_plan_of_other_slices_leaves_it() -> None:
    task = a_task(qty=1000, length=LENGTH, params={"slices": 10})
    anchor, now = Anchor(OPEN, Decimal(0)), OPEN + 600 * SECOND
    envelope = plan(task, anchor).envelope(now, NO_MARKET)
    early = replace(envelope, may=envelope.may + 250)
    assert [*off_the_line(story(task, anchor, now, envelope, Decimal(0)))] == []
    assert len([*off_the_line(story(task, anchor, now, early, Decimal(0)))]) == 1
    late = replace(envelope, must=envelope.must - 250)
    assert len([*off_the_line(story(task, anchor, now, late, Decimal(0)))]) == 1
    assert len([*bursts(story(task, anchor, now, envelope, Decimal(250)))]) == 1
    auctioned = story(task, anchor, now, early, Decimal(900), "close")
    assert [*off_the_line(auctioned), *bursts(auctioned)] == []


@pytest.mark.parametrize("params", [{"would_price": "99.90"}, {"size_jitter": "0.3"}])
def test_slices_that_are_uneven_on_purpose_have_no_line(params: dict[str, str]) -> None:
    """At a price it likes, an order may and must do everything."""
    task = a_task("twap", 1_000, length=LENGTH, params=params)
    everything = Envelope(task.qty, task.qty, None, task.qty)
    told = story(task, Anchor(task.start, Decimal(0)), task.start, everything, task.qty)
    assert [*off_the_line(told), *bursts(told)] == []
    plain = replace(told, row=told.row | {"params": plain_params(a_task("twap").params)})
    assert [*off_the_line(plain), *bursts(plain)] != []
