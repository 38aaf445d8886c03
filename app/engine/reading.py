"""Lends the doors a connection for the read-only views."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.engine.service import Service
from app.store.database import Connection, unreachable

__all__ = ["reading", "unreachable"]


@asynccontextmanager
async def reading(service: Service) -> AsyncIterator[Connection]:
    """A connection for views. Hold it for the reads only, never while sending an answer."""
    async with service.database.connection() as connection:
        yield connection
