"""`python -m tests.venue --port P --ledger FILE [--seed S]`"""

import argparse
import asyncio
import gc
import sys
import time
from pathlib import Path

from tests.venue.alpaca.updates import TradeUpdates
from tests.venue.doors import Doors
from tests.venue.exchange import Exchange
from tests.venue.wire import serve


async def run(port: int, path: Path, seed: int) -> None:
    """Serve until killed; the port is bound before a line says so on standard output."""
    exchange, wake = Exchange(path, seed), asyncio.Event()
    doors, updates = Doors(exchange, wake), TradeUpdates(exchange)
    async with await serve("127.0.0.1", port, doors.handle, updates.serve) as server:
        bound = server.sockets[0].getsockname()[1]
        sys.stdout.write(f"listening on {bound}\n")
        sys.stdout.flush()
        gc.freeze()
        while True:
            wake.clear()
            due = exchange.work()
            pause = None if due is None else max(0.0, due / 1e6 - time.time())
            try:
                await asyncio.wait_for(wake.wait(), pause)
            except TimeoutError:
                continue


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.venue")
    arguments.add_argument("--port", type=int, required=True, help="0 takes a free one")
    arguments.add_argument("--ledger", type=Path, required=True)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    try:
        asyncio.run(run(given.port, given.ledger, given.seed))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
