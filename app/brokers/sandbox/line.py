"""The line to the venue: one request, one answer, never sent twice, within a time that is ours."""

import asyncio
import ssl
from typing import Any
from urllib.parse import quote

import httpx

from app.brokers.sandbox.options import Options
from app.failpoints import reach

QUESTIONS = 8
"""Connections for look-ups and lists."""


class Line:
    """Connections to one account. Cancels have their own and never wait behind submits; so does
    the stream. Every failure is a ConnectionError, whatever it was: what the venue got is then
    not known.
    """

    def __init__(self, options: Options, account: str) -> None:
        self._options = options
        self._base = f"{options.url}/accounts/{quote(account, safe='')}"
        trust = httpx.create_ssl_context(trust_env=False)
        self._orders = Channel(options.connections, trust)
        self._cancels = Channel(options.cancel_connections, trust)
        self._questions = Channel(QUESTIONS, trust)
        self._stream = Channel(1, trust)

    async def submit(self, order: dict[str, Any]) -> httpx.Response:
        """Raises ConnectionError.

        Who waits too long for a connection is not sent any more: the right to send, checked before,
        does not last.
        """
        request = self._orders.client.build_request("POST", f"{self._base}/orders", json=order)
        reach("send.handed")
        return await self._orders.send(request, self._options.submit_timeout_ms)

    async def cancel(self, client_id: str) -> httpx.Response:
        """However long it waits for a connection, it goes out. Raises ConnectionError."""
        url = f"{self._base}/orders/{quote(client_id, safe='')}"
        request = self._cancels.client.build_request("DELETE", url)
        return await self._cancels.send(request, self._options.cancel_timeout_ms, patient=True)

    async def ask(self, *path: str, absent: bool = False, **query: str) -> Any:
        """The JSON of an answer; None for one that is not there where `absent` allows it.
        Raises ConnectionError."""
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        request = self._questions.client.build_request("GET", url, params=query)
        answer = await self._questions.send(
            request, self._options.question_timeout_ms, patient=True
        )
        said = _json(answer)
        if absent and answer.status_code == 404 and _code(said) == "not_found":
            return None
        return _good(answer, said)

    async def news(self, after: int) -> Any:
        """What the stream holds after a place in it, as soon as there is something.
        Raises ConnectionError."""
        wait = self._options.stream_wait_ms
        request = self._stream.client.build_request(
            "GET", f"{self._base}/reports", params={"after": str(after), "wait_ms": str(wait)}
        )
        answer = await self._stream.send(request, wait + self._options.question_timeout_ms)
        return _good(answer, _json(answer))

    async def close(self) -> None:
        for channel in (self._orders, self._cancels, self._questions, self._stream):
            await channel.client.aclose()


class Channel:
    """Some connections and a queue for them. httpx's own pool looks through all that wait each
    time one of them moves, which a kill switch over thousands of orders would feel."""

    def __init__(self, connections: int, trust: ssl.SSLContext) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        # Timeouts are of the whole exchange; no proxy of the environment comes between.
        self.client = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False, verify=trust)
        self._free = asyncio.Semaphore(connections)

    async def send(
        self, request: httpx.Request, ms: int, *, patient: bool = False
    ) -> httpx.Response:
        """One exchange within `ms`. httpx repeats nothing by itself and follows no redirect.

        Unless `patient`, it is given up when there is no connection for it after half of that.
        Raises ConnectionError.
        """
        try:
            async with asyncio.timeout(None if patient else ms / 2_000):
                await self._free.acquire()
        except TimeoutError:
            raise ConnectionError(f"not sent: no connection was free for {ms / 2} ms") from None
        try:
            async with asyncio.timeout(ms / 1_000):
                return await self.client.send(request)
        except TimeoutError:
            raise ConnectionError(f"no answer within {ms} ms") from None
        except httpx.HTTPError as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        finally:
            self._free.release()


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise ConnectionError(f"an answer that cannot be read: {error}") from error


def _good(answer: httpx.Response, said: Any) -> Any:
    if answer.status_code != 200:
        raise ConnectionError(f"the venue answered {answer.status_code} {_code(said)}")
    return said


def _code(said: Any) -> str | None:
    code = said.get("code") if isinstance(said, dict) else None
    return code if isinstance(code, str) else None
