"""Frees the leases of a worker that is proven dead: whoever takes over need not wait for them.

Only its parent can prove that: it has reaped the process. The kernel has closed its sockets by
then, so nothing more leaves it; what it wrote before is looked for as after any crash.
"""

import asyncio
import threading

import structlog

from app.store import leases
from app.store.database import connect, unreachable

log = structlog.get_logger()

RETRY_SECONDS = 0.1


def free_leases(url: str, owner: str, seconds: float) -> threading.Thread:
    """Free what `owner` held, beside whatever the caller goes on with: a database that is away
    holds nobody up. Tried for `seconds`, the length of a lease: later they have run out anyway.
    """
    work = threading.Thread(
        target=_work, args=(url, owner, seconds), name="leases of the dead", daemon=True
    )
    work.start()
    return work


def _work(url: str, owner: str, seconds: float) -> None:
    try:
        asyncio.run(_free(url, owner, seconds))
    except TimeoutError:
        log.warning("leases of the dead were not freed, they run out", owner=owner)
    except Exception as failure:
        # They run out by themselves: no reason to end whoever keeps the processes alive.
        log.error("leases of the dead cannot be freed", owner=owner, exc_info=failure)


async def _free(url: str, owner: str, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while True:
            try:
                freed = await _freed(url, owner)
            except Exception as failure:
                if not unreachable(failure):
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                log.info("leases of the dead freed", owner=owner, leases=freed)
                return


async def _freed(url: str, owner: str) -> list[str]:
    connection = await connect(url)
    try:
        return await leases.release_dead(connection, owner=owner)
    finally:
        connection.terminate()
