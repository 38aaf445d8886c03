"""The venue as a process of its own, for tests and campaigns: started, instructed, killed."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]

TRIES = 20
PAUSE_SECONDS = 0.25


class RunningVenue:
    """One venue, its ledger, and a client. `start` again after `kill`: same port, same ledger."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.ledger = folder / "venue.sqlite3"
        self.seed = seed
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self._client = httpx.Client(timeout=5, trust_env=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it listens. Raises RuntimeError when it does not start.

        After a kill its port may be somebody's outgoing connection for a moment: it is tried again.
        """
        for _ in range(TRIES):
            if self._started():
                return
            self.kill()
            time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"the venue did not start on port {self.port}")

    def _started(self) -> bool:
        command = [sys.executable, "-m", "tests.venue", "--port", str(self.port)]
        command += ["--ledger", str(self.ledger), "--seed", str(self.seed)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line.startswith("listening on "):
            self.port = int(line.split()[-1])
        return bool(line)

    def kill(self) -> None:
        """`kill -9`; what it had not committed is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def behave(self, account: str, **behaviour: Any) -> None:
        """Create the account, or change it altogether."""
        self._ask("PUT", f"/accounts/{account}", behaviour)

    def change(self, account: str, **behaviour: Any) -> None:
        """Change some of it; named chances are added to those there are."""
        self._ask("PATCH", f"/accounts/{account}", behaviour)

    def happen(self, account: str, kind: str, client_id: str, **more: Any) -> None:
        """Have it happen at once: match, cancel, expire, late_fill, over_fill, bust, correct."""
        body = {"kind": kind, "client_id": client_id, **more}
        self._ask("POST", f"/accounts/{account}/happenings", body)

    def enter(
        self, account: str, client_id: str, symbol: str, side: str, qty: Decimal, price: Decimal
    ) -> None:
        """Enter an order behind everybody's back; it fills at once or not at all."""
        told = {"client_id": client_id, "symbol": symbol, "side": side, "tif": "ioc"}
        self._ask(
            "POST",
            f"/accounts/{account}/orders",
            told | {"qty": str(qty), "limit_price": str(price), "send_by": None},
        )

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Read the ledger as a stranger would."""
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()

    def faults(self) -> dict[str, int]:
        """How often each fault was drawn."""
        return dict(self.rows("SELECT kind, count(*) FROM faults GROUP BY kind ORDER BY kind"))

    def close(self) -> None:
        self.kill()
        self._client.close()

    def _ask(self, method: str, path: str, body: Any) -> None:
        answer = self._client.request(method, self.url + path, json=body)
        assert answer.status_code == 200, answer.text


@contextmanager
def running_venue(folder: Path, seed: int = 1) -> Iterator[RunningVenue]:
    venue = RunningVenue(folder, seed)
    try:
        venue.start()
        yield venue
    finally:
        venue.close()
