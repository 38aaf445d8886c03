"""The processes, where they keep things, and the accounts they trade for."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic_settings import NoDecode


class ServerSettings(BaseModel):
    """What a server is, whatever it trades."""

    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="An external PostgreSQL 15 or newer; absent: the embedded one.",
    )
    data_dir: Path = Field(
        default=Path(".slipstream"),
        description="Where the embedded PostgreSQL, the paper ledger and the admin key live.",
    )
    kill_file: Path | None = Field(
        default=None,
        description="While this file is there workers send nothing; absent: KILL in the data dir.",
    )
    host: str = Field(default="127.0.0.1", description="The address the API binds.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Its port; 0 takes a free one.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of proxies in front, whose X-Forwarded-For is believed; a list.",
    )
    rate_per_key: float = Field(
        default=0, ge=0, le=100_000, description="Requests a second of one key; 0: no limit."
    )
    rate_burst: int = Field(
        default=50, ge=1, le=100_000, description="How many of them may come at once."
    )
    rate_failures: int = Field(
        default=120,
        ge=0,
        le=100_000,
        description="Wrong keys that one address may show a minute; 0: any number.",
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")

    workers: int = Field(
        default=1, ge=1, le=64, description="Worker processes of one `slipstream serve`."
    )
    spare_worker: bool = Field(
        default=True, description="Keep a process ready that takes a dead worker's place at once."
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
    self_match: Literal["hold", "allow"] = Field(
        default="hold", description="A child that would meet another order of its account."
    )
    closing_seconds: int = Field(
        default=120,
        ge=1,
        description="An order whose end has no evidence after so long needs an operator.",
    )

    retention_days: Decimal | None = Field(
        default=None,
        gt=0,
        description="Finished orders, and signals that became none, go after so long; none: never.",
    )
    archive_dir: Path | None = Field(
        default=None, description="Where they are written before, a file a day; none: nowhere."
    )
