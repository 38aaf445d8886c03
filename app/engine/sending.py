"""Step four of the order path: each child is sent once, and its answer is one of three;
or it is withheld, which is an answer of our own."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from app.domain.execution import Execution
from app.domain.fact import BecameUnknown, ChildFact, ChildRejected, Intended, Sent
from app.domain.instant import Instant
from app.domain.lifecycle import OrderStatus
from app.engine.cancels import Cancels, Haste, Room
from app.engine.evidence import SILENT
from app.engine.kill_file import KillFile
from app.engine.latency import Latency
from app.failpoints import reach
from app.ports import Acknowledged, Broker, Outcome, Refused, Ticket, Unclear, Withheld

log = structlog.get_logger()

CANCEL_RETRY_SECONDS = 5.0

_CANCELS_AT_ONCE = 64
"""Cancels under way at a time; how many a second is the broker's to say."""

Answer = Callable[[str, ChildFact], None]


class Sender:
    """Sends children and cancels, and hands in what the broker answered.

    `safe` says whether our lease still allows a send, on the monotonic clock, right before it.
    """

    def __init__(
        self,
        broker: Broker,
        answer: Answer,
        safe: Callable[[], bool],
        now: Callable[[], Instant],
        kill_file: KillFile,
    ) -> None:
        self._broker = broker
        self._answer = answer
        self._safe = safe
        self._now = now
        self._kill_file = kill_file
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: dict[str, float] = {}
        self._at_once = asyncio.Semaphore(_CANCELS_AT_ONCE)
        self._cancels = Cancels(broker.capabilities.cancels_per_second, self._cancel_now)
        self.latency = Latency()
        self.on_the_wire: set[str] = set()
        """Children whose answer is still to come, or not yet written down."""

    def send(
        self, order_id: str, symbol: str, intents: Sequence[Intended], *, flattens: bool = False
    ) -> None:
        """Send intents that are committed. Each answer is handed in as a fact.

        What `flattens` was asked for by a kill switch: the file that stops all else lets it pass.
        """
        deadline = self._broker.capabilities.deadline
        send_by = time.time_ns() // 1_000 + deadline if deadline is not None else None
        for intent in intents:
            ticket = Ticket(
                child_id=intent.child_id,
                symbol=symbol,
                side=intent.side,
                qty=intent.qty,
                limit_price=intent.price,
                time_in_force=intent.time_in_force,
                purpose=intent.purpose,
                at=intent.at,
                send_by=send_by,
                stop_price=intent.stop_price,
                stop_limit_price=intent.stop_limit_price,
            )
            self.on_the_wire.add(ticket.child_id)
            self._begin(self._send(order_id, ticket, flattens))

    def cancel(self, child_id: str, at: Instant, haste: Haste = Haste.END) -> None:
        """Ask for a cancel; waits for no commit, and the evidence comes as a report."""
        self._cancels.ask(child_id, at, haste)

    def room_for_moves(self) -> Room | None:
        """How many children may be moved now; None: any number."""
        return self._cancels.room_for_moves()

    def retry_cancels(self, executions: Iterable[Execution], at: Instant) -> None:
        """Ask again, not too often, for cancels that have brought no evidence; those that still
        wait for their turn wait less where their order is to end by now.

        `executions` are all that have such a child. One that nobody has heard of has to be found
        before it can be canceled.
        """
        asked, self._asked = self._asked, {}
        long_ago = time.monotonic() - CANCEL_RETRY_SECONDS
        for execution in executions:
            for child in execution.children:
                if child.cancel_requested_at is None or child.status in SILENT:
                    continue
                if self._cancels.waits(child.id):
                    if _ends(execution):
                        self.cancel(child.id, at)
                    continue
                self._asked[child.id] = asked.get(child.id, long_ago)
                if self._asked[child.id] <= long_ago:
                    self.cancel(child.id, at, Haste.END if _ends(execution) else Haste.CROSS)

    async def settled(self) -> None:
        """Wait until every send and cancel begun so far has its answer."""
        await self._cancels.gone()
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Let what is on the wire come back, without what nobody is in a hurry for."""
        self._cancels.forget_moves()
        await self.settled()

    async def _send(self, order_id: str, ticket: Ticket, flattens: bool) -> None:
        if not self._safe() or (self._kill_file.there and not flattens):
            # Nothing left this house, and that is certain: only we could have sent it.
            log.warning("lease too old to send, or a kill file", child_id=ticket.child_id)
            self._answer(
                order_id, ChildRejected(self._now(), ticket.child_id, "not_sent", absent=True)
            )
            return
        reach("send.leased")
        begun = time.monotonic()
        try:
            outcome = await self._broker.submit(ticket)
        except Exception as failure:
            # An adapter must not raise; if one does, nobody knows what the broker got.
            log.error("broker adapter raised on submit", child_id=ticket.child_id, exc_info=failure)
            outcome = Unclear(f"adapter raised {type(failure).__name__}")
        reach("send.answered")
        took = time.monotonic() - begun
        self.latency.learn(took)
        log.debug("sent", child_id=ticket.child_id, seconds=took)
        self._answer(order_id, fact_of(ticket, outcome, self._now()))

    def _cancel_now(self, child_id: str, at: Instant) -> None:
        self._asked[child_id] = time.monotonic()
        self._begin(self._cancel(child_id, at))

    async def _cancel(self, child_id: str, at: Instant) -> None:
        async with self._at_once:
            # A venue that answers at once would have the rest of the house wait for all of them.
            await asyncio.sleep(0)
            reach("cancel.leaving")
            try:
                await self._broker.cancel(child_id, at)
                reach("cancel.sent")
            except Exception as failure:
                # The cancel is asked for again until there is evidence.
                log.error("broker adapter raised on cancel", child_id=child_id, exc_info=failure)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ends(execution: Execution) -> bool:
    """Whether somebody waits for the end of its children."""
    asked = execution.cancel_reason is not None or execution.pause_requested
    return asked or execution.status is OrderStatus.CLOSING


def fact_of(ticket: Ticket, outcome: Outcome, now: Instant) -> ChildFact:
    """What an outcome says about the child that was sent; known now, whenever it was decided."""
    match outcome:
        case Acknowledged():
            return Sent(now, ticket.child_id, outcome.broker_order_id)
        case Refused():
            return ChildRejected(now, ticket.child_id, f"broker.{outcome.code}")
        case Withheld():
            return ChildRejected(now, ticket.child_id, f"not_sent.{outcome.code}")
        case Unclear():
            return BecameUnknown(now, ticket.child_id, outcome.why)
