"""Configuration: read once, frozen, checked at the door. Names are the environment's."""

import re

from pydantic import field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.settings.alpaca import AlpacaSettings
from app.settings.market import MarketSettings
from app.settings.orders import OrderSettings
from app.settings.research import ResearchSettings
from app.settings.server import ServerSettings
from app.settings.unknown import PREFIX, refuse_unknown

__all__ = ["NONE", "PREFIX", "Settings"]

_PAIR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*=[a-z0-9-]+")
"""An account becomes part of a file's name."""

NONE = "none"
"""How a variable says that there is no such limit, path or start."""


class Settings(
    AlpacaSettings, ResearchSettings, OrderSettings, MarketSettings, ServerSettings, BaseSettings
):
    """Every variable is `SLIPSTREAM_<NAME>`, except DATABASE_URL; `.env` is read too.

    A variable that begins with SLIPSTREAM_ and is not known here stops the start.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_parse_none_str=NONE,
        # What is wrong is told by name: its value, or a neighbour's, may be secret.
        hide_input_in_errors=True,
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
            refuse_unknown(source.env_vars, cls.model_fields)
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
        at_alpaca = [name for name, broker in self.broker_of.items() if broker == "alpaca"]
        self.check_alpaca(at_alpaca, self.feed)
        return self

    @field_validator("accounts", mode="after")
    @classmethod
    def _pairs(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if not _PAIR.fullmatch(entry):
                raise ValueError(f"{entry!r} is not name=broker")
        return entries

    @field_validator("symbols", "accounts", "trusted_proxies", mode="before")
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
