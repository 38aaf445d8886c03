"""Faults of pace, of switches and of rows that no event accounts for: `slipstream audit` ends with
1 and names the row."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from tests.cli import planted_state
from tests.cli.conftest import Story
from tests.cli.planted_state import PlantedRow
from tests.cli.shell import Shell


async def plant(url: str, fault: PlantedRow) -> str:
    """Break the database; the word that the fault must be told with."""
    connection = await asyncpg.connect(url)
    row: str = await connection.fetchval(fault.row)
    for statement in fault.sql:
        assert await connection.execute(statement) != "UPDATE 0", statement
    await connection.close()
    return row


@pytest.mark.parametrize("fault", planted_state.ALL, ids=lambda fault: fault.check)
def test_the_row_at_fault_is_named(story: Story, tmp_path: Path, fault: PlantedRow) -> None:
    row = asyncio.run(plant(story.url, fault))
    told = ("--database", story.url, "--ledger", str(story.ledger), "--json")
    said = Shell(tmp_path, tmp_path / "data")("audit", "--grace", "0", *told)
    assert said.code == 1, said.out
    (check,) = (c for c in json.loads(said.out)["checks"] if c["name"] == fault.check)
    assert check["total_faults"] > 0, said.out
    assert any(row in found["subject"] for found in check["faults"]), check["faults"]
