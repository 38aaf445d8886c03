"""docs/audit.md lists the checks there are, and the command line says them as JSON."""

import json
from pathlib import Path

import pytest

from tests.cli.audit_page import PAGE, checks, page
from tests.cli.conftest import Story
from tests.cli.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, tmp_path / "data")


def test_the_page_lists_every_check() -> None:
    assert PAGE.read_text() == page()
    names = [name for _, name, _, _ in checks()]
    assert len(names) == len(set(names))


def test_json_counts_what_was_compared(machine_story: Story, shell: Shell) -> None:
    said = shell(
        "audit", "--database", machine_story.url, "--ledger", str(machine_story.ledger), "--json"
    )
    assert said.code == 0, said.out
    told = json.loads(said.out)
    assert (told["ok"], told["errors"]) == (True, 0)
    assert told["compared"]["ledgers"] == 1
    assert told["compared"]["venue_orders"] > told["compared"]["orders"] > 0
    assert told["faults_by_rule"]["no child exists twice at the venue"] == 0


def test_an_open_order_is_a_fault_at_rest(story: Story, shell: Shell) -> None:
    said = shell(
        "audit", "--settled", "--database", story.url, "--ledger", str(story.ledger), "--json"
    )
    assert said.code == 1
    told = json.loads(said.out)
    assert told["errors"] == 2
    assert told["faults_by_rule"]["at rest, every order is over or needs an operator"] == 1
