"""Settings: every variable parses, a misspelt one stops the start, nothing changes afterwards."""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from app.settings import Settings
from tests.cli.shell import Shell

D = Decimal
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"

GIVEN: dict[str, tuple[str, object]] = {
    "data_dir": ("/var/lib/x", Path("/var/lib/x")),
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("0", 0),
    "kill_file": ("/var/lib/x/STOP", Path("/var/lib/x/STOP")),
    "rate_per_key": ("2.5", 2.5),
    "rate_burst": ("7", 7),
    "rate_failures": ("9", 9),
    "log_level": ("WARNING", "warning"),
    "workers": ("3", 3),
    "spare_worker": ("false", False),
    "account": ("second", "second"),
    "broker": ("other", "other"),
    "accounts": ("main=paper, second=other", ("main=paper", "second=other")),
    "trusted_proxies": ("10.0.0.1, 10.0.0.2", ("10.0.0.1", "10.0.0.2")),
    "sandbox_url": ("http://127.0.0.1:9", "http://127.0.0.1:9"),
    "alpaca_key_id": ("PKTEST", "PKTEST"),
    "alpaca_secret_key": ("s3cret", SecretStr("s3cret")),
    "alpaca_url": ("https://api.alpaca.markets", "https://api.alpaca.markets"),
    "alpaca_stream_url": ("wss://x.example/stream", "wss://x.example/stream"),
    "alpaca_requests_per_minute": ("1000", 1000),
    "alpaca_brackets": ("false", False),
    "lease_seconds": ("1.5", 1.5),
    "max_working_orders": ("40", 40),
    "quarantine_seconds": ("90", 90),
    "closing_seconds": ("30", 30),
    "self_match": ("allow", "allow"),
    "alpaca_feed": ("sip", "sip"),
    "alpaca_data_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "alpaca_data_stream_url": ("ws://127.0.0.1:2", "ws://127.0.0.1:2"),
    "feed": ("replay", "replay"),
    "feed_seed": ("7", 7),
    "feed_path": ("data/lean", Path("data/lean")),
    "feed_root": ("data", Path("data")),
    "tapes": ("/srv/tapes", Path("/srv/tapes")),
    "feed_start": ("2026-01-05T14:30:00Z", "2026-01-05T14:30:00Z"),
    "speed": ("0", D(0)),
    "hold": ("true", True),
    "paper_latency_ms": ("0", 0),
    "paper_fee_per_share": ("0.0001", D("0.0001")),
    "paper_fee_bps": ("-0.2", D("-0.2")),
    "paper_cash": ("25000", D(25000)),
    "alpaca_api_default_algo": ("vwap", "vwap"),
    "alpaca_api_large_orders": ("refuse", "refuse"),
    "alpaca_api_stream_frames": ("text", "text"),
    "alpaca_api_replay_seconds": ("30", 30.0),
    "retention_days": ("0.5", D("0.5")),
    "archive_dir": ("archive", Path("archive")),
    "max_order_qty": ("5000", D(5000)),
    "max_order_notional": ("1000000.50", D("1000000.50")),
    "max_quote_age_seconds": ("5", 5),
    "collar": ("0.1", D("0.1")),
    "close_cutoff_seconds": ("300", 300),
    "extended_hours": ("false", False),
    "route_market_below": ("1", D(1)),
    "route_vwap_above": ("2", D(2)),
    "route_vwap_participation": ("0.05", D("0.05")),
    "cost_history_orders": ("500", 500),
    "alert_slippage_bps": ("7.5", D("7.5")),
    "alert_failed_children": ("1", 1),
    "alert_stalled_seconds": ("60", 60),
    "alert_vwap_deviation_bps": ("50", D(50)),
    "alert_failed_orders": ("5", 5),
    "alert_slow_share": ("0.3", D("0.3")),
    "alert_slow_seconds": ("90", 90),
    "signal_confidence_min": ("0.6", 0.6),
    "smart_execution": ("false", False),
    "promotion_signals": ("50", 50),
    "promotion_hours": ("48", 48.0),
    "backtests_at_once": ("3", 3),
    "backtest_parents_max": ("100", 100),
    "what_if_seconds": ("2.5", 2.5),
    "symbols": (" ACME, GLOBEX,,", ("ACME", "GLOBEX")),
}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine, and no `.env` in the folder."""
    for name in list(os.environ):
        if name.upper().startswith("SLIPSTREAM_") or name.upper() == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings_from(variables: Mapping[str, str]) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return Settings()


def refused(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and message of each error."""
    with pytest.raises(ValidationError) as caught:
        settings_from(variables)
    return [(str(e["loc"][0]), e["msg"]) for e in caught.value.errors()]


# Every variable


def test_the_table_of_variables_is_whole() -> None:
    assert set(GIVEN) | {"database_url"} == set(Settings.model_fields)


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_each_variable_is_read_and_changes_nothing_else(name: str) -> None:
    text, value = GIVEN[name]
    default = Settings().model_dump()
    found = settings_from({f"SLIPSTREAM_{name.upper()}": text}).model_dump()
    assert found[name] == value
    assert type(found[name]) is type(value)
    assert default[name] != value
    assert {**found, name: default[name]} == default


def test_the_database_url_has_no_prefix() -> None:
    url = "postgresql://u@h/d"
    assert settings_from({"DATABASE_URL": url}).database_url == url
    assert Settings().database_url is None


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLIPSTREAM_PORT=1\nSLIPSTREAM_HOST=h\n")
    found = settings_from({"SLIPSTREAM_PORT": "2"})
    assert (found.port, found.host) == (2, "h")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("workers", "0"),
        ("alpaca_api_large_orders", "send"),
        ("alpaca_api_stream_frames", "msgpack"),
        ("alpaca_api_replay_seconds", "-1"),
        ("accounts", "main"),
        ("accounts", "main=paper,=paper"),
        ("accounts", "../x=paper"),
        ("lease_seconds", "0.9"),
        ("max_working_orders", "0"),
        ("quarantine_seconds", "0"),
        ("closing_seconds", "0"),
        ("port", "65536"),
        ("port", "-1"),
        ("port", "tcp://10.0.0.1:80"),
        ("alpaca_feed", "delayed"),
        ("speed", "-1"),
        ("speed", "fast"),
        ("speed", "NaN"),
        ("speed", "Infinity"),
        ("log_level", "loud"),
        ("hold", "maybe"),
        ("collar", "0"),
        ("collar", "1"),
        ("close_cutoff_seconds", "0"),
        ("paper_latency_ms", "-1"),
        ("max_quote_age_seconds", "0"),
        ("retention_days", "0"),
        ("alert_failed_children", "0"),
        ("alert_stalled_seconds", "0"),
        ("alert_vwap_deviation_bps", "0"),
        ("signal_confidence_min", "1.1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name: str, text: str) -> None:
    assert [found for found, _ in refused({f"SLIPSTREAM_{name.upper()}": text})] == [name]


# Accounts


def test_accounts_each_have_a_broker_and_the_first_is_the_default() -> None:
    assert settings_from({}).broker_of == {"main": "paper"}
    alone = settings_from({"SLIPSTREAM_ACCOUNT": "a", "SLIPSTREAM_BROKER": "b"})
    assert alone.broker_of == {"a": "b"}
    told = {
        "SLIPSTREAM_ACCOUNTS": "beta=sandbox,main=paper",
        "SLIPSTREAM_SANDBOX_URL": "http://127.0.0.1:9",
    }
    several = settings_from(told)
    assert several.broker_of == {"beta": "sandbox", "main": "paper"}
    assert (several.account, several.broker) == ("beta", "sandbox")
    chosen = settings_from(told | {"SLIPSTREAM_ACCOUNT": "main"})
    assert (chosen.account, chosen.broker) == ("main", "paper")


@pytest.mark.parametrize(
    ("accounts", "more", "sentence"),
    [
        ("a=paper,a=paper", {}, "SLIPSTREAM_ACCOUNTS names an account twice"),
        (
            "a=paper",
            {"ACCOUNT": "b"},
            "SLIPSTREAM_ACCOUNT is 'b', which SLIPSTREAM_ACCOUNTS does not name",
        ),
        (
            "a=paper",
            {"BROKER": "other"},
            "SLIPSTREAM_BROKER is 'other', but SLIPSTREAM_ACCOUNTS has 'a' at 'paper'",
        ),
        ("a=sandbox", {}, "an account at the broker 'sandbox' needs SLIPSTREAM_SANDBOX_URL"),
        (
            "a=alpaca",
            {"ALPACA_KEY_ID": "k"},
            "an account at the broker 'alpaca' needs SLIPSTREAM_ALPACA_KEY_ID and"
            " SLIPSTREAM_ALPACA_SECRET_KEY",
        ),
        *(
            (
                "a=alpaca",
                {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s", "FEED": feed, **more},
                f"needs SLIPSTREAM_FEED=alpaca: '{feed}' is no market",
            )
            for feed in ("synthetic", "synthetic-live", "replay")
            for more in ({}, {"ALPACA_URL": "https://api.alpaca.markets"})
        ),
        (
            "a=alpaca,b=alpaca",
            {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s", "FEED": "alpaca"},
            "a and b are at the broker 'alpaca', whose keys open one account",
        ),
    ],
)
def test_accounts_that_contradict_are_refused_with_a_sentence(
    accounts: str, more: dict[str, str], sentence: str
) -> None:
    given = {"SLIPSTREAM_ACCOUNTS": accounts}
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        settings_from(given | {f"SLIPSTREAM_{name}": text for name, text in more.items()})


ALPACA = {
    "SLIPSTREAM_ALPACA_KEY_ID": "PK-who-am-i",
    "SLIPSTREAM_ALPACA_SECRET_KEY": "hunter2-is-secret",
}


def test_a_rehearsal_on_this_machine_may_have_any_feed() -> None:
    given = ALPACA | {"SLIPSTREAM_BROKER": "alpaca"}
    here = given | {"SLIPSTREAM_ALPACA_URL": "http://127.0.0.1:8000/alpaca"}
    assert settings_from(here).feed == "synthetic"
    assert settings_from(given | {"SLIPSTREAM_FEED": "a-feed-of-my-own"}).broker == "alpaca"


def test_the_feed_of_alpaca_needs_both_credentials() -> None:
    assert settings_from(ALPACA | {"SLIPSTREAM_FEED": "alpaca"}).feed == "alpaca"
    for missing in ALPACA:
        given = {name: text for name, text in ALPACA.items() if name != missing}
        with pytest.raises(ValidationError, match="needs SLIPSTREAM_ALPACA_KEY_ID and"):
            settings_from(given | {"SLIPSTREAM_FEED": "alpaca"})


def test_credentials_are_in_no_error_and_no_representation() -> None:
    shown = repr(settings_from(ALPACA)) + str(settings_from(ALPACA).model_dump())
    for wrong in ({"SLIPSTREAM_ACCOUNTS": "a=paper,a=paper"}, {"SLIPSTREAM_PORT": "x"}):
        with pytest.raises(ValidationError) as caught:
            settings_from(ALPACA | wrong)
        shown += str(caught.value) + repr(caught.value)
    assert "hunter2" not in shown


def test_a_line_break_behind_a_key_is_no_part_of_it() -> None:
    """As files of secrets have it; in a header it would be refused, and quoted with the key."""
    settings = settings_from({name: text + "\n" for name, text in ALPACA.items()})
    assert settings.alpaca_secret_key is not None
    kept = settings.alpaca_key_id, settings.alpaca_secret_key.get_secret_value()
    assert kept == tuple(ALPACA.values())


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
    assert settings.port == 8000


# Variables nobody knows


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SLIPSTREAM_SPED", "SLIPSTREAM_SPEED"),
        ("SLIPSTREAM_MAX_NOTIONAL", "SLIPSTREAM_MAX_ORDER_NOTIONAL"),
        ("SLIPSTREAM_MAX_ORDER_NOTINAL", "SLIPSTREAM_MAX_ORDER_NOTIONAL"),
        ("SLIPSTREAM_DATABASE_URL", "DATABASE_URL"),
        ("SLIPSTREAM_DATADIR", "SLIPSTREAM_DATA_DIR"),
        ("slipstream_prot", "SLIPSTREAM_PORT"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_name_that_was_meant(name: str, meant: str) -> None:
    message = f"there is no such setting; did you mean {meant}?"
    assert refused({name: "x"}) == [(name.upper(), message)]


def test_what_resembles_nothing_is_refused_without_a_guess() -> None:
    found = refused({"SLIPSTREAM_ZZZ": "1", "SLIPSTREAM_": "2"})
    assert found == [
        ("SLIPSTREAM_", "there is no such setting"),
        ("SLIPSTREAM_ZZZ", "there is no such setting"),
    ]


def test_a_misspelt_line_of_the_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLIPSTREAM_COLAR=0.1\nPOSTGRES_PASSWORD=p\n")
    assert [name for name, _ in refused({})] == ["SLIPSTREAM_COLAR"]


def test_a_secret_in_a_misspelt_variable_stays_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        settings_from({"SLIPSTREAM_DATABASE_URI": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in str(caught.value)


def test_a_secret_stays_secret_whatever_is_wrong_beside_it() -> None:
    keys = {"SLIPSTREAM_ALPACA_KEY_ID": "k", "SLIPSTREAM_ALPACA_SECRET_KEY": "hunter2"}
    assert "hunter2" not in repr(settings_from(keys)) + str(settings_from(keys).model_dump())
    with pytest.raises(ValidationError) as caught:
        settings_from(keys | {"SLIPSTREAM_ACCOUNTS": "a=sandbox"})
    assert "hunter2" not in str(caught.value)


def test_what_the_client_and_the_tests_read_is_allowed() -> None:
    names = ("URL", "KEY", "DATA_SETS", "TEST_DATABASE_URL", "TEST_ANYTHING")
    given = {f"SLIPSTREAM_{name}": "x" for name in names} | {"OTHER_SLIPSTREAM_X": "x"}
    assert settings_from(given) == Settings()


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "data")
    said = shell("serve", SLIPSTREAM_SPED="0", SLIPSTREAM_PORT="0")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "slipstream: SLIPSTREAM_SPED: there is no such setting; did you mean SLIPSTREAM_SPEED?\n"
    )
    assert not (tmp_path / "data").exists()


# The example


def example() -> dict[str, str | None]:
    """Every variable the file names, commented out or not."""
    if not EXAMPLE.exists():
        pytest.skip("there is no .env.example")
    text = re.sub(r"^#\s*([A-Z_]+=)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    return dotenv_values(stream=StringIO(text))


def test_the_example_lists_every_variable() -> None:
    prefixed = {f"SLIPSTREAM_{name.upper()}" for name in GIVEN}
    assert set(example()) == prefixed | {"DATABASE_URL"}


def test_every_variable_of_the_example_parses_and_shows_its_default() -> None:
    given = {name: value for name, value in example().items() if value}
    found, default = settings_from(given).model_dump(), Settings().model_dump()
    shown = {name.removeprefix("SLIPSTREAM_").lower() for name in given}
    differing = {name: found[name] for name in shown if found[name] != default[name]}
    # Where nothing is the default, the file may show what a value looks like.
    assert all(default[name] in (None, ()) for name in differing), differing


def test_the_example_as_it_stands_can_be_copied(tmp_path: Path) -> None:
    if not EXAMPLE.exists():
        pytest.skip("there is no .env.example")
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    assert Settings()


def test_no_variable_is_named_like_the_clients_own() -> None:
    assert not {"url", "key", "data_sets"} & set(Settings.model_fields)
    assert not any(name.startswith("test_") for name in Settings.model_fields)


def test_told_in_python_settings_are_as_from_the_environment() -> None:
    names: dict[str, Any] = {name: text for name, (text, _) in GIVEN.items()}
    told = Settings(_env_file=None, **names)
    assert told == settings_from({f"SLIPSTREAM_{n.upper()}": t for n, (t, _) in GIVEN.items()})
