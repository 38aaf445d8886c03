"""Where market data come from, how market time runs, and the paper venue on top of it."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_settings import NoDecode


class MarketSettings(BaseModel):
    """The market as this server sees it."""

    feed: str = Field(
        default="synthetic", description="synthetic, synthetic-live, replay or alpaca."
    )
    feed_seed: int = Field(default=1, description="Seed of the synthetic market.")
    feed_path: Path | None = Field(
        default=None,
        description="What replay plays: a dataset, a Lean folder, a layout, a dump.",
    )
    feed_root: Path | None = Field(
        default=None, description="Folder that a layout's file names are relative to."
    )
    tapes: Path | None = Field(
        default=None, description="Folder of the tape store; default: tapes in the data directory."
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

    paper_cash: Decimal | None = Field(
        default=Decimal(100_000),
        description="What a paper account began with, as Alpaca's clients are shown it.",
    )

    symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Symbols watched from the start, separated by commas."
    )
