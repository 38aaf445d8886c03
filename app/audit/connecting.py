"""A connection to the database that is audited."""

import json
from typing import Any

import asyncpg

from app.audit.rule import Connection

_decode = json.JSONDecoder().raw_decode


async def connect(url: str) -> Connection:
    """Raises OSError, asyncpg.PostgresError."""
    connection: Connection = await asyncpg.connect(
        url, timeout=10, server_settings={"idle_in_transaction_session_timeout": "0"}
    )
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=_json)
    return connection


def _json(text: str) -> Any:
    # PostgreSQL puts no space around what it says: `loads` would look for it at length.
    return _decode(text)[0]
