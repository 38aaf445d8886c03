"""`python -m tests.certification alpaca --symbol F --price 12.30`

Keys come from SLIPSTREAM_ALPACA_KEY_ID and SLIPSTREAM_ALPACA_SECRET_KEY. Only a paper account is
certified: SLIPSTREAM_ALPACA_URL may name another address of it, none of real money.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import structlog

from app.brokers.alpaca.options import PAPER_URL
from tests.certification import live
from tests.certification.rows import ROWS

UNPROVOKED = "a venue that behaves does not do it"
CLOSED = "the market is closed"

CHECKS: Mapping[str, Callable[[live.Session], Awaitable[str]]] = {
    check.__name__: check
    for check in (
        live.rate_limit,
        live.reject,
        live.same_id_twice,
        live.look_up_lag,
        live.answer_lost,
        live.cancel,
        live.gap,
        live.another_adapter,
        live.cancel_filled,
        live.stop_canceled,
    )
}
TRADES = ("cancel_filled", "stop_canceled")
SAFE_HOSTS = frozenset({"paper-api.alpaca.markets", "127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Result:
    row: str
    mark: str
    seen: str


async def certify(session: live.Session) -> list[Result]:
    """Every row in turn; what was placed is canceled in the end."""
    async with session.broker() as broker:
        is_open = bool((await broker.client.clock()).get("is_open")) or "/" in session.symbol
    results = []
    for row in ROWS:
        check = CHECKS.get(row)
        if check is None:
            results.append(Result(row, "–", UNPROVOKED))
        elif row in TRADES and not is_open:
            results.append(Result(row, "–", CLOSED))
        else:
            results.append(await _result(row, check(session)))
    async with session.broker() as broker:
        for order in await broker.open_orders():
            if order.child_id in session.placed:
                await broker.cancel(order.child_id, live.now())
    return results


async def _result(row: str, check: Awaitable[str]) -> Result:
    try:
        return Result(row, "✔", await check)
    except live.Unprovoked as why:
        return Result(row, "–", str(why))
    except (live.Failed, ConnectionError) as wrong:
        return Result(row, "✘", str(wrong))


def options_from(environment: Mapping[str, str]) -> dict[str, Any]:
    """Raises SystemExit with a sentence."""
    url = environment.get("SLIPSTREAM_ALPACA_URL", PAPER_URL)
    if urlsplit(url).hostname not in SAFE_HOSTS:
        raise SystemExit(f"only a paper account is certified, not {urlsplit(url).hostname}")
    names = {"key_id": "SLIPSTREAM_ALPACA_KEY_ID", "secret_key": "SLIPSTREAM_ALPACA_SECRET_KEY"}
    if missing := [name for name in names.values() if not environment.get(name)]:
        raise SystemExit(f"{' and '.join(missing)} must be set")
    return {"url": url} | {option: environment[name] for option, name in names.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.certification")
    arguments.add_argument("broker", choices=["alpaca"])
    arguments.add_argument("--symbol", default="F", help="a liquid one; one share of it is traded")
    arguments.add_argument("--price", type=Decimal, required=True, help="about what it costs now")
    given = arguments.parse_args()
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    session = live.Session(options_from(os.environ), given.symbol, given.price)
    results = asyncio.run(certify(session))
    for result in results:
        sys.stdout.write(f"{result.mark} {ROWS[result.row]}: {result.seen}\n")
    sys.exit(1 if any(result.mark == "✘" for result in results) else 0)


if __name__ == "__main__":
    main()
