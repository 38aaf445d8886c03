"""Acknowledging an alert: somebody has seen it, and the next of its kind is a new one."""

from typing import Any

from app.engine.service import Caller, Service
from app.store import alerts
from app.store.doorbell import EVENTS


async def acknowledge(service: Service, caller: Caller, alert_id: str) -> Any:
    """The alert's row afterwards; again, it is unchanged. Raises Missing."""
    async with service.database.transaction() as connection:
        row = await alerts.acknowledge(
            connection, alert_id=alert_id, accounts=caller.accounts, by=caller.key_id
        )
    service.doorbell.ring(EVENTS)
    return row
