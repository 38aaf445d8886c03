"""Brings a database to the newest schema, or back."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, pool
from sqlalchemy.ext.asyncio import create_async_engine

ROOT = Path(__file__).resolve().parents[2]

# Two processes that start at once must not both migrate; the number is only a name.
_LOCK = 7_305_411


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade (or, for an older `revision`, downgrade) the database at `url`."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.run_sync(_run, revision)
    finally:
        await engine.dispose()


@cache
def newest() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is a first migration"
    return head


def _config() -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def _run(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    if revision == "base":
        command.downgrade(config, "base")
    else:
        command.upgrade(config, revision)
