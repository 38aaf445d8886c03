"""A whole house behind a real socket, and alpaca-py with a key of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient

from app.api.alpaca.surface import Surface
from app.api.app import create_api
from app.store import keys
from tests.api.conftest import QUICK, serve
from tests.world import World, open_world


@dataclass
class House:
    """A served world. `trading` is alpaca-py with an admin's key; `call` runs it in a thread."""

    world: World
    url: str
    key: str
    app: Any
    clients: list[TradingClient] = field(default_factory=list)

    @property
    def key_id(self) -> str:
        return self.key.split("_")[1]

    @property
    def base(self) -> str:
        return f"{self.url}/alpaca"

    @property
    def stream_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/alpaca/stream"

    @cached_property
    def trading(self) -> TradingClient:
        return self.client(self.key)

    def client(self, key: str) -> TradingClient:
        return self.kept(TradingClient(key.split("_")[1], key, url_override=self.base))

    def kept(self, client: Any) -> Any:
        """A client whose connections are closed with the house; it has no way to do so itself."""
        self.clients.append(client)
        return client

    def close(self) -> None:
        while self.clients:
            self.clients.pop()._session.close()

    async def make_key(self, *scopes: str, **fields: Any) -> str:
        async with self.world.database.connection() as connection:
            return await keys.create(
                connection,
                name="test",
                scopes=list(scopes),
                accounts=fields.pop("accounts", None),
                **fields,
            )

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await asyncio.to_thread(function, *args, **options)

    async def refused(self, function: Callable[..., Any], *args: Any) -> APIError:
        """The error that the client raises."""
        with pytest.raises(APIError) as caught:
            await self.call(function, *args)
        return caught.value

    def raw(self) -> httpx.AsyncClient:
        """What no client of Alpaca's can be made to send."""
        headers = {"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.key}
        return httpx.AsyncClient(base_url=f"{self.base}/v2", headers=headers, timeout=20)

    async def until(self, look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        """What `look`, a call of the client, finds once it is good."""
        async with asyncio.timeout(30):
            while not good(found := await self.call(look)):
                await asyncio.sleep(0.02)
        return found


OpenHouse = Callable[..., Any]


@asynccontextmanager
async def opened(
    url: str, folder: Path, surface: Surface | None = None, **settings: Any
) -> AsyncIterator[House]:
    async with open_world(url, folder, **settings) as world:
        api = create_api(
            world.service, pace=QUICK, alpaca=surface or Surface(cash=Decimal(100_000))
        )
        async with serve(api) as served:
            house = House(world, served.url, "", api)
            house.key = await house.make_key("admin")
            await world.watch("ACME")
            yield house
            house.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker, server and client share a process: on a busy machine the first is silent for
    seconds."""
    monkeypatch.setattr("app.engine.quotes.SILENCE_SECONDS", 60.0)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(database_url, tmp_path) as house:
        yield house


@pytest.fixture
def open_house(database_url: str, tmp_path: Path) -> OpenHouse:
    """A house with a surface or settings of the test's own."""

    def make(surface: Surface | None = None, **settings: Any) -> Any:
        return opened(database_url, tmp_path, surface, **settings)

    return make
