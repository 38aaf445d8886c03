"""Pairs as everybody else writes them: positions, alone of all lists, leave out their slash."""

from collections.abc import Mapping
from typing import Any

from app.brokers.alpaca.client import Client
from app.brokers.alpaca.directory import Directory
from app.brokers.alpaca.reading import text


class Symbols:
    """Asset ids and what they are called, learned from orders or asked for once."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client, self._directory = client, directory
        self._pairs: dict[str, str] = {}

    async def learn(self, row: Mapping[str, Any]) -> None:
        """Before a position is read. Raises ValueError, ConnectionError."""
        asset_id = text(row.get("asset_id"))
        if row.get("asset_class") != "crypto" or asset_id in self._pairs:
            return
        known = self._directory.symbol_of_asset(asset_id)
        if known is None:
            asset = await self._client.asset(asset_id)
            known = text(asset.get("symbol")) if asset is not None else text(row.get("symbol"))
        self._pairs[asset_id] = known

    def of(self, row: Mapping[str, Any]) -> str:
        symbol = text(row.get("symbol"))
        return self._pairs.get(str(row.get("asset_id")), symbol)
