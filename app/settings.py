"""Configuration: read once, frozen, checked at the door. Names are the environment's."""

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "SLIPSTREAM_"

_OTHERS = ("URL", "KEY", "DATA_SETS")
"""Read by the command line and the tests, and no setting of the server."""

_TESTS = "TEST_"

_PAIR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*=[a-z0-9-]+")
"""An account becomes part of a file's name."""


NONE = "none"
"""How a variable says that there is no such limit, path or start."""


class Settings(BaseSettings):
    """Every variable is `SLIPSTREAM_<NAME>`, except DATABASE_URL; `.env` is read too.

    A variable that begins with SLIPSTREAM_ and is not known here stops the start.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_parse_none_str=NONE,
    )

    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="An external PostgreSQL 15 or newer; absent: the embedded one.",
    )
    data_dir: Path = Field(
        default=Path(".slipstream"),
        description="Where the embedded PostgreSQL, the paper ledger and the admin key live.",
    )
    host: str = Field(default="127.0.0.1", description="The address the API binds.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Its port; 0 takes a free one.")
    log_level: str = Field(default="info", description="debug, info, warning or error.")

    workers: int = Field(
        default=1, ge=1, le=64, description="Worker processes of one `slipstream serve`."
    )

    account: str = Field(default="main", description="The account orders go to unless they say.")
    broker: str = Field(default="paper", description="The broker of that account.")
    accounts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="All accounts with their brokers: main=paper,alpha=sandbox. Empty: only that.",
    )
    sandbox_url: str | None = Field(default=None, description="Where the sandbox broker listens.")

    lease_seconds: float = Field(
        default=5, ge=1, le=60, description="After so long without a sign its desks are taken over."
    )
    max_working_orders: int | None = Field(
        default=None, ge=1, description="Orders of an account that are worked at a time."
    )
    quarantine_seconds: int = Field(
        default=60,
        ge=1,
        description="How long a lost send may still arrive, at brokers that cannot refuse late"
        " ones and whose ids can come back.",
    )
    closing_seconds: int = Field(
        default=120,
        ge=1,
        description="An order whose end has no evidence after so long needs an operator.",
    )

    feed: str = Field(default="synthetic", description="synthetic, synthetic-live or replay.")
    feed_seed: int = Field(default=1, description="Seed of the synthetic market.")
    feed_path: Path | None = Field(
        default=None, description="Data of the replay: a Lean folder, a layout .toml, a dump .gz."
    )
    feed_root: Path | None = Field(
        default=None, description="Folder that a layout's file names are relative to."
    )
    feed_start: str | None = Field(
        default=None, description="Market time a stepped feed starts at, RFC 3339 with a zone."
    )
    speed: Decimal = Field(
        default=Decimal(60),
        ge=0,
        description="Market seconds a second, for stepped feeds; 0 is as fast as possible.",
    )
    hold: bool = Field(
        default=False, description="Market time stands still until PUT /clock lets it go."
    )

    paper_latency_ms: int = Field(default=5, ge=0, description="One way to the paper venue.")
    paper_fee_per_share: Decimal = Field(default=Decimal("0.0035"), description="Paper fees.")
    paper_fee_bps: Decimal = Field(default=Decimal(0), description="Paper fees, of notional.")

    retention_days: Decimal | None = Field(
        default=None, gt=0, description="Finished orders are removed after so long; none: never."
    )
    archive_dir: Path | None = Field(
        default=None, description="Where they are written before, a file a day; none: nowhere."
    )

    max_order_qty: Decimal | None = Field(default=None, description="Hard limit, parent orders.")
    max_order_notional: Decimal | None = Field(
        default=Decimal(10_000_000), description="Hard limit, parent orders, at arrival."
    )
    max_quote_age_seconds: int = Field(
        default=120, gt=0, description="A quote older than this is no price."
    )
    collar: Decimal = Field(
        default=Decimal("0.05"), gt=0, lt=1, description="A child's distance from the last trade."
    )

    route_market_below: Decimal = Field(default=Decimal(10_000), description="Notional.")
    route_vwap_above: Decimal = Field(default=Decimal(100_000), description="Notional.")
    route_vwap_participation: Decimal = Field(
        default=Decimal("0.01"), description="Share of daily volume above which VWAP is taken."
    )

    alert_slippage_bps: Decimal = Field(default=Decimal(20), description="Against arrival.")
    alert_failed_children: int = Field(default=3, ge=1, description="Refusals in a row.")
    alert_stalled_seconds: int = Field(default=300, gt=0, description="Behind, without progress.")

    signal_confidence_min: float = Field(
        default=0.0, ge=0, le=1, description="Signals below it are rejected."
    )
    symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Symbols watched from the start, separated by commas."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before `.env`; neither may hold a variable that nobody knows."""
        for source in (env_settings, dotenv_settings):
            assert isinstance(source, EnvSettingsSource), "both are read as an environment"
            refuse_unknown(source.env_vars)
        return init_settings, env_settings, dotenv_settings

    @property
    def broker_of(self) -> dict[str, str]:
        """The broker of every account, the default one among them."""
        return dict(_pair(entry) for entry in self.accounts) or {self.account: self.broker}

    @model_validator(mode="before")
    @classmethod
    def _default_account(cls, given: object) -> object:
        """Where only SLIPSTREAM_ACCOUNTS is told, its first entry is the default account."""
        listed = _split(given.get("accounts")) if isinstance(given, dict) else ()
        if not isinstance(given, dict) or not isinstance(listed, tuple) or not listed:
            return given
        brokers = dict(_pair(str(entry)) for entry in listed)
        account = given.get("account", next(iter(brokers)))
        return {"broker": brokers.get(account, "paper")} | given | {"account": account}

    @model_validator(mode="after")
    def _one_broker_an_account(self) -> "Settings":
        names = [_pair(entry)[0] for entry in self.accounts]
        if len(set(names)) != len(names):
            raise ValueError("SLIPSTREAM_ACCOUNTS names an account twice")
        if names and self.account not in names:
            raise ValueError(
                f"SLIPSTREAM_ACCOUNT is {self.account!r}, which SLIPSTREAM_ACCOUNTS does not name"
            )
        there = self.broker_of[self.account]
        if there != self.broker:
            raise ValueError(
                f"SLIPSTREAM_BROKER is {self.broker!r}, but SLIPSTREAM_ACCOUNTS has"
                f" {self.account!r} at {there!r}"
            )
        if "sandbox" in self.broker_of.values() and self.sandbox_url is None:
            raise ValueError("an account at the broker 'sandbox' needs SLIPSTREAM_SANDBOX_URL")
        return self

    @field_validator("accounts", mode="after")
    @classmethod
    def _pairs(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if not _PAIR.fullmatch(entry):
                raise ValueError(f"{entry!r} is not name=broker")
        return entries

    @field_validator("symbols", "accounts", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return _split(value)

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()


def _split(value: object) -> object:
    """What stands between commas; what is no text is left as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _pair(entry: str) -> tuple[str, str]:
    name, _, broker = entry.partition("=")
    return name, broker


def refuse_unknown(variables: Iterable[str]) -> None:
    """Raises ValidationError for variables of ours that mean nothing: most are misspelt."""
    known = {name.upper() for name in Settings.model_fields} - {"DATABASE_URL"}
    ours = (name.upper() for name in variables if name.upper().startswith(PREFIX))
    names = sorted(name.removeprefix(PREFIX) for name in ours)
    unknown = [n for n in names if n not in known.union(_OTHERS) and not n.startswith(_TESTS)]
    if unknown:
        raise ValidationError.from_exception_data("Settings", [_unknown(n, known) for n in unknown])


def _unknown(name: str, known: set[str]) -> InitErrorDetails:
    close = get_close_matches(name, [*known, "DATABASE_URL"], n=1)
    meant = [n if n == "DATABASE_URL" else f"{PREFIX}{n}" for n in close]
    hint = f"; did you mean {meant[0]}?" if meant else ""
    told = PydanticCustomError("unknown_variable", "there is no such setting{hint}", {"hint": hint})
    # Its value may be secret: the name stands in for it.
    return InitErrorDetails(type=told, loc=(f"{PREFIX}{name}",), input=name)
