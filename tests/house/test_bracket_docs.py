"""Every command of docs/brackets.md runs, in its order, against a real server."""

from pathlib import Path

import pytest

from tests.house.documented import said
from tests.server import running_server


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_every_command_runs_and_shows_the_exit(tmp_path: Path, database_url: str) -> None:
    async with running_server(
        tmp_path / ".slipstream", database_url, SPEED="10", HOLD="false"
    ) as server:
        await said(
            "docs/brackets.md",
            tmp_path,
            server,
            '"role":"entry"',
            '"take_profit":{"offset":"2.00"}',
            '"exits":[{"id":',
        )
