"""Runs the real command line in a real process, the libraries of which are mostly loaded before."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.warm import command

SLIPSTREAM = Path(sys.executable).with_name("slipstream")


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Shell:
    """A user's shell in a folder of its own, with a data directory."""

    folder: Path
    data: Path

    def __call__(self, *arguments: str, **environment: str) -> Said:
        told = self.environment() | environment
        return Said(*command(arguments, told, self.folder, seconds=60))

    def cold(self, *arguments: str, **environment: str) -> Said:
        """Through the installed script, in a new interpreter: as a user types it."""
        done = subprocess.run(
            [SLIPSTREAM, *arguments],
            env=self.environment() | environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def start(self, *arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
        """A command at work; killed at the end if it is still there."""
        with subprocess.Popen(
            [SLIPSTREAM, *arguments],
            env=self.environment() | environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("SLIPSTREAM_") and name != "DATABASE_URL"
        }
        return inherited | {"SLIPSTREAM_DATA_DIR": str(self.data)}
