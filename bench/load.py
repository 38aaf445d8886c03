"""Posts orders as fast as they are answered, on so many connections; prints what it saw as JSON.

A process of its own: raw sockets on uvloop, answers parsed in C. A connection sends its next
request when it has the answer to the last.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections import Counter
from functools import partial
from typing import Any

import httptools
import uvloop

from bench.figure import percentile

BODY = (
    '{"account":"main","client_order_id":"%s-%d","symbol":"ACME","side":"buy","qty":"1200",'
    '"algo":"twap","params":{"slices":12,"placement":"rest_then_cross"},"limit_price":"101.25",'
    '"start_time":"2026-01-06T15:00:00Z","duration":"2h","max_participation":"0.1",'
    '"urgency":"normal","strategy":"momentum","tags":["desk-7","us"]}'
)
"""Twelve fields and two parameters. It starts on the next market day: nobody works it now."""


class Load:
    """What all connections share: the numbers of orders, and what came of them."""

    def __init__(self, asked: argparse.Namespace, began: float) -> None:
        until = began + asked.seconds
        prefer = "Prefer: return=minimal\r\n" if asked.short else ""
        self._head = (
            "POST /orders HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"{prefer}Authorization: Bearer {asked.key}\r\nContent-Length: "
        ).encode()
        self._run = asked.run
        self._number = 0
        self.began, self.until = began, until
        self.seconds: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.answers = 0

    def request(self) -> bytes:
        self._number += 1
        body = (BODY % (self._run, self._number)).encode()
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)

    def answered(self, status: int, sent: float) -> bool:
        """Count an answer; whether to go on."""
        now = time.perf_counter()
        self.answers += 1
        if sent >= self.began and now <= self.until:
            self.seconds.append(now - sent)
            self.statuses[status] += 1
        return now < self.until


class Connection(asyncio.Protocol):
    def __init__(self, load: Load, over: "asyncio.Future[None]") -> None:
        self._load, self.over = load, over
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._load.answered(self._parser.get_status_code(), self._sent):
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._load.request())


async def posted(asked: argparse.Namespace) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    began = time.perf_counter() + asked.warm
    load = Load(asked, began)
    overs = [loop.create_future() for _ in range(asked.connections)]
    for over in overs:
        await loop.create_connection(partial(Connection, load, over), "127.0.0.1", asked.port)
    used = time.process_time()
    await asyncio.gather(*overs)
    busy = (time.process_time() - used) / (asked.warm + asked.seconds)
    return {
        "rate": len(load.seconds) / asked.seconds,
        "p50_ms": percentile(load.seconds, 0.5) * 1000,
        "p99_ms": percentile(load.seconds, 0.99) * 1000,
        "answers": load.answers,
        "statuses": dict(load.statuses),
        "generator_busy": busy,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load")
    parser.add_argument("port", type=int)
    parser.add_argument("--key", default="none")
    parser.add_argument("--run", default="bench")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--warm", type=float, default=0.5)
    parser.add_argument("--short", action="store_true", help="prefers short answers")
    asked = parser.parse_args()
    gc.disable()
    sys.stdout.write(json.dumps(uvloop.run(posted(asked))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
