"""Asks for orders that carry a stop, whole: their updates and executions name one of the two alone,
and of the leg not even by a client order id of ours."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from app.brokers.alpaca.asking import RETRY_SECONDS, TRIES, Again
from app.brokers.alpaca.client import Client
from app.brokers.alpaca.directory import Directory
from app.brokers.alpaca.reading import OPEN, Known, foreign, moment, object_of, text
from app.brokers.alpaca.twin import (
    WORKING,
    Unsaid,
    is_leaving,
    is_twin,
    legs_of,
    settles,
    state_of,
    successor_of,
)
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO
from app.ports import OrderReport

log = structlog.get_logger()

AROUND_SECONDS = 60
"""Twins come in together; so far around the leg's moment its head is looked for."""

GENERATIONS = 20
"""How often a leg may have been put anew."""

Said = Mapping[str, Any]


class Twins:
    """`tell` is handed the state of a child, `hear` an update that can be placed now."""

    def __init__(
        self,
        client: Client,
        directory: Directory,
        tell: Callable[[Sequence[OrderReport]], None],
        hear: Callable[[Any], None],
    ) -> None:
        self._client, self._directory = client, directory
        self._tell, self._hear = tell, hear
        self._again = Again(self._told, self._is_theirs)
        self._overdue: set[str] = set()
        """Heads that were asked for often enough: what should have left by then is told."""
        self._unplaced: deque[tuple[Any, int]] = deque()
        self._placing: asyncio.Task[None] | None = None

    def doubt(self, head_id: str) -> None:
        """Something happened to one of its orders: it is asked for."""
        self._overdue.discard(head_id)
        self._again.begin(head_id, 0)

    def place(self, update: Any) -> None:
        """An update of a leg that nobody knows: its head is looked for."""
        self._unplaced.append((update, 0))
        if self._placing is None or self._placing.done():
            self._placing = asyncio.create_task(self._place_all())

    async def close(self) -> None:
        await self._again.close()
        if self._placing is not None:
            self._placing.cancel()
            await asyncio.gather(self._placing, return_exceptions=True)

    def may_be_ours(self, leg: Any) -> bool:
        """Whether a leg that nobody can place may be of a stop of ours."""
        twins = self._directory.open_twins(str(leg.get("symbol")))
        return any(self._directory.is_ours(known.child_id) for known in twins)

    def is_stray(self, said: Any) -> bool:
        """Whether it is one of two, alone, and nobody here knows of which."""
        if not is_twin(said) or said.get("legs") or not foreign(said):
            return False
        mine = self._directory.child(said["client_order_id"]) is not None
        return not mine and self._directory.order(str(said.get("id"))) is None

    def instead(self, said: Any, wrong: ConnectionError) -> OrderReport | None:
        """Of an order that is listed as open and whose state cannot be told. None: somebody else's,
        or over by itself. One of ours is open, whatever became of the other of the two: told
        without terms, which would need both. Raises `wrong`."""
        unsaid, known = isinstance(wrong, Unsaid), self._directory.order(str(said.get("id")))
        if self.is_stray(said):
            theirs = unsaid and not self.may_be_ours(said)
        else:
            theirs = self._directory.is_theirs(said)
        log.debug("an order is not told in whole", error=str(wrong))
        if theirs:
            return None
        if not unsaid or known is None or not known.twin:
            raise wrong
        self._again.begin(known.head, 0)
        if said.get("status") not in OPEN:
            return None
        return OrderReport(
            known.child_id, known.head, ChildStatus.WORKING, known.submitted_at, ZERO
        )

    async def state(self, said: Any) -> OrderReport:
        """The child's state, by whatever Alpaca told of one of the two. Raises ConnectionError."""
        known = self._directory.order(str(said.get("id")))
        if self.is_stray(said):
            known = await self.head_of(said)
            if known is None:
                raise Unsaid("a leg whose order is not listed")
        if known is not None and known.head != known.order_id:
            said = await self._ask(known.head)
        report = (await self._whole(said))[0]
        if is_leaving(report) and report.broker_order_id not in self._overdue:
            self._again.begin(report.broker_order_id, 0)
        return self._patiently(report)

    async def members(self, known: Known) -> Sequence[Said]:
        """All orders of such a child. Raises ConnectionError."""
        head = await self._ask(known.order_id)
        return (await self._whole(head))[1]

    async def head_of(self, said: Any) -> Known | None:
        """The order that a leg belongs to, as this adapter knows that leg from now on; None: Alpaca
        lists none. Raises ConnectionError."""
        try:
            return await self._head_of(object_of(said))
        except ValueError as wrong:
            raise Unsaid(f"a leg that cannot be read: {wrong}") from wrong

    async def _whole(self, said: Any) -> tuple[OrderReport, Sequence[Said]]:
        try:
            return await self._read(object_of(said))
        except ValueError as wrong:
            raise Unsaid(f"an order that cannot be read: {wrong}") from wrong

    async def _read(self, head: Said) -> tuple[OrderReport, Sequence[Said]]:
        """Raises ValueError, ConnectionError."""
        if not legs_of(head):
            head = await self._ask(text(head.get("id")))
        known = self._directory.note(head)
        orders = await self._orders(head, known)
        report = state_of(head, orders)
        if report is None:
            raise Unsaid(f"Alpaca tells nothing of the stop of {known.child_id}")
        for order in orders:
            self._directory.note_leg(order, known)
        if report.status not in WORKING:
            self._directory.settle(known.order_id)
        return report, orders

    async def _orders(self, head: Said, known: Known) -> Sequence[Said]:
        """The head, its legs, and what took the place of one of them."""
        found: dict[str, Said] = {}
        waiting: deque[Said] = deque([head])
        while waiting:
            order = waiting.popleft()
            if found.setdefault(text(order.get("id")), order) is not order:
                continue
            waiting.extend(legs_of(order))
            if (successor := successor_of(order)) is not None and successor not in found:
                waiting.append(await self._ask(successor))
            if not waiting and len(found) == 1:
                # Nothing nested: what was heard of its legs before.
                for leg_id in self._directory.legs(known.order_id):
                    waiting.append(await self._ask(leg_id))
        return list(found.values())

    async def _head_of(self, leg: Said) -> Known | None:
        first = leg
        for _ in range(GENERATIONS):
            before = first.get("replaces")
            if self._directory.order(text(first.get("id"))) is not None or before is None:
                break
            first = await self._ask(before)
        if not self.is_stray(first):
            self._directory.note(first)
        if self._directory.order(text(first.get("id"))) is None:
            await self._learn(first)
        found = self._directory.order(text(first.get("id")))
        head = None if found is None else self._directory.order(found.head)
        return None if head is None else self._directory.note_leg(leg, head)

    async def _learn(self, leg: Said) -> None:
        """Listed with its head, around the moment both came in; else it is of one that is open."""
        at = moment(leg.get("created_at") or leg.get("submitted_at"))
        for said in await self._client.orders_around(at, AROUND_SECONDS):
            if is_twin(said) and not self.is_stray(said):
                self._note(said)
        missing: ConnectionError | None = None
        for known in self._directory.open_twins(text(leg.get("symbol"))):
            if self._directory.order(text(leg.get("id"))) is not None:
                return
            try:
                await self._whole(await self._ask(known.order_id))
            except ConnectionError as error:
                # It may still be of another.
                log.warning("an order with a stop cannot be asked for", error=str(error))
                missing = error if self._directory.is_ours(known.child_id) else missing
        if missing is not None and self._directory.order(text(leg.get("id"))) is None:
            raise missing

    def _note(self, said: Any) -> None:
        try:
            self._directory.note(said)
        except ValueError as wrong:
            log.debug("order cannot be remembered", error=str(wrong))

    async def _ask(self, order_id: str) -> Said:
        """An order with its legs. Raises ConnectionError, also where Alpaca does not know it."""
        said = await self._client.order(order_id)
        if not isinstance(said, dict):
            raise Unsaid(f"Alpaca does not know the order {order_id} of its own")
        return said

    async def _place_all(self) -> None:
        pause, longest = RETRY_SECONDS
        while self._unplaced:
            unplaced, self._unplaced = self._unplaced, deque()
            answered = [await self._place(update, tries) for update, tries in unplaced]
            if all(answered):
                pause = RETRY_SECONDS[0]
                continue
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def _place(self, update: Any, tries: int) -> bool:
        """Whether it was answered where the update belongs, as far as Alpaca ever will."""
        leg = update["order"]
        try:
            known = await self.head_of(leg)
        except ConnectionError as error:
            log.warning("a leg cannot be asked for", order=leg.get("id"), error=str(error))
            if tries < TRIES:
                self._unplaced.append((update, tries + 1))
                return False
            known = None
        if known is None:
            # Whoever lists executions meets it again, and says so.
            log.error("nobody knows whose leg this is", order=leg.get("id"))
        else:
            self._hear(update)
        return True

    async def _told(self, head_id: str, times: int) -> bool:
        """Whether it could be asked."""
        try:
            report, orders = await self._whole(await self._ask(head_id))
        except ConnectionError as error:
            log.warning("an order with a stop cannot be asked for", error=str(error))
            return False
        again = settles(orders) or is_leaving(report)
        if report.status not in WORKING:
            self._overdue.discard(head_id)
        elif again and not self._again.later(head_id, times):
            self._overdue.add(head_id)
        self._tell([self._patiently(report)])
        return True

    def _patiently(self, report: OrderReport) -> OrderReport:
        """Without terms nobody takes it for open: all is filled, and the other of the two is given
        the time to leave."""
        if not is_leaving(report) or report.broker_order_id in self._overdue:
            return report
        return replace(report, terms=None)

    def _is_theirs(self, head_id: str) -> bool:
        known = self._directory.order(head_id)
        return known is not None and not self._directory.is_ours(known.child_id)
