"""Runs migrations over asyncpg: on the connection that the caller hands in, or on DATABASE_URL."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, make_url, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.tables import metadata


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        # A migration that cannot have its lock gives up, rather than let every order queue behind
        # it, and is tried again (app/store/migrate.py). LOCAL, because a connection that was
        # handed in goes on to other work.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
        context.run_migrations()


async def migrate_database_url() -> None:
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("Set DATABASE_URL to the database that Alembic shall work on.")
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; --sql is not supported.")

handed_in: Connection | None = context.config.attributes.get("connection")
if handed_in is not None:
    migrate(handed_in)
else:
    asyncio.run(migrate_database_url())
