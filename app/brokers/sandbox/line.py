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
        self._orders = _client(options.connections, trust)
        self._cancels = _client(options.cancel_connections, trust)
        self._questions = _client(QUESTIONS, trust)
        self._stream = _client(1, trust)

    async def submit(self, order: dict[str, Any]) -> httpx.Response:
        """Raises ConnectionError."""
        request = self._orders.build_request("POST", f"{self._base}/orders", json=order)
        reach("send.handed")
        return await _send(self._orders, request, self._options.submit_timeout_ms)

    async def cancel(self, client_id: str) -> httpx.Response:
        """Raises ConnectionError."""
        url = f"{self._base}/orders/{quote(client_id, safe='')}"
        request = self._cancels.build_request("DELETE", url)
        return await _send(self._cancels, request, self._options.cancel_timeout_ms)

    async def ask(self, *path: str, absent: bool = False, **query: str) -> Any:
        """The JSON of an answer; None for one that is not there where `absent` allows it.
        Raises ConnectionError."""
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        request = self._questions.build_request("GET", url, params=query)
        answer = await _send(self._questions, request, self._options.question_timeout_ms)
        said = _json(answer)
        if absent and answer.status_code == 404 and _code(said) == "not_found":
            return None
        return _good(answer, said)

    async def news(self, after: int) -> Any:
        """What the stream holds after a place in it, as soon as there is something.
        Raises ConnectionError."""
        wait = self._options.stream_wait_ms
        request = self._stream.build_request(
            "GET", f"{self._base}/reports", params={"after": str(after), "wait_ms": str(wait)}
        )
        answer = await _send(self._stream, request, wait + self._options.question_timeout_ms)
        return _good(answer, _json(answer))

    async def close(self) -> None:
        for client in (self._orders, self._cancels, self._questions, self._stream):
            await client.aclose()


def _client(connections: int, trust: ssl.SSLContext) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    # Timeouts are of the whole exchange, see `_send`; no proxy of the environment comes between.
    return httpx.AsyncClient(limits=limits, timeout=None, trust_env=False, verify=trust)


async def _send(client: httpx.AsyncClient, request: httpx.Request, ms: int) -> httpx.Response:
    """One exchange. httpx repeats nothing by itself and follows no redirect."""
    try:
        async with asyncio.timeout(ms / 1_000):
            return await client.send(request)
    except TimeoutError:
        raise ConnectionError(f"no answer within {ms} ms") from None
    except httpx.HTTPError as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error


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
