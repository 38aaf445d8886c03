"""The client: keeps orders open on every account, and retries what has no answer."""

import asyncio
import json
from collections import Counter
from random import Random
from typing import Any

import httpx

from tests.chaos.scene import Scene
from tests.chaos.subscriber import OVER, Subscriber

PATIENCE_SECONDS = 40.0
"""Beyond its end, after which an order no longer holds its place among those kept open."""

PRICES = {"ACME": 100, "GLOBEX": 40, "INITECH": 300}


class Trader:
    """`entered` has what was answered with 202, by the client's own id; `refused` what was not.

    An order that is entered twice, or was refused and is there all the same, is `wrong`.
    """

    def __init__(self, house: Scene, subscriber: Subscriber) -> None:
        self.entered: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.wrong: list[str] = []
        self.did: Counter[str] = Counter()
        self.posting = asyncio.Event()
        """Set at the moment a request leaves."""
        self._house, self._subscriber = house, subscriber
        self._random: Random = house.terms.random("trader")
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {house.key}"}, timeout=1.5, trust_env=False
        )
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0

    async def run(self) -> None:
        """Keep orders open until canceled; those that are open live on."""
        each = self._house.terms.open_orders // len(self._house.accounts)
        while True:
            for account in self._house.accounts:
                if self._open[account] < each:
                    self._begin(account)
            await asyncio.sleep(0.05)

    async def cancel_all(self) -> None:
        """Ask for the end of everything."""
        for account in self._house.accounts:
            await self._ask("DELETE", f"/orders?account={account}")

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask whichever API answers; again until one does. Only for what may be repeated."""
        return await self._ask(method, path, body)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _begin(self, account: str) -> None:
        self._number += 1
        self._open[account] += 1
        body, random = self._body(account), Random(f"{self._house.terms.seed}/{self._number}")
        task = asyncio.create_task(self._live(account, body, random))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _body(self, account: str) -> dict[str, Any]:
        random, algo = (
            self._random,
            self._random.choice(("twap", "twap", "vwap", "limit", "market")),
        )
        symbol, side = random.choice(tuple(PRICES)), random.choice(("buy", "sell"))
        seconds = random.randint(*self._house.terms.duration)
        body: dict[str, Any] = {
            "account": account,
            "client_order_id": f"chaos-{self._number}",
            "symbol": symbol,
            "side": side,
            "qty": str(random.randint(3, 40)),
            "algo": algo,
            "duration": f"{seconds}s",
        }
        if algo == "twap":
            body["params"] = {"slices": max(3, seconds // random.choice((1, 2)))}
        if algo == "limit":
            far = random.choice(("0.8", "0.98", "1.02", "1.2"))
            body["limit_price"] = str(round(PRICES[symbol] * float(far)))
        return body

    async def _live(self, account: str, body: dict[str, Any], random: Random) -> None:
        try:
            order_id = await self._enter(body)
            if order_id is not None:
                seconds = float(body["duration"][:-1])
                async with asyncio.timeout(seconds + PATIENCE_SECONDS):
                    await self._meddle(order_id, seconds, random)
                    while self._status(order_id) not in OVER:
                        await asyncio.sleep(0.2)
        except TimeoutError:
            self.did["slow"] += 1
        finally:
            self._open[account] -= 1

    async def _enter(self, body: dict[str, Any]) -> str | None:
        """Enter an order, with the same body until there is an answer; sometimes once more."""
        name = body["client_order_id"]
        answer = await self._ask("POST", "/orders", body)
        if answer.status_code != 202:
            self.refused[name] = answer.text[:300]
            self.did[f"refused {_code(answer)}"] += 1
            return None
        self.entered[name] = order_id = answer.json()["id"]
        if self._random.random() < 0.1:
            again = await self._ask("POST", "/orders", body)
            if again.status_code != 202 or again.json()["id"] != order_id:
                self.wrong.append(
                    f"{name}: {order_id}, then {again.status_code} {again.text[:200]}"
                )
        return str(order_id)

    async def _meddle(self, order_id: str, seconds: float, random: Random) -> None:
        what, path = random.random(), f"/orders/{order_id}"
        await asyncio.sleep(random.uniform(0, seconds) if what < 0.45 else 0)
        if what < 0.15:
            await self._command("DELETE", path)
        elif what < 0.3:
            await self._command("POST", f"{path}/pause")
            await asyncio.sleep(random.uniform(0, 3))
            await self._command("POST", f"{path}/resume")
        elif what < 0.45:
            shown = await self._ask("GET", path)
            qty = int(random.choice((5, 10, 60)))
            await self._command(
                "PATCH", path, {"qty": str(qty)}, {"If-Match": shown.headers["ETag"]}
            )

    async def _command(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        answer = await self._ask(method, path, body, headers)
        verb = path.rpartition("/")[2] if method == "POST" else method
        self.did[f"{verb} {answer.status_code}"] += 1

    async def _ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        while True:
            for url in self._house.apis():
                self.posting.set()
                try:
                    answer = await self._client.request(
                        method, url + path, json=body, headers=headers
                    )
                except httpx.TransportError:
                    self.did["no answer"] += 1
                    continue
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
                self.did[f"answered {answer.status_code} {_code(answer)}"] += 1
            await asyncio.sleep(0.05)

    def _status(self, order_id: str) -> str:
        return str(self._subscriber.orders.get(order_id, {}).get("status", "accepted"))


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["code"])
    except (json.JSONDecodeError, KeyError):
        return str(answer.status_code)
