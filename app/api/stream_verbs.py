"""What a client says on the stream."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from app.api.amounts import Id, Symbol
from app.api.bodies import Strict
from app.domain.refusal import Refusal
from app.engine.service import Caller
from app.engine.subscription import CHANNELS, Cursor, Wish

_Channels = Annotated[tuple[str, ...], Field(min_length=1, max_length=len(CHANNELS))]
_Ids = Annotated[frozenset[Id], Field(min_length=1, max_length=1000)]
_Symbols = Annotated[frozenset[Symbol], Field(min_length=1, max_length=1000)]


class Auth(Strict):
    action: Literal["auth"]
    key: str


class Subscribe(Strict):
    """Replaces the subscription there was. `after` None: from now on; `start`: from the
    oldest event that is kept."""

    action: Literal["subscribe"]
    channels: _Channels = CHANNELS
    after: Annotated[str, Field(max_length=64)] | None = None
    orders: _Ids | None = None
    symbols: _Symbols | None = None
    account: Id | None = None

    @property
    def cursor(self) -> Cursor | None:
        return Cursor.parse(self.after) if self.after is not None else None

    def wish(self, caller: Caller) -> Wish:
        return Wish(
            channels=known_channels(self.channels),
            accounts=frozenset({self.account}) if self.account else seen_by(caller),
            orders=self.orders,
            symbols=self.symbols,
        )


class Unsubscribe(Strict):
    action: Literal["unsubscribe"]


class Ping(Strict):
    action: Literal["ping"]


Verb = Auth | Subscribe | Unsubscribe | Ping

VERBS: TypeAdapter[Verb] = TypeAdapter(Annotated[Verb, Field(discriminator="action")])


def known_channels(names: tuple[str, ...]) -> frozenset[str]:
    """Raises Refusal for a channel that is not there."""
    unknown = sorted(set(names) - set(CHANNELS))
    if unknown:
        raise Refusal(
            "unknown_channel",
            f"no channel {unknown[0][:40]!r}; there are: {', '.join(CHANNELS)}",
            field="channels",
        )
    return frozenset(names)


def seen_by(caller: Caller) -> frozenset[str] | None:
    return frozenset(caller.accounts) if caller.accounts is not None else None
