"""Brings a database to the newest schema, or back, and says whether this release may work on it."""

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from app.store.database import Connection as PooledConnection

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "migrations" / "versions"

# Two processes that start at once must not both migrate; the number is only a name.
_LOCK = 7_305_411

_IN_THE_WAY = {"55P03", "40P01"}
"""A lock not had within the time that `migrations/env.py` gives, or a circle with the transaction
of an order, which the database broke at our expense."""

ATTEMPTS = 20
PAUSE_SECONDS = 1.0
"""Between two attempts orders are worked; in one they wait for half a second at most."""

if TYPE_CHECKING:
    Connected = asyncpg.Connection[Any] | PooledConnection

MIGRATE = "start `slipstream serve` of this release once, or run `alembic upgrade head`"


class WrongSchema(ValueError):
    """This release must not work on that database; the message says what to do."""


async def migrate(url: str, revision: str = "head", *, beside: Path | None = None) -> None:
    """Upgrade (or, for an older `revision`, downgrade) the database at `url`.

    A database that a newer release has migrated is left as it is, if that release allows ours to
    work on it; else WrongSchema. `beside` is a folder of further revisions.
    """
    # Every worker and API imports this file to check a database; few of them migrate one.
    from sqlalchemy import make_url, pool
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool
    )
    try:
        for attempt in range(ATTEMPTS):
            try:
                newer = await _migrate(engine, revision, beside)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY:
                    raise
                if attempt + 1 == ATTEMPTS:
                    raise WrongSchema(
                        "the database cannot be migrated: something holds its tables, like a"
                        " backup; nothing was changed, try again when it is done"
                    ) from error
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                break
    finally:
        await engine.dispose()
    if newer:
        await check(url)


async def _migrate(engine: "AsyncEngine", revision: str, beside: Path | None) -> bool:
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        return await connection.run_sync(_run, revision, beside)


async def check(url: str) -> None:
    """Whether this release may work on the database as it is. Raises WrongSchema.

    A newer schema is fine, for migrations only add, unless its `min_revision` says that it is
    not. One that is older lacks what this release writes.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        wrong = await unfit(connection)
    finally:
        await connection.close()
    if wrong is not None:
        raise WrongSchema(wrong)


async def unfit(connection: "Connected") -> str | None:
    """Why this release must not work on the database; None: it may."""
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return f"the database has no schema yet: {MIGRATE}"
    there = await connection.fetchval("SELECT version_num FROM alembic_version")
    least = await connection.fetchval("SELECT value FROM meta WHERE key = 'min_revision'")
    # Revisions are numbers with leading zeros.
    if there < newest():
        return f"the database is at revision {there}, this release needs {newest()}: {MIGRATE}"
    if least is not None and least not in known():
        return (
            f"the database is at revision {there} and needs a release that knows {least};"
            f" this one knows {newest()} and must not work on it: install the newer release"
        )
    return None


def newest() -> str:
    """The revision that this release needs."""
    return max(known())


@cache
def known() -> frozenset[str]:
    """Every revision that this release has a migration for: its file begins with its number."""
    return frozenset(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


def _config(beside: Path | None = None) -> "Config":
    from alembic.config import Config

    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    if beside is not None:
        # A newline between the folders: neither may hold one.
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{VERSIONS}\n{beside}")
    return config


def _run(connection: "Connection", revision: str, beside: Path | None) -> bool:
    """Migrate; whether the database is beyond what we know, and was left alone."""
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = _config(beside)
    config.attributes["connection"] = connection
    there = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    order = [script.revision for script in scripts]
    if there is not None and there not in order:
        return True
    if revision == "base" or _older(revision, there, order):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    return False


def _older(revision: str, there: str | None, newest_first: list[str]) -> bool:
    if there is None or revision not in newest_first:
        return False
    return newest_first.index(revision) > newest_first.index(there)
