"""Every command of docs/security.md runs, in its order, against a real server."""

from pathlib import Path

import pytest

from tests.house.documented import said
from tests.server import running_server

DOCUMENT = "docs/security.md"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_command_runs(tmp_path: Path, database_url: str) -> None:
    async with running_server(
        tmp_path / ".slipstream", database_url, SPEED="600", HOLD="false"
    ) as server:
        await said(
            DOCUMENT,
            tmp_path,
            server,
            '"account":"main"',
            "momentum",
            "revoked",
            '"items":[]',
            "key.rotated",
        )
        listed = (await server.get("/keys"))["items"]
        assert [bool(key["revoked_at"]) for key in listed if key["name"] == "momentum"] == [
            True,
            False,
        ]
