"""The auditor finds nothing in a true history, and every planted fault in a broken one."""

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from app.audit import Report, Terms, audit, settled
from tests.cli import planted_machine, planted_rules, planted_state
from tests.cli.conftest import Story
from tests.cli.planted import ALL, ANY_FILL, FILLED_ORDER, Planted

TWAP_FILL = (
    "(SELECT min(f.execution_id) FROM fills f JOIN orders o ON o.id = f.order_id"
    " WHERE o.algo = 'twap' AND o.qty = 1000)"
)


UNSEEN = {
    "no child is sent under a halt",
    "the log of switches is numbered from 1 without a gap, and is only ever added to",
    "what is open under a switch that cancels has a cancel request",
    "an order that only reduces sends no child beyond the position",
    "exits fill no more than their entry did",
    "an exit only reduces, on the other side of its entry, beside no other open one",
    "what the broker declared void is void in the fills, and nothing else",
    "a correction replaces an execution that is void",
    "participation stays under its cap, by what each decision saw",
    "no child is larger than its order allows",
    "what is unknown for long has an open alert",
    "what is void at the venue is void in the fills, and nothing else",
}
"""What a story of the paper venue does not tell of."""


async def break_database(url: str, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def break_ledger(path: Path, statements: tuple[str, ...]) -> None:
    with sqlite3.connect(path) as ledger:
        for statement in statements:
            assert ledger.execute(statement).rowcount != 0, f"nothing to break: {statement}"
    ledger.close()


async def audited(story: Story, grace: float = 0) -> Report:
    return await audit(story.url, [story.ledger], Terms(grace))


def shown(report: Report) -> list[str]:
    return [f"{c.name}: {f.subject} {f.detail}" for c in report.checks for f in c.faults]


async def test_a_true_history_has_no_faults(story: Story) -> None:
    report = await audited(story)
    assert report.ok, shown(report)
    assert report.notes == ()
    unseen = [check.name for check in report.checks if not check.checked]
    assert set(unseen) == UNSEEN


@pytest.mark.parametrize("fault", [*ALL, *planted_rules.ALL], ids=lambda fault: fault.check)
async def test_a_planted_fault_is_found(story: Story, fault: Planted) -> None:
    await break_database(story.url, fault.sql)
    break_ledger(story.ledger, fault.ledger)
    report = await audited(story)
    failed = {check.name: check for check in (*report.failed(), *report.warned())}
    assert fault.check in failed, shown(report)
    assert failed[fault.check].faults[0].subject


async def test_every_check_has_a_planted_fault(story: Story) -> None:
    report = await audited(story)
    everywhere = (*ALL, *planted_rules.ALL, *planted_machine.ALL, *planted_state.ALL)
    planted = {fault.check for fault in everywhere}
    assert {check.name for check in report.checks} == planted


async def test_a_house_at_rest_has_nothing_open(story: Story) -> None:
    report = await audit(story.url, [story.ledger], Terms(settled=True))
    assert {check.name for check in report.failed()} == {rule.name for rule in settled.RULES}
    assert {fault.detail for check in report.failed() for fault in check.faults} == {
        "working",
        "working, its order is working",
    }


async def test_at_rest_nothing_is_in_flight(story: Story) -> None:
    await break_database(
        story.url,
        (
            f"UPDATE orders SET status = 'working' WHERE id = {FILLED_ORDER}",
            f"DELETE FROM fills WHERE execution_id = {TWAP_FILL}",
        ),
    )
    async with asyncio.timeout(60):
        report = await audit(story.url, [story.ledger], Terms(grace=60, settled=True))
    assert "no execution at the venue is missing in the fills" in {c.name for c in report.failed()}


async def test_a_warning_is_told_and_is_no_fault(story: Story) -> None:
    (late,) = (f for f in planted_rules.ALL if f.check.startswith("an order's events do not go"))
    await break_database(story.url, late.sql)
    report = await audited(story)
    assert report.ok
    (check,) = report.warned()
    assert any(fault.subject.endswith("#4") for fault in check.faults)
    told = report.as_json()
    assert (told["ok"], told["errors"], told["warnings"]) == (True, 0, check.total)
    assert told["faults_by_invariant"]["I24"] == check.total


async def test_a_fault_is_counted_even_where_it_is_not_listed(story: Story) -> None:
    await break_database(
        story.url,
        (
            "INSERT INTO idempotency (key_id, key, body_sha256, account, order_id)"
            " SELECT 'k', n::text, '', 'main', gen_random_uuid() FROM generate_series(1, 250) n",
        ),
    )
    report = await audited(story)
    (check,) = report.failed()
    assert (check.total, len(check.faults)) == (250, 100)


async def test_an_execution_of_an_open_order_may_be_booked_a_little_later(story: Story) -> None:
    # A finished order is made open again; what breaks by that is not looked at here.
    await break_database(
        story.url,
        (
            f"UPDATE orders SET status = 'working' WHERE id = {FILLED_ORDER}",
            f"CREATE TABLE late AS SELECT * FROM fills WHERE execution_id = {TWAP_FILL}",
            f"DELETE FROM fills WHERE execution_id = {TWAP_FILL}",
        ),
    )
    waiting = asyncio.create_task(audited(story, grace=20))
    await asyncio.sleep(0.5)
    await break_database(story.url, ("INSERT INTO fills SELECT * FROM late",))
    (check,) = (c for c in (await waiting).checks if c.name.startswith("no execution at the venue"))
    assert (check.total, check.note) == (0, "1 in flight")


async def test_an_execution_of_a_finished_order_is_lost_at_once(story: Story) -> None:
    await break_database(story.url, (f"DELETE FROM fills WHERE execution_id = {ANY_FILL}",))
    async with asyncio.timeout(60):
        report = await audited(story, grace=60)
    assert "no execution at the venue is missing in the fills" in {c.name for c in report.failed()}


async def test_executions_in_quarantine_are_not_lost(story: Story) -> None:
    await break_database(
        story.url,
        (
            "INSERT INTO quarantine (account, broker, execution_id, digest, report, reason)"
            " SELECT account, broker, execution_id, 'x', '{}', 'unknown_child' FROM fills"
            f" WHERE execution_id = {ANY_FILL}",
            f"DELETE FROM fills WHERE execution_id = {ANY_FILL}",
        ),
    )
    report = await audited(story)
    failed = {check.name for check in report.failed()}
    assert "a child's fills sum to what it says is filled" in failed
    assert "no execution at the venue is missing in the fills" not in failed
    assert "1 executions in quarantine" in report.notes


async def test_without_a_ledger_the_rest_is_checked(story: Story) -> None:
    report = await audit(story.url, [])
    assert report.ok
    assert report.notes == ("no ledger to compare with: main at paper",)
