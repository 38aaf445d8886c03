"""Step four of the order path: each child is sent once, and its answer is one of three."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from app.domain.execution import Execution
from app.domain.fact import BecameUnknown, ChildFact, ChildRejected, Intended, Sent
from app.domain.instant import Instant
from app.engine.evidence import SILENT
from app.failpoints import reach
from app.ports import Acknowledged, Broker, Outcome, Refused, Ticket, Unclear

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
    ) -> None:
        self._broker = broker
        self._answer = answer
        self._safe = safe
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: dict[str, float] = {}
        self._cancels = asyncio.Semaphore(_CANCELS_AT_ONCE)
        self._next_cancel = 0.0
        self.on_the_wire: set[str] = set()
        """Children whose answer is still to come, or not yet written down."""

    def send(self, order_id: str, symbol: str, intents: Sequence[Intended]) -> None:
        """Send intents that are committed. Each answer is handed in as a fact."""
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
            )
            self.on_the_wire.add(ticket.child_id)
            self._begin(self._send(order_id, ticket))

    def cancel(self, child_id: str, at: Instant) -> None:
        """Ask for a cancel; waits for no commit, and the evidence comes as a report."""
        self._asked[child_id] = time.monotonic()
        self._begin(self._cancel(child_id, at))

    def retry_cancels(self, executions: Iterable[Execution], at: Instant) -> None:
        """Ask again, not too often, for cancels that have brought no evidence.

        `executions` are all that have such a child. One that nobody has heard of has to be found
        before it can be canceled.
        """
        asked, self._asked = self._asked, {}
        long_ago = time.monotonic() - CANCEL_RETRY_SECONDS
        for child in (child for execution in executions for child in execution.children):
            if child.cancel_requested_at is None or child.status in SILENT:
                continue
            self._asked[child.id] = asked.get(child.id, long_ago)
            if self._asked[child.id] <= long_ago:
                self.cancel(child.id, at)

    async def settled(self) -> None:
        """Wait until every send and cancel begun so far has its answer."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _send(self, order_id: str, ticket: Ticket) -> None:
        if not self._safe():
            # Nothing left this house, and that is certain: only we could have sent it.
            log.warning("lease too old to send", child_id=ticket.child_id)
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
        log.debug("sent", child_id=ticket.child_id, seconds=time.monotonic() - begun)
        self._answer(order_id, fact_of(ticket, outcome, self._now()))

    async def _cancel(self, child_id: str, at: Instant) -> None:
        async with self._cancels:
            await self._keep_rate()
            reach("cancel.leaving")
            try:
                await self._broker.cancel(child_id, at)
                reach("cancel.sent")
            except Exception as failure:
                # The cancel is asked for again until there is evidence.
                log.error("broker adapter raised on cancel", child_id=child_id, exc_info=failure)

    async def _keep_rate(self) -> None:
        rate = self._broker.capabilities.cancels_per_second
        if rate is None:
            return
        now = time.monotonic()
        turn = max(self._next_cancel, now)
        self._next_cancel = turn + 1 / rate
        await asyncio.sleep(turn - now)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def fact_of(ticket: Ticket, outcome: Outcome, now: Instant) -> ChildFact:
    """What an outcome says about the child that was sent; known now, whenever it was decided."""
    match outcome:
        case Acknowledged():
            return Sent(now, ticket.child_id, outcome.broker_order_id)
        case Refused():
            return ChildRejected(now, ticket.child_id, f"broker.{outcome.code}")
        case Unclear():
            return BecameUnknown(now, ticket.child_id, outcome.why)
