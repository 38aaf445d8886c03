"""The line for questions: Alpaca's REST. Questions may be asked again, and are, for a while."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from app.feeds.alpaca.options import Options
from app.feeds.alpaca.reading import Record, parsed
from app.ports import FeedError

CONNECTIONS = 8
PAGE = 10_000
PAGES_MOST = 200
"""Two million rows: what asks for more has lost its way."""

LATER = frozenset({429, 500, 502, 503, 504})
FIRST_WAIT = 0.2
LONGEST_WAIT = 2.0


class NotPermitted(FeedError):
    """These credentials may not see this."""


class Line:
    """Connections to the data and the trading interface. Every failure is a FeedError; none says
    a word of the credentials."""

    def __init__(self, options: Options) -> None:
        self._options = options
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        trust = httpx.create_ssl_context(trust_env=False)
        self._client = httpx.AsyncClient(
            limits=limits,
            timeout=options.request_ms / 1_000,
            trust_env=False,
            verify=trust,
            headers={
                "APCA-API-KEY-ID": options.key_id,
                "APCA-API-SECRET-KEY": options.secret_key,
            },
        )

    async def data(self, path: str, **query: str) -> dict[str, Any]:
        """An answer of the data interface. Raises FeedError."""
        said = await self._ask(f"{self._options.data_url}/v2/stocks/{path}", query)
        return _table(said, path)

    async def trading(self, path: str, **query: str) -> Any:
        """An answer of the trading interface; None for what is not there. Raises FeedError."""
        return await self._ask(f"{self._options.trading_url}/v2/{path}", query)

    async def rows(self, what: str, **query: str) -> dict[str, list[Record]]:
        """All pages of a history (`trades`, `bars`), by symbol. Raises FeedError."""
        found: dict[str, list[Record]] = {}
        asked = {**query, "limit": str(PAGE)}
        for _ in range(PAGES_MOST):
            page = await self.data(what, **asked)
            for symbol, rows in _table(page.get(what) or {}, what).items():
                found.setdefault(symbol, []).extend(_listed(rows, what))
            token = page.get("next_page_token")
            if not token:
                return found
            asked["page_token"] = str(token)
        raise FeedError(f"Alpaca's {what} do not end: {PAGES_MOST} pages were read")

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, url: str, query: Mapping[str, str]) -> Any:
        deadline, wait = time.monotonic() + self._options.patience_ms / 1_000, FIRST_WAIT
        while True:
            answer, why = await self._once(url, query)
            if answer is not None and answer.status_code not in LATER:
                return _said(answer)
            pause = wait if answer is None else max(wait, _asked_to_wait(answer))
            if time.monotonic() + pause > deadline:
                raise FeedError(f"Alpaca does not answer: {why}")
            await asyncio.sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _once(self, url: str, query: Mapping[str, str]) -> tuple[httpx.Response | None, str]:
        """An answer, or why there is none."""
        try:
            async with asyncio.timeout(self._options.request_ms / 1_000):
                answer = await self._client.get(url, params=dict(query))
        except TimeoutError:
            return None, f"nothing within {self._options.request_ms} ms"
        except httpx.LocalProtocolError:
            # It quotes the header at fault, and keys are headers.
            return None, "what was to be asked is no HTTP"
        except httpx.HTTPError as error:
            return None, f"{type(error).__name__}: {error}"
        return answer, f"status {answer.status_code}"


def _said(answer: httpx.Response) -> Any:
    status = answer.status_code
    if status == 200:
        return parsed(answer.content)
    if status == 404:
        return None
    why = f"Alpaca answered {status}: {_message(answer)}"
    raise NotPermitted(why) if status in (401, 403) else FeedError(why)


def _message(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return answer.reason_phrase
    message = said.get("message") if isinstance(said, dict) else None
    return str(message)[:200] if message else answer.reason_phrase


def _asked_to_wait(answer: httpx.Response) -> float:
    """Seconds until the rate limit lets go, where the answer says."""
    try:
        if "retry-after" in answer.headers:
            return float(answer.headers["retry-after"])
        if answer.status_code == 429 and "x-ratelimit-reset" in answer.headers:
            return max(float(answer.headers["x-ratelimit-reset"]) - time.time(), 0.0)
    except ValueError:
        return 0.0  # A date, or nothing that can be read: our own pauses will do.
    return 0.0


def _table(said: Any, what: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise FeedError(f"Alpaca's answer to {what} is no table")
    return said


def _listed(rows: Any, what: str) -> Sequence[Record]:
    if not isinstance(rows, list):
        raise FeedError(f"Alpaca's {what} are no list")
    return rows
