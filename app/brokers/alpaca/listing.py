"""Executions since a moment, from the account's activities: the way to what was not heard."""

from collections.abc import Mapping
from typing import Any

import structlog

from app.brokers.alpaca.agreement import Agreement, Report
from app.brokers.alpaca.client import Client
from app.brokers.alpaca.directory import Directory
from app.brokers.alpaca.reading import Known, Told, moment, object_of, text, told_by_list
from app.brokers.alpaca.twins import Twins
from app.domain.identity import parse_child
from app.domain.instant import HOUR, Instant

log = structlog.get_logger()

FEW = 20
"""Orders that are asked for one by one."""

BEFORE = HOUR
"""Most executions are of orders that came in no longer ago than this."""


class Listing:
    """Reads activities; each knows its order by Alpaca's id alone, so the order is asked for."""

    def __init__(
        self, client: Client, directory: Directory, agreement: Agreement, twins: Twins
    ) -> None:
        self._client, self._directory, self._agreement = client, directory, agreement
        self._twins = twins

    async def since(self, since: Instant) -> tuple[list[Report], list[Report]]:
        """What the list tells, in order; and what the stream told before and may be believed now.
        Raises ConnectionError."""
        told = [said async for said in self._client.fills(since)]
        strange = [said for said in told if self._is_strange(said)]
        if len({said["order_id"] for said in strange}) > FEW:
            await self._learn(_moment(strange[0], since))
        read = [await self._read(said) for said in told]
        rows = sorted((row for row in read if row and row.report.at >= since), key=_order)
        return [row.report for row in rows], self._agreement.listed(rows)

    def _is_strange(self, said: Any) -> bool:
        """Whether its order has to be asked for before it can be read."""
        name = said.get("order_id") if isinstance(said, dict) else None
        return isinstance(name, str) and self._directory.order(name) is None

    async def _learn(self, since: Instant) -> None:
        """Ask for many orders at once, as after a restart: one by one they would take the rate
        limit of minutes. Those still missing, and all where that fails, are asked for singly."""
        try:
            orders = await self._client.orders_since(since - BEFORE)
        except ConnectionError as error:
            log.warning("orders cannot be listed", error=str(error))
            return
        for said in orders:
            if self._twins.is_stray(said):
                continue  # By itself it does not say whose it is.
            try:
                self._directory.note(said)
            except ValueError as wrong:
                log.debug("order cannot be remembered", error=str(wrong))

    async def _read(self, said: object) -> Told | None:
        """None for what nobody can read and is not of our orders: somebody else trades here too.
        Raises ConnectionError."""
        child_id = ""
        try:
            known = await self._known(text(object_of(said).get("order_id")))
            child_id = known.child_id
            return told_by_list(said, known)
        except ValueError as wrong:
            if parse_child(child_id) is not None:
                raise ConnectionError(f"an execution that cannot be read: {wrong}") from wrong
            log.error("activity cannot be read", error=str(wrong))
            return None

    async def _known(self, order_id: str) -> Known:
        known = self._directory.order(order_id)
        if known is not None:
            return known
        said = await self._client.order(order_id)
        if said is None:
            raise ValueError(f"an execution of the order {order_id}, which Alpaca does not know")
        if not self._twins.is_stray(said):
            return self._directory.note(said)
        # A leg by itself, under an id that nobody gave it.
        leg = await self._twins.head_of(said)
        if leg is None and self._twins.may_be_ours(said):
            log.error("nobody knows whose leg was executed", order=order_id)
            raise ConnectionError(f"an execution of the leg {order_id}, whose order is not listed")
        if leg is None:
            raise ValueError(f"an execution of the leg {order_id}, and no stop of ours is there")
        return leg


def _moment(said: Mapping[str, Any], otherwise: Instant) -> Instant:
    try:
        return moment(said.get("transaction_time"))
    except ValueError:
        return otherwise


def _order(row: Told) -> tuple[Instant, str, object]:
    """By time, and within an order by what was filled: in one moment the list knows no order."""
    return row.report.at, row.order_id, row.filled if row.filled is not None else 0
