"""Runs the commands of a document against a real server, as somebody would paste them."""

import asyncio
import os
import subprocess
from pathlib import Path

from tests.house.test_docs import ROOT, blocks
from tests.server import Server


async def said(document: str, folder: Path, server: Server, *words: str) -> str:
    """What all commands of a document wrote, in their order, each of which has to succeed; `words`
    have to be in it. The server's data lie in `folder`/.slipstream."""
    (folder / ".venv").symlink_to(ROOT / ".venv")
    script = "set -euo pipefail\n" + "\n".join(blocks(document, "sh"))
    script = script.replace("http://127.0.0.1:8000", server.url)
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", script.replace("curl -s ", "curl -sf ")],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for word in words:
        assert word in done.stdout, f"no {word} in\n{done.stdout[-3000:]}"
    return done.stdout
