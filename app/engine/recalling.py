"""Ends open orders that a signal's trade would meet, before it is entered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.refusal import Unavailable
from app.engine.cancel_all import ask_to_end
from app.engine.judging import Asked
from app.engine.service import Caller, Service
from app.engine.sizing import Judged
from app.store import signals

WAIT_SECONDS = 2.0
"""What has not ended by then is left to whoever asks again: a client does not wait for ever."""

_LOOK_SECONDS = 0.05
REASON = "recalled_by_signal"


@dataclass(frozen=True, slots=True)
class Recall:
    """Orders that have to end before a signal can be decided."""

    order_ids: tuple[str, ...]


def still_to_end(judged: Judged, asked: Asked) -> Recall | None:
    """What has to end before a decision is carried out. Raises Unavailable for orders that do not,
    where what they may still fill is not to be met by more."""
    if not frozenset(judged.recall) <= asked.recalled:
        return Recall(judged.recall)
    if judged.recall and not judged.only_back:
        count = len(judged.recall)
        raise Unavailable("still_recalling", f"{count} open orders have not ended yet; ask again")
    return None


async def recall(service: Service, caller: Caller, account: str, order_ids: Sequence[str]) -> None:
    """Ask for the end of these orders, and wait for the evidence, but not for ever. Outside the
    signal's turn: other signals of other symbols go on."""
    await ask_to_end(service, account, order_ids, REASON, by=caller.key_id)
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        async with service.database.connection() as connection:
            if not await signals.unfinished(connection, account=account, order_ids=order_ids):
                return
        await asyncio.sleep(_LOOK_SECONDS)
