"""The auditor beside a venue in machine time that voids and corrects what it executed."""

import pytest

from app.audit import Report, Terms, audit, replay_parts
from tests.cli.conftest import Story
from tests.cli.planted import Planted
from tests.cli.planted_machine import ALL, COUNTS_AGAIN
from tests.cli.test_audit import break_database, break_ledger, shown


async def audited(story: Story) -> Report:
    return await audit(story.url, [story.ledger], Terms(grace=0))


async def test_busts_corrections_and_adoptions_are_no_faults(machine_story: Story) -> None:
    report = await audited(machine_story)
    assert report.ok, shown(report)
    assert report.notes == ()
    seen = {check.name for check in report.checks if check.checked}
    assert "what is void at the venue is void in the fills, and nothing else" in seen
    assert "a correction replaces an execution that is void" in seen
    assert report.compared["void_fills"] == report.compared["venue_void"] == 2
    assert report.compared["adopted_children"] == 1
    assert report.compared["fills"] == report.compared["venue_executions"] - 2


async def test_processes_that_share_the_replay_find_the_same(
    machine_story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    await break_database(machine_story.url, (COUNTS_AGAIN,))
    alone = await audited(machine_story)
    monkeypatch.setattr(replay_parts, "WORTH_SHARING", 1)
    together = await audited(machine_story)
    assert not alone.ok
    assert together.as_json() == alone.as_json()


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.check)
async def test_a_planted_fault_is_found(machine_story: Story, fault: Planted) -> None:
    await break_database(machine_story.url, fault.sql)
    break_ledger(machine_story.ledger, fault.ledger)
    report = await audited(machine_story)
    failed = {check.name: check for check in report.failed()}
    assert fault.check in failed, shown(report)
