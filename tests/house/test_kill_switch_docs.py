"""Every command of docs/kill-switches.md runs, in its order, against a real server."""

from pathlib import Path

import pytest

from tests.house.documented import said
from tests.server import running_server

DOCUMENT = "docs/kill-switches.md"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_command_runs_and_leaves_nothing_thrown(
    tmp_path: Path, database_url: str
) -> None:
    async with running_server(
        tmp_path / ".slipstream", database_url, SPEED="600", HOLD="false"
    ) as server:
        await said(
            DOCUMENT,
            tmp_path,
            server,
            "symbol:GLOBEX is thrown (halt) through the server",
            "news pending",
            "symbol:GLOBEX is released",
            '"open_orders":0',
            "strategy:momentum is thrown (cancel) through the database",
            "all:* is released",
            '"group_by":"symbol"',
        )
        assert await server.get("/risk/kill-switches") == {"items": []}
