"""What the supervisor prepares: the children's environment, the key file, a port."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.settings import Settings
from app.store import keys
from app.store.database import Database
from app.supervisor import (
    EARLY_SECONDS,
    Child,
    Supervisor,
    admin_key,
    announce,
    base_url,
    environment_of,
    free_port,
    prepare_database,
    process_names,
)

URL = "postgresql://u:p@h:5432/d"


def made(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# The environment of the children

names = st.text(st.sampled_from("abcXYZ019._-"), min_size=1, max_size=8)
numbers = st.decimals(0, "1E+12", places=6) | st.sampled_from([Decimal("1E+3"), Decimal("1E-8")])
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: Path(*parts))
told = st.fixed_dictionaries(
    {},
    optional={
        "data_dir": paths,
        "host": st.sampled_from(["127.0.0.1", "::1", "0.0.0.0"]),
        "port": st.integers(0, 65_535),
        "log_level": st.sampled_from(["debug", "info", "warning", "error"]),
        "account": names,
        "feed_path": st.none() | paths,
        "feed_start": st.none() | st.just("2026-01-05T14:30:00+00:00"),
        "speed": numbers,
        "hold": st.booleans(),
        "max_order_qty": st.none() | numbers,
        "max_order_notional": st.none() | numbers,
        "collar": st.decimals("0.001", "0.999", places=3),
        "signal_confidence_min": st.floats(0, 1),
        "symbols": st.lists(names, max_size=4).map(tuple),
        "alpaca_secret_key": st.none() | names,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told)
def test_a_child_reads_the_settings_its_parent_has(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    parent = made(**fields)
    environment = environment_of(parent, URL)
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        child = made()
    assert child.database_url == URL
    assert child.model_copy(update={"database_url": None}) == parent


def test_what_is_none_is_told_as_none_and_nothing_twice() -> None:
    environment = environment_of(made(), URL)
    assert environment["DATABASE_URL"] == URL
    assert environment["SLIPSTREAM_FEED_PATH"] == "none"
    assert "SLIPSTREAM_DATABASE_URL" not in environment
    assert environment["SLIPSTREAM_SYMBOLS"] == ""
    assert environment_of(made(symbols=("A", "B")), URL)["SLIPSTREAM_SYMBOLS"] == "A,B"
    assert all(isinstance(value, str) for value in environment.values())


def test_a_child_reads_the_secrets_its_parent_has(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = made(alpaca_key_id="PK1", alpaca_secret_key="hunter2")
    for name, value in environment_of(parent, URL).items():
        monkeypatch.setenv(name, value)
    secret = made().alpaca_secret_key
    assert secret is not None
    assert secret.get_secret_value() == "hunter2"


def test_a_child_reads_the_accounts_its_parent_has(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = made(accounts="beta=paper,main=paper", workers=2)
    for name, value in environment_of(parent, URL).items():
        monkeypatch.setenv(name, value)
    child = made()
    assert child.model_copy(update={"database_url": None}) == parent
    assert (child.account, list(child.broker_of)) == ("beta", ["beta", "main"])


def test_a_server_has_as_many_workers_as_it_is_told() -> None:
    assert process_names(1) == ["worker", "api"]
    assert process_names(3) == ["worker", "worker 2", "worker 3", "api"]


# The key


def test_the_admin_key_is_made_once_for_its_owner_alone(database_url: str, tmp_path: Path) -> None:
    chosen = made(data_dir=tmp_path / "new" / "data")
    key = admin_key(chosen, database_url)
    path = chosen.data_dir / "admin.key"
    assert path.read_text() == key + "\n"
    assert (mode(path), mode(chosen.data_dir)) == (0o600, 0o700)
    assert admin_key(chosen, database_url) == key
    # Its secret is nowhere else: the database has only its digest.
    assert asyncio.run(scopes_of(database_url, key)) == ["admin"]


async def scopes_of(url: str, key: str) -> list[str] | None:
    database = await Database.open(url, connections=1)
    try:
        async with database.connection() as connection:
            found = await keys.find(connection, key)
            return sorted(found.scopes) if found is not None else None
    finally:
        await database.close()


@pytest.mark.parametrize("stale", ["slip_zzzz_not-of-this-database", "garbage", ""])
def test_a_key_that_does_not_open_this_database_is_replaced(
    database_url: str, tmp_path: Path, stale: str
) -> None:
    path = tmp_path / "admin.key"
    path.write_text(stale)
    key = admin_key(made(data_dir=tmp_path), database_url)
    assert key != stale
    assert path.read_text() == key + "\n"
    assert asyncio.run(scopes_of(database_url, key)) == ["admin"]


def test_the_command_line_is_told_where_the_server_is(tmp_path: Path) -> None:
    announce(made(data_dir=tmp_path, port=8123), URL)
    told_so = json.loads((tmp_path / "server.json").read_text())
    assert told_so == {"url": "http://127.0.0.1:8123", "pid": os.getpid(), "database_url": URL}
    # The database's password is in it.
    assert mode(tmp_path / "server.json") == 0o600


# Addresses


def test_a_free_port_can_be_bound() -> None:
    port = free_port("127.0.0.1")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        assert free_port("127.0.0.1") != port


def test_port_zero_is_settled_once_for_both_children() -> None:
    chosen = Supervisor(made(port=0))._settings
    assert chosen.port > 0
    assert environment_of(chosen, URL)["SLIPSTREAM_PORT"] == str(chosen.port)
    assert Supervisor(made(port=8123))._settings.port == 8123


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1"])
def test_a_server_on_every_address_is_reached_on_this_machine(host: str) -> None:
    assert base_url(made(host=host, port=1)) == "http://127.0.0.1:1"
    assert base_url(made(host="10.1.2.3", port=1)) == "http://10.1.2.3:1"


def test_an_external_database_is_migrated_and_left_running(database_url: str) -> None:
    chosen = made().model_copy(update={"database_url": database_url})
    with prepare_database(chosen) as database:
        assert (database.url, database.server) == (database_url, None)
    assert asyncio.run(scopes_of(database_url, "slip_none_none")) is None


# Deaths


def test_only_early_deaths_in_a_row_are_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        child = Child(process, started=100.0, early_deaths=3)
    assert child.deaths(100.0 + EARLY_SECONDS / 2) == 4
    assert child.deaths(100.0 + EARLY_SECONDS) == 0


def test_who_is_killed_is_no_failure_to_live() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        process.kill()
        process.wait()
        child = Child(process, started=100.0, early_deaths=3)
    assert child.deaths(100.0 + EARLY_SECONDS / 2) == 0
