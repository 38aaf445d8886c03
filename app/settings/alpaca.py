"""Alpaca both ways: as a broker, as a feed, and its clients at our door."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

MADE_UP = frozenset({"synthetic", "synthetic-live", "replay"})
"""Feeds whose prices are nobody's today."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AlpacaSettings(BaseModel):
    """Everything that begins with `alpaca_`."""

    alpaca_key_id: str | None = Field(
        default=None, description="Alpaca's key id; a key that may only trade is enough."
    )
    alpaca_secret_key: SecretStr | None = Field(
        default=None, description="Its secret: read from here alone, kept and told nowhere."
    )
    alpaca_url: str | None = Field(
        default=None, description="Alpaca's base URL, without /v2; none: its paper trading."
    )
    alpaca_stream_url: str | None = Field(
        default=None, description="Its trade updates; none: /stream beside the base URL."
    )
    alpaca_requests_per_minute: int = Field(
        default=200, ge=10, description="Its rate limit, until its answers tell another."
    )

    alpaca_brackets: bool = Field(
        default=True, description="Whether exits rest at Alpaca with their stop."
    )

    alpaca_feed: Literal["iex", "sip"] = Field(
        default="iex", description="Alpaca's market data: iex is one exchange and free, sip is all."
    )
    alpaca_data_url: str | None = Field(
        default=None, description="Where they are asked for; none: Alpaca's own address."
    )
    alpaca_data_stream_url: str | None = Field(
        default=None, description="Where they are streamed; none: Alpaca's own address."
    )

    alpaca_api_default_algo: str = Field(
        default="auto",
        description="Works plain orders of Alpaca's clients, unless their key names another.",
    )
    alpaca_api_large_orders: Literal["route", "refuse"] = Field(
        default="route",
        description="A plain order too large to be sent whole: route to that algorithm, or refuse.",
    )
    alpaca_api_stream_frames: Literal["binary", "text"] = Field(
        default="binary", description="How frames of /alpaca/stream travel."
    )
    alpaca_api_replay_seconds: float = Field(
        default=0,
        ge=0,
        le=3_600,
        description="So much of the past is told to whoever connects to /alpaca/stream.",
    )

    @field_validator("alpaca_key_id", "alpaca_secret_key", mode="before")
    @classmethod
    def _bare(cls, key: object) -> object:
        """Keys out of files often end in a line break."""
        return key.strip() if isinstance(key, str) else key

    def check_alpaca(self, accounts: list[str], feed: str) -> None:
        """What its accounts and its feed need. Raises ValueError."""
        keys = bool(self.alpaca_key_id and self.alpaca_secret_key)
        if not keys and (accounts or feed == "alpaca"):
            who = "an account at the broker 'alpaca'" if accounts else "the feed 'alpaca'"
            raise ValueError(
                f"{who} needs SLIPSTREAM_ALPACA_KEY_ID and SLIPSTREAM_ALPACA_SECRET_KEY"
            )
        if accounts and feed in MADE_UP and not self._on_this_machine():
            raise ValueError(
                f"an account at the broker 'alpaca' needs SLIPSTREAM_FEED=alpaca: {feed!r} is no"
                " market, and its prices would be sent to one"
            )
        if len(accounts) > 1:
            raise ValueError(
                f"{' and '.join(accounts)} are at the broker 'alpaca', whose keys open one account"
            )

    def _on_this_machine(self) -> bool:
        """Whether what is called Alpaca is another Slipstream, or a rehearsal."""
        return urlsplit(self.alpaca_url or "").hostname in _LOOPBACK
