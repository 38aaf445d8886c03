"""The line to Alpaca: one request, one answer, never sent twice, within a time that is ours."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpx

from app.brokers.alpaca.breaker import Breaker, Broken
from app.brokers.alpaca.budget import Budget, Exhausted, Use
from app.brokers.alpaca.options import Options

QUESTIONS = 4
"""Connections for look-ups and lists."""

_SHOWN = 120
"""How much of an answer that is none is told."""


class NotSent(Exception):
    """Nothing left this house, for certain; `code` is a word for why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Line:
    """Connections of one account, and the rate limit that they share. Cancels have their own and
    never wait behind orders. Failures are ConnectionErrors, whatever they were: what Alpaca got
    is then not known. None of them tells what was sent: the keys are in every request.
    """

    def __init__(self, options: Options) -> None:
        trust = httpx.create_ssl_context(trust_env=False)
        self._options = options
        self._base = f"{options.url}/v2"
        self.budget = Budget(options.requests_per_minute)
        self._orders = self._channel("orders", Use.ORDER, options.connections, trust)
        self._cancels = self._channel("cancels", Use.CANCEL, options.cancel_connections, trust)
        self._questions = self._channel("questions", Use.QUESTION, QUESTIONS, trust)

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        return tuple(c.breaker for c in (self._orders, self._cancels, self._questions))

    async def submit(self, order: Mapping[str, Any]) -> httpx.Response:
        """Raises NotSent, ConnectionError.

        Who waits too long for a turn is not sent any more: the right to send, checked before, does
        not last.
        """
        channel, ms = self._orders, self._options.submit_timeout_ms
        request = channel.client.build_request("POST", f"{self._base}/orders", json=order)
        try:
            channel.breaker.check()
            await channel.turn(ms / 2_000)
        except Broken as broken:
            raise NotSent("line_broken", str(broken)) from broken
        except Exhausted as exhausted:
            raise NotSent("rate_limit_reached", str(exhausted)) from exhausted
        except TimeoutError:
            raise NotSent("line_busy", "no connection was free") from None
        return await channel.exchange(request, ms)

    async def cancel(self, order_id: str) -> httpx.Response:
        """However long it waits for a turn, it goes out, broken line or not.
        Raises ConnectionError."""
        channel = self._cancels
        request = channel.client.build_request("DELETE", f"{self._base}/orders/{order_id}")
        await channel.turn(None)
        return await channel.exchange(request, self._options.cancel_timeout_ms)

    async def replace(self, order_id: str, change: Mapping[str, Any]) -> httpx.Response:
        """Raises ConnectionError."""
        channel, ms = self._orders, self._options.submit_timeout_ms
        url = f"{self._base}/orders/{order_id}"
        request = channel.client.build_request("PATCH", url, json=change)
        try:
            channel.breaker.check()
            await channel.turn(ms / 2_000)
        except (Broken, Exhausted, TimeoutError) as why:
            raise ConnectionError(f"not sent: {why}") from why
        return await channel.exchange(request, ms)

    async def ask(
        self, path: str, query: Mapping[str, str] | None = None, *, absent: bool = False
    ) -> Any:
        """The JSON of an answer; None for what is not there where `absent` allows it.
        Raises ConnectionError."""
        channel, ms = self._questions, self._options.question_timeout_ms
        request = channel.client.build_request("GET", f"{self._base}/{path}", params=query)
        try:
            channel.breaker.check()
            await channel.turn(ms / 1_000)
        except (Broken, Exhausted, TimeoutError) as why:
            raise ConnectionError(f"not asked: {why}") from why
        answer = await channel.exchange(request, ms)
        said = _json(answer)
        if absent and answer.status_code == 404 and _code(said) is not None:
            return None
        if answer.status_code != 200:
            raise ConnectionError(f"Alpaca answered {answer.status_code} {_code(said)} to {path}")
        return said

    async def close(self) -> None:
        for channel in (self._orders, self._cancels, self._questions):
            await channel.client.aclose()

    def _channel(self, name: str, use: Use, connections: int, trust: ssl.SSLContext) -> "Channel":
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        # Timeouts are of the whole exchange; no proxy of the environment comes between, and no
        # redirect carries the keys to another house.
        client = httpx.AsyncClient(
            limits=limits,
            timeout=None,
            trust_env=False,
            verify=trust,
            follow_redirects=False,
            headers={
                "APCA-API-KEY-ID": self._options.key_id,
                "APCA-API-SECRET-KEY": self._options.secret_key.get_secret_value(),
            },
        )
        return Channel(client, connections, use, Breaker(name), self.budget)


class Channel:
    """Some connections, a queue for them, and what they are used for."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        connections: int,
        use: Use,
        breaker: Breaker,
        budget: Budget,
    ) -> None:
        self.client, self.breaker = client, breaker
        self._use, self._budget = use, budget
        self._free = asyncio.Semaphore(connections)

    async def turn(self, seconds: float | None) -> None:
        """Wait for a connection and for the rate limit; `exchange` has to follow.
        Raises TimeoutError, Exhausted; None waits for ever."""
        begun = time.monotonic()
        async with asyncio.timeout(seconds):
            await self._free.acquire()
        left = float("inf") if seconds is None else seconds - (time.monotonic() - begun)
        try:
            await self._budget.take(self._use, left)
        except BaseException:
            self._free.release()
            raise

    async def exchange(self, request: httpx.Request, ms: int) -> httpx.Response:
        """One exchange within `ms`. httpx repeats nothing by itself. Raises ConnectionError."""
        try:
            async with asyncio.timeout(ms / 1_000):
                answer = await self.client.send(request)
        except TimeoutError:
            raise self._failed(f"no answer within {ms} ms") from None
        except httpx.LocalProtocolError:
            # It quotes the header at fault, and keys are headers.
            raise self._failed("what was to be sent is no HTTP") from None
        except httpx.HTTPError as error:
            raise self._failed(f"{type(error).__name__}: {str(error)[:_SHOWN]}") from None
        finally:
            self._free.release()
        self._budget.learn(answer.status_code, answer.headers, time.time())
        if answer.status_code >= 500:
            self.breaker.failed(f"Alpaca answered {answer.status_code}")
        else:
            self.breaker.succeeded()
        return answer

    def _failed(self, why: str) -> ConnectionError:
        self.breaker.failed(why)
        return ConnectionError(why)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise ConnectionError(f"Alpaca answered {answer.status_code}, and no JSON") from None


def _code(said: Any) -> int | None:
    code = said.get("code") if isinstance(said, dict) else None
    return code if isinstance(code, int) else None
