"""The next release's migration, and how long orders wait while it runs."""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg

from app.store.migrate import newest

FOLLOWING = f"{int(newest()) + 1:04}"
"""The revision of a release that does not exist yet."""

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{next}", "{newest}", None, None


def upgrade():
    op.add_column("orders", sa.Column("desk_note", sa.Text()))
    op.add_column("fills", sa.Column("venue", sa.Text(), server_default="x", nullable=False))
    op.execute("{extra}")


def downgrade():
    op.drop_column("orders", "desk_note")
    op.drop_column("fills", "venue")
    op.execute("DELETE FROM meta WHERE key = 'min_revision'")
"""


# An index made, and another dropped while somebody waits to write beside the one that is made.
CIRCLE = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "{next}", "{newest}", None, None


def upgrade():
    op.execute("CREATE INDEX ix_of_a_circle ON orders (id)")
    op.execute("SELECT pg_sleep(1)")
    op.execute("DROP INDEX ix_of_a_circle")
"""


def revision_in(folder: Path, extra: str, *, text: str = NEXT) -> Path:
    folder.mkdir()
    text = text.replace("{extra}", extra).replace("{next}", FOLLOWING)
    (folder / f"{FOLLOWING}_next.py").write_text(text.replace("{newest}", newest()))
    return folder


async def fetch(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[Any] = await connection.fetch(query)
    finally:
        await connection.close()
    return rows


async def waits(url: str, over: list[float], stop: asyncio.Event) -> None:
    """How long an order's row cannot be changed, sampled all the time."""
    connection = await asyncpg.connect(url)
    while not stop.is_set():
        began = time.monotonic()
        await connection.execute("UPDATE orders SET tags = tags WHERE id = gen_random_uuid()")
        await connection.execute("SELECT count(*) FROM fills WHERE account = 'nobody'")
        over.append(time.monotonic() - began)
        await asyncio.sleep(0.001)
    await connection.close()
