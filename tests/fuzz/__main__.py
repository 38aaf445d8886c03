"""`make fuzz REQUESTS=n SEED=s`: both stages on a server of its own; exit code 1 for a fault."""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.ending import ended
from tests.fuzz.house import open_house
from tests.fuzz.stages import both, split
from tests.fuzz.tally import Tally
from tests.server import Server


async def fuzz(requests: int, seed: int, minutes: float) -> int:
    own, rest = split(requests)
    print(f"fuzz: {requests} requests, seed {seed}: schemathesis {own}, storm {rest}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(Path(folder) / "house", None) as server:
            began = time.monotonic()
            tally = await _stages(server, requests, seed, began + minutes * 60)
            show(tally, seed, time.monotonic() - began, server.log())
    return 1 if tally.faults else 0


async def _stages(server: Server, requests: int, seed: int, until: float) -> Tally:
    """Both stages in a thread, which has ended when this returns, also where it is canceled."""
    over = threading.Event()
    stages = asyncio.create_task(
        asyncio.to_thread(
            both,
            server.url,
            server.key,
            seed,
            requests,
            say=lambda line: print(line, flush=True),
            until=until,
            over=over,
        )
    )
    try:
        return await asyncio.shield(stages)
    finally:
        over.set()
        await asyncio.gather(stages, return_exceptions=True)


def show(tally: Tally, seed: int, seconds: float, log: str) -> None:
    for stage in ("schemathesis", "storm"):
        counts = tally.by_status(stage)
        print(f"{stage}: {sum(counts.values())} requests; answers by status: {counts}")
    print(f"both: {tally.by_status()}")
    slow = ", ".join(f"{label} {spent:.0f} s" for label, spent in tally.seconds.most_common(8))
    print(f"most time in: {slow}")
    asked = sorted({label for label, _ in tally.answers})
    print(f"{len(asked)} operations asked; never let in: {tally.never(asked)}")
    for fault in tally.faults.values():
        print(f"\n{fault.route}: {fault.kind} ({fault.count} times, seed {seed})")
        print(f"    {fault.detail}")
        for line in fault.curl:
            print(f"    {line[:3000]}")
    failed = [line for line in log.splitlines() if '"request failed"' in line]
    for line in failed[:5]:
        print(line[:3000])
    rate = tally.asked / seconds
    print(f"{tally.asked} requests in {seconds:.0f} s ({rate:.0f}/s), {len(tally.faults)} faults")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600)
    told = parser.parse_args()
    return asyncio.run(fuzz(told.requests, told.seed, told.minutes))


if __name__ == "__main__":
    sys.exit(ended(main))
